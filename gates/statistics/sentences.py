"""Why a verdict is what it is, in sentences that a domain owner reads.

Page, API, scorecard and receipt render these very sentences. Numbers stand on the side of their limit (rule R1).
"""

from gates.statistics.agreement import AgreementResult, Source
from gates.statistics.calibration import CalibrationResult
from gates.statistics.change import ChangeResult, small_drops
from gates.statistics.limits import (
    meets,
    shown,
    shown_beside,
    shown_change,
    shown_gap,
    shown_limit,
    shown_probability,
    shown_size,
)
from gates.statistics.paired import Movement, PairedTest
from gates.statistics.policies import Evidence, Insufficiency, Outcome
from gates.statistics.quality import QualityResult
from gates.statistics.regression import CaseOutcome, CaseRegression
from gates.statistics.rules import FloorSource

Sentences = tuple[str, ...]

FLOOR_WORDS = {
    FloorSource.OWNER: "set by the slice's owner",
    FloorSource.PREVIOUS: "the previous release's level less 0.05",
    FloorSource.NONE: "none",
}

PREVIOUS_NOT_SCORED = (
    "The previous release has no scores by this judge on this suite: send its results as a gate run with dry_run, "
    "then run this gate again."
)


def counted(number: int, noun: str) -> str:
    """Return "1 case" or "1,200 cases"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def agreement_sentences(result: AgreementResult, answer: str = "") -> Sentences:
    """Say how closely judge and experts agree, how sure that is, and what would decide it.

    ``answer`` is what one of the graded answers is called; without it, what its source makes of it.
    """
    if result.reason is not None:
        return (_agreement_gap(result, result.reason),)
    answer = answer or ("graded answer" if result.source is Source.OWN else "graded earlier answer")
    return (
        _agreement_position(result, answer),
        _proof(result, result.rule.threshold, "threshold"),
        *_what_decides(result),
    )


def _agreement_position(result: AgreementResult, answer: str) -> str:
    rho, limit = result.rho or 0.0, result.rule.threshold
    basis = f"{counted(result.n, answer)}, {_interval(result.low, result.high, limit)}"
    return f"Agreement of judge and experts is {_position(rho, limit, 'threshold')} ({basis})."


def _position(value: float, limit: float, name: str) -> str:
    text, bound = shown_beside(value, limit), f"the {name} of {shown_limit(limit, value)}"
    return f"{text}, which meets {bound}" if meets(value, limit) else f"{text}, {shown_gap(value, limit)} below {bound}"


def _interval(low: float | None, high: float | None, limit: float) -> str:
    if low is None or high is None:
        return "too few independent cases for an interval"
    return f"90 % interval {shown_beside(low, limit)} to {shown_beside(high, limit)}"


def _proof(result: AgreementResult | QualityResult, limit: float, name: str) -> str:
    if result.low is None or result.high is None or result.p is None:
        return "Nothing is proven without an interval."
    p = shown_probability(result.p)
    if result.evidence is Evidence.PROVEN:
        return f"The whole interval lies on that side of the {name}, so this is proven ({p})."
    if not meets(result.high, limit):
        return f"Among this many slices one such result can be chance, so it is not proven ({p})."
    return f"The {name} lies inside the interval, so this is not proven ({p})."


def _what_decides(result: AgreementResult | QualityResult) -> Sentences:
    if result.outcome is Outcome.REVIEW:
        return (f"A named person has to sign for it{_more_cases(result.cases_needed, '; ')}.",)
    if result.outcome is Outcome.INSUFFICIENT:
        return (f"This slice's policy asks for proof{_more_cases(result.cases_needed, ': ')}.",)
    return ()


def _more_cases(needed: int | None, joint: str) -> str:
    if needed is None:
        return f"{joint}no number of cases like these would settle it"
    return f"{joint}about {needed:,} cases like these would settle it"


def _agreement_gap(result: AgreementResult, reason: Insufficiency) -> str:
    needed = f"{result.cases_needed or 0:,}"
    match reason:
        case Insufficiency.NO_CASES:
            return f"No answer in this slice has a human grade: {needed} are needed."
        case Insufficiency.GRADES_OF_OTHER_ANSWERS:
            return (
                "The human grades in this slice belong to other answers than this release's, so they say nothing of "
                f"its scores: grade {needed} of its own answers, or send the judge's scores of the graded ones."
            )
        case Insufficiency.HUMAN_CONSTANT:
            return f"{_constant(result, 'human grades')} grade."
        case Insufficiency.JUDGE_CONSTANT:
            return f"{_constant(result, 'judge scores')} score."
        case Insufficiency.TOO_FEW_OFF_MODE:
            return (
                f"Fewer than {result.rule.off_mode_min} of {counted(result.n, 'case')} differ from the most frequent "
                f"grade or score, so a ranking rests on too little: about {needed} cases are needed."
            )
        case Insufficiency.TOO_MANY_MISSING:
            return _missing(result.missing, result.graded, result.rule.missing_max, needed)
        case Insufficiency.RANGE_TOO_NARROW:
            return (
                "These human grades vary less than half as much as those of the calibration, which hides agreement "
                "that may be there: grade answers of more varied quality."
            )
        case _:
            return f"{counted(result.n, 'graded answer')} cannot be judged: {needed} are needed."


def _constant(result: AgreementResult, what: str) -> str:
    return (
        f"The {what} of {counted(result.n, 'answer')} do not vary, so there is no ranking to compare: at least "
        f"{result.cases_needed or 0:,} answers are needed, {result.rule.off_mode_min} of them with another"
    )


def _missing(missing: int, expected: int, allowed: float, needed: str) -> str:
    share = shown_beside(100 - 100 * missing / expected, 100 - 100 * allowed)
    return (
        f"Only {share} % of the judge's scores are there ({missing:,} of {expected:,} are missing), and "
        f"{100 - 100 * allowed:g} % are required: {needed} scored cases are needed."
    )


def quality_sentences(result: QualityResult) -> Sentences:
    """Say how good the answers are, how sure that is, and what would decide it."""
    floor = result.rule.floor
    if result.reason is not None or floor.value is None or result.mean is None:
        return (_quality_gap(result),)
    position = _position(result.mean, floor.value, "floor")
    basis = f"{counted(result.n, 'answer')}, {_interval(result.low, result.high, floor.value)}"
    first = f"Mean quality is {position}, {FLOOR_WORDS[floor.source]} ({basis})."
    return (first, _proof(result, floor.value, "floor"), *_what_decides(result))


def _quality_gap(result: QualityResult) -> str:
    needed = f"{result.cases_needed or 0:,}"
    match result.reason:
        case Insufficiency.NO_CASES:
            return f"No answer in this slice was scored: {needed} are needed."
        case Insufficiency.NO_FLOOR:
            return "There is no level of a previous release to take a floor from: set a quality floor for this slice."
        case Insufficiency.TOO_MANY_MISSING:
            return _missing(result.missing, result.expected, result.rule.missing_max, needed)
        case _:
            return f"{counted(result.n, 'scored answer')} cannot be judged: {needed} are needed."


def change_sentences(result: ChangeResult) -> Sentences:
    """Say what moved since the previous release, over all common cases and in single ones; what decides comes first."""
    if result.reason is Insufficiency.COLD_START:
        return ("There is no previous release to compare with (cold start).",)
    if result.reason is Insufficiency.PREVIOUS_NOT_SCORED:
        return (PREVIOUS_NOT_SCORED,)
    dropped = (result.movement is Movement.DROPPED, result.agreement_movement is Movement.DROPPED)
    agreement = _movement_sentence("Agreement", result.material.agreement, result.agreement_movement)
    parts = [
        (0 if dropped[0] else 3, _level_sentence(result)),
        (1, _case_sentences(result)),
        (2 if dropped[1] else 4, agreement),
        (5, _small_drop_sentences(result)),
    ]
    return tuple(sentence for _, part in sorted(parts) for sentence in part)


def _level_sentence(result: ChangeResult) -> Sentences:
    level = result.material.level
    if result.movement is None or level is None:
        shared = counted(level.n if level else 0, "case")
        return (f"{shared} in common with the previous release cannot be judged: {result.cases_needed} are needed.",)
    return _movement_sentence("Quality", level, result.movement)


def _movement_sentence(name: str, test: PairedTest | None, movement: Movement | None) -> Sentences:
    if test is None or movement is None or test.difference is None:
        return ()
    size, cases = shown_size(test.difference), f"on the same {counted(test.n, 'case')}"
    levels = f"from {shown(test.old or 0.0)} to {shown(test.new or 0.0)}"
    match movement:
        case Movement.DROPPED:
            return (f"{name} fell by {size} {cases}, {levels}: not chance ({shown_probability(test.p_drop or 0.0)}).",)
        case Movement.IMPROVED:
            return (f"{name} rose by {size} {cases}, {levels}: not chance ({shown_probability(test.p_gain or 0.0)}).",)
        case Movement.SAME:
            return (f"{name} is the same {cases}.",)
        case Movement.NO_PROVEN_CHANGE:
            return (f"{name} moved by {shown_change(test.difference)} {cases}, {levels}, which can be chance.",)


def _case_sentences(result: ChangeResult) -> Sentences:
    words = {
        CaseOutcome.REGRESSED: "dropped by more than the limit, confirmed by fresh scores",
        CaseOutcome.FLAGGED_UNCONFIRMED: "seem to have dropped by more than the limit and await fresh scores",
        CaseOutcome.TOLERATED: "dropped by more than the limit and are on the allowlist",
    }
    found = [(result.cases_that(outcome), text) for outcome, text in words.items()]
    return tuple(_cases_sentence(cases, text) for cases, text in found if cases)


def _small_drop_sentences(result: ChangeResult) -> Sentences:
    cases = small_drops(result.material.cases) if result.material.small_drops_need_review else []
    if not cases:
        return ()
    largest_first = sorted(cases, key=lambda case: (-(case.drop or 0.0), case.case_id))
    return (_cases_sentence(tuple(largest_first), "dropped within the limit and need a second reviewer"),)


def _cases_sentence(cases: tuple[CaseRegression, ...], text: str) -> str:
    worst = cases[0]
    return f"Cases that {text}: {len(cases):,}, the worst {worst.case_id} by {shown_size(worst.drop or 0.0)} points."


def calibration_sentences(result: CalibrationResult, answer: str = "") -> Sentences:
    """Say whether the judge may decide on the slice, and what share of the human ceiling it reaches."""
    if result.reason is Insufficiency.TOO_FEW_RATERS:
        return ("One rater cannot show how far experts agree: at least 2 have to grade these answers.",)
    if result.reason is Insufficiency.PANEL_TOO_NOISY:
        return (f"The human grades are too noisy to calibrate any judge here ({_panel(result)}).",)
    return (*agreement_sentences(result.agreement, answer), *_ceiling(result))


def _panel(result: CalibrationResult) -> str:
    alpha, ceiling = result.reliability.alpha, result.reliability.ceiling
    parts = (("Krippendorff's α", alpha), ("human ceiling", ceiling))
    return ", ".join(f"{name} {shown(value)}" if value is not None else f"no {name}" for name, value in parts)


def _ceiling(result: CalibrationResult) -> Sentences:
    rho, ceiling, share = result.agreement.rho, result.reliability.ceiling, result.share_of_ceiling
    if result.reason is not None or rho is None or ceiling is None or share is None:
        return ()
    return (f"{shown(rho)} = {100 * share:.0f} % of the human ceiling {shown(ceiling)}.",)
