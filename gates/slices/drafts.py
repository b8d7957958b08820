"""What a rule would do before it is saved: how it reads, what the cases can prove, what it would have stopped (R6).

Pure: numbers come in, sentences and numbers go out.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gates.slices.points import Estimate, Point
from gates.statistics.calibration import FEWEST_CASES, FEWEST_RATERS, LOWEST_ALPHA, ROOM_UNDER_CEILING
from gates.statistics.limits import meets, shown, shown_limit
from gates.statistics.planner import all_pass_probability, cases_needed, pass_probability, smallest_provable_shortfall
from gates.statistics.policies import Insufficiency, Outcome, Policy, decide
from gates.verdicts import worst

SHORTFALLS: Final = (0.20, 0.15, 0.10, 0.05)
MARGINS: Final = (0.05, 0.10, 0.20)
CALIBRATION_AGE: Final = timedelta(days=30)
DRAFTS_TESTED_ON: Final = 10

Part = tuple[str, bool]  # text, and whether it is one of the numbers that the sentence is about


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule as it stands in the form. `cases` is how many there are today, `counted` says what was counted."""

    name: str
    threshold: float | None
    floor: float | None
    policy: Policy
    n_min: int
    judge: str
    cases: int
    counted: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """How many cases it takes to catch, four times in five, a release that falls short by `shortfall`."""

    shortfall: float
    needed: int
    more: int


@dataclass(frozen=True, slots=True)
class Badge:
    """Whether the judge may decide on a slice: a status, its word, and why."""

    kind: str
    word: str
    why: str


def reading(draft: Draft) -> list[Part]:
    """The rule as a sentence that a domain owner can check against what she meant."""
    if draft.threshold is None:
        return [(draft.name, True), (" has no threshold: it is measured and shown, and never stops a release.", False)]
    limit = (shown_limit(draft.threshold), True)
    on = [(" on ", False), (draft.name, True)]
    return [*_rule_words(draft.policy, limit, on), *_evidence_words(draft), *_floor_words(draft.floor)]


def _rule_words(policy: Policy, limit: Part, on: list[Part]) -> list[Part]:
    agrees = "the judge’s ranking agrees with your experts"
    if policy is Policy.CONFIDENT:
        first = [(f"A release passes only if it is proven that {agrees} at ", False), limit, (" or more", False)]
        return [*first, *on, (", and fails only if less is proven; until then it waits for more cases.", False)]
    fails: list[Part] = [(f"A release fails if {agrees} less than ", False), limit, *on, (".", False)]
    if policy is Policy.GUARDED:
        return [*fails, (" It passes only if that much is proven; in between somebody has to sign.", False)]
    return fails


def _evidence_words(draft: Draft) -> list[Part]:
    if draft.cases < draft.n_min:
        few = (f"{draft.cases:,}", True)
        return [
            (" With your ", False),
            few,
            (f" {_noun(draft.cases)} every release is held: you ask for {draft.n_min:,}.", False),
        ]
    gap = provable_shortfall(draft)
    if gap is None:
        return []
    words = [(" With your ", False), (f"{draft.cases:,}", True), (f" {_noun(draft.cases)} we can prove ", False)]
    return [*words, ("a shortfall of ", False), (shown(gap), True), (" or more.", False)]


def _noun(count: int) -> str:
    return "case" if count == 1 else "cases"


def _floor_words(floor: float | None) -> list[Part]:
    if floor is None:
        return []
    return [
        (" It fails too if its answers score less than ", False),
        (shown_limit(floor), True),
        (" on average.", False),
    ]


def provable_shortfall(draft: Draft) -> float | None:
    """How far below the threshold a release must lie to be caught with today's cases."""
    if draft.threshold is None or not draft.cases:
        return None
    return smallest_provable_shortfall(draft.threshold, draft.cases)


def gauges(draft: Draft) -> list[Gauge]:
    """Cases needed for each shortfall, beside those that there are."""
    if draft.threshold is None:
        return []
    needed = [(gap, cases_needed(draft.threshold, draft.threshold - gap) or 0) for gap in SHORTFALLS]
    return [Gauge(gap, count, max(0, count - draft.cases)) for gap, count in needed]


def family(drafts: Sequence[Draft]) -> list[tuple[float, float]]:
    """How often all these slices pass together when each truly lies by a margin above its own threshold."""
    judged = [draft for draft in drafts if draft.threshold is not None]
    return [(margin, all_pass_probability(_passes(draft, margin) for draft in judged)) for margin in MARGINS]


def _passes(draft: Draft, margin: float) -> float:
    cases = max(draft.cases, draft.n_min)
    threshold = draft.threshold or 0.0
    return pass_probability(threshold, threshold + margin, cases, draft.policy)


