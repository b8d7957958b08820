"""A gate run in a sentence: what was found, what follows, and what else one wants to know at once. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gates.scorecards.words import (
    Part,
    beside,
    capital,
    counted,
    limit_beside,
    metric_title,
    number_word,
    outcome_of,
    spoken,
)
from gates.statistics.limits import MOST_DECIMALS, decimals_beside, shown, shown_size

CONSEQUENCES: Final = {
    "gate_fail": "This release may not ship.",
    "gate_hold": "This release has to wait.",
    "gate_pass": "This release may ship.",
}
DRY_RUN: Final = "Dry run: without effect."
SINCE: Final = {
    "overridden": "An override lets this release ship.",
    "signed": "It was signed off: this release may ship.",
}
VERBS: Final = {
    "fail": ("fails", "fail"),
    "insufficient": ("cannot be judged", "cannot be judged"),
    "review": ("waits for a review", "wait for a review"),
    "pass": ("passes", "pass"),
}
NO_DEPLOY_PATH: Final = "No deploy path accepts {0}: not the API, the form, the command line or a gateway."


@dataclass(frozen=True, slots=True)
class Headline:
    """The finding, what follows from it, and a paragraph."""

    finding: str
    consequence: str
    lede: str


def headline(document: Part, *, release: str, dry_run: bool = False, since: str = "") -> Headline:
    """Tell a finished run; `since` is what people did about it: `overridden`, `signed`, or nothing."""
    consequence = DRY_RUN if dry_run else SINCE.get(since) or CONSEQUENCES[document["verdict"]]
    return Headline(finding(document), consequence, _lede(document, release, dry_run=dry_run, since=since))


def finding(document: Part) -> str:
    """The worst that was found, in one sentence."""
    stopped = [part for part in document["slices"] if part["verdict"] != "pass"]
    conditions = stopping_conditions(document)
    if document["verdict"] == "gate_fail":
        stopped = [part for part in stopped if part["verdict"] == "fail"]
        conditions = [row for row in conditions if row["verdict"] == "fail"]
    if stopped:
        return _with_others(slice_finding(stopped[0]), len(stopped) - 1, document["verdict"])
    if conditions:
        return condition_finding(conditions[0])
    return _all_pass(document)


def stopping_conditions(document: Part) -> list[Part]:
    """Named floors and limits that do not pass, failed ones first."""
    rows = [*document["floors"], *document["limits"]]
    stopping = [row for row in rows if row["verdict"] not in ("pass", "not_measured")]
    return sorted(stopping, key=lambda row: list(VERBS).index(row["verdict"]))


def slice_finding(part: Part) -> str:
    """What is wrong with one slice, without a full stop."""
    name, verdict = part["name"], part["verdict"]
    if part["agreement"] is None:
        return f"{name} has no results"
    if verdict == "fail":
        return _failure(part)
    return f"{name} {VERBS[verdict][0]}" + (" yet" if verdict == "insufficient" else "")


def _failure(part: Part) -> str:
    name, agreement, quality, change = part["name"], part["agreement"], part["quality"], part["change"]
    if agreement["verdict"] == "fail":
        if change["agreement_movement"] == "dropped" and agreement["previous_rho"] is not None:
            return f"{name} fell from {_apart(agreement['previous_rho'], agreement['rho'], agreement['threshold'])}"
        value, limit = _pair(agreement["rho"], agreement["threshold"])
        return f"Agreement on {name} is {value}, below its threshold of {limit}"
    if quality["verdict"] == "fail":
        value, limit = _pair(quality["mean"], quality["floor"])
        return f"Quality on {name} is {value}, below its floor of {limit}"
    if change["movement"] == "dropped":
        return f"Quality on {name} fell by {shown_size(change['mean_difference'])}"
    return f"{capital(counted(change['flagged'], 'answer'))} of {name} got worse"


def _pair(value: float, limit: float) -> tuple[str, str]:
    return beside(value, limit), limit_beside(limit, value)


def _apart(old: float, new: float, limit: float) -> str:
    """`0.68 to 0.41`, with as many decimals as keep them apart and on their sides of the limit."""
    decimals = max(decimals_beside(old, limit), decimals_beside(new, limit))
    while decimals < MOST_DECIMALS and round(old, decimals) == round(new, decimals):
        decimals += 1
    return f"{shown(old, decimals)} to {shown(new, decimals)}"


def condition_finding(row: Part) -> str:
    """What is wrong with a floor or a limit: the first of its reasons."""
    if row["reasons"]:
        return str(row["reasons"][0])
    return f"{metric_title(row['metric'])} {VERBS[row['verdict']][0]}."


def _with_others(first: str, others: int, verdict: str) -> str:
    if not others:
        return f"{first}."
    verb = "fails" if others == 1 else "fail"
    return f"{first}, and {counted(others, 'more slice')} {verb if verdict == 'gate_fail' else _waits(others)}."


def _waits(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _all_pass(document: Part) -> str:
    count = len(document["slices"])
    if not count:
        return "No slice has a threshold, so nothing was judged."
    return f"{capital(counted(count, 'slice'))} {VERBS['pass'][count > 1]}."


def _lede(document: Part, release: str, *, dry_run: bool, since: str) -> str:
    sentences = [_others(document["slices"], document["verdict"])]
    if dry_run:
        sentences.append(f"{release} stands as it stood before: this run was only computed and shown.")
    elif since == "overridden":
        sentences.append(f"The gate holds against {release}; an approved override, with its reason, goes before it.")
    elif since == "signed" or document["verdict"] == "gate_pass":
        sentences.append(f"{release} may be rolled out.")
    else:
        sentences.append(NO_DEPLOY_PATH.format(release))
    return " ".join(sentence for sentence in sentences if sentence)


def _others(slices: Sequence[Part], verdict: str) -> str:
    """What the slices do that the finding does not speak of; of a pass, how much of it is proven."""
    if all(part["verdict"] == "pass" for part in slices):
        proven = sum(part["evidence"] == "proven" for part in slices)
        return f"{capital(counted(proven, 'slice'))} of {len(slices):,} {'is' if proven == 1 else 'are'} proven."
    told = {"fail"} if verdict == "gate_fail" else set(VERBS) - {"pass"}
    others = [part for part in slices if part["verdict"] not in told]
    rest: Any = outcome_of(others)
    if not rest:
        return ""
    if len(rest) == 1:
        outcome, count = next(iter(rest.items()))
        return f"The other {counted(count, 'slice') if count > 1 else 'slice'} {VERBS[outcome][count > 1]}."
    parts = [f"{number_word(count)} {VERBS[outcome][count > 1]}" for outcome, count in rest.items()]
    return f"Of the other {counted(len(others), 'slice')}, {spoken(parts)}."