def would_have(draft: Draft, point: Point) -> Outcome:
    """What the draft says of a release that was judged: agreement, and quality where the owner names a floor."""
    outcomes = [_agreement_outcome(draft, point)] if draft.threshold is not None else []
    if draft.floor is not None:
        outcomes.append(_outcome(draft, point.quality, draft.floor))
    return worst(outcomes) if outcomes else Outcome.PASS


def _agreement_outcome(draft: Draft, point: Point) -> Outcome:
    reason = point.judged.get("reason")
    if reason not in (None, Insufficiency.TOO_FEW_CASES):
        return Outcome.INSUFFICIENT
    return _outcome(draft, point.agreement, draft.threshold or 0.0)


def _outcome(draft: Draft, found: Estimate, limit: float) -> Outcome:
    if found.value is None or found.n < draft.n_min:
        return Outcome.INSUFFICIENT
    low = math.nan if found.low is None else found.low
    high = math.nan if found.high is None else found.high
    return decide(draft.policy, estimate=found.value, low=low, high=high, limit=limit).outcome


def stopped_words(draft: Draft, points: Iterable[Point]) -> str:
    """Say which releases the draft would have stopped, and which it would have held, as one sentence."""
    outcomes = [(point, would_have(draft, point)) for point in points]
    if not outcomes:
        return "No release has been judged on this slice yet, so there is nothing to try the rule on."
    stopped = [_named(point) for point, outcome in outcomes if outcome is Outcome.FAIL]
    held = [_named(point) for point, outcome in outcomes if outcome in (Outcome.INSUFFICIENT, Outcome.REVIEW)]
    start = "Without a threshold" if draft.threshold is None else f"At {shown_limit(draft.threshold)}"
    last = f"the last {len(outcomes)} releases" if len(outcomes) > 1 else "the releases judged so far"
    said = f"{start}, this rule would have stopped {_list(stopped, last)}"
    return f"{said}, and held {_list(held, 'them')}." if held else f"{said}."


def passed_then(draft: Draft, points: Iterable[Point]) -> str:
    """Which of the stopped releases had passed under the threshold of their time; empty where none had."""
    stopped = [point for point in points if would_have(draft, point) is Outcome.FAIL]
    passed = [
        f"{point.release} passed under the threshold of its time, {shown_limit(point.threshold)}"
        for point in stopped
        if point.agreement.value is not None and meets(point.agreement.value, point.threshold)
    ]
    return f"{'; '.join(passed)}." if passed else ""


def _named(point: Point) -> str:
    value = point.agreement.value
    return f"{point.release} ({'not measured' if value is None else shown(value)})"


def _list(names: Sequence[str], of: str) -> str:
    if not names:
        return f"none of {of}"
    joined = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{len(names)} of {of}: {joined}"


def badge_of(point: Point | None, judge: str, at: datetime) -> Badge:
    """Whether this judge may decide, by the newest answers that experts graded (rule R10).

    Without a judge of its own a slice takes the one that a gate run names: then it is the newest run's.
    """
    if point is None or point.agreement.value is None:
        return Badge("skip", "Not yet", "No gate run has compared this judge with your experts yet.")
    if judge and point.judge != judge:
        return Badge("skip", "Not yet", f"Measured was {point.judge}; that says nothing of another judge.")
    if at - point.at + timedelta(days=point.judged.get("age_days") or 0) > CALIBRATION_AGE:
        return Badge("hold", "Out of date", f"Compared with your experts over {CALIBRATION_AGE.days} days ago.")
    return _panel_badge(point) or _agreement_badge(point)


def _panel_badge(point: Point) -> Badge | None:
    raters, alpha, ceiling = (point.judged.get(name) for name in ("raters", "alpha", "ceiling"))
    if point.agreement.n < FEWEST_CASES:
        return Badge("hold", "Too few cases", f"It takes {FEWEST_CASES} graded answers; there are {point.agreement.n}.")
    if (raters or 0) < FEWEST_RATERS:
        return Badge("hold", "One rater", f"It takes {FEWEST_RATERS} raters to see how far experts agree.")
    firm = alpha is not None and meets(alpha, LOWEST_ALPHA)
    if not firm or ceiling is None or not meets(ceiling, point.threshold + ROOM_UNDER_CEILING):
        return Badge("hold", "Experts differ", "Your experts agree too little among themselves to calibrate a judge.")
    return None


def _agreement_badge(point: Point) -> Badge:
    found = point.agreement
    if not meets(found.value or 0.0, point.threshold):
        return Badge("fail", "Not calibrated", f"Its agreement lies below {shown_limit(point.threshold)}.")
    if found.low is not None and meets(found.low, point.threshold):
        return Badge("pass", "Calibrated", f"The whole interval lies at or above {shown_limit(point.threshold)}.")
    return Badge("hold", "Not proven", f"The interval reaches below {shown_limit(point.threshold)}.")
