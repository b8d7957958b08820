"""From three answers per slice to the verdict of a gate run (rules R5, R7, R8 and domain.md "Gate").

A slice is as good as its worst answer, in the order fail, insufficient, review, pass. A run is as good as its worst
slice; no aggregate over slices is taken anywhere. Page, API, scorecard and receipt render the same reasons.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gates.statistics.agreement import AgreementResult
from gates.statistics.calibration import CalibrationResult
from gates.statistics.change import ChangeResult
from gates.statistics.policies import Evidence, Outcome
from gates.statistics.quality import QualityResult
from gates.statistics.sentences import (
    agreement_sentences,
    calibration_sentences,
    change_sentences,
    counted,
    quality_sentences,
)

WORST_FIRST = (Outcome.FAIL, Outcome.INSUFFICIENT, Outcome.REVIEW, Outcome.PASS)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one question, with its reasons."""

    outcome: Outcome
    evidence: Evidence
    reasons: tuple[str, ...]


class GateOutcome(StrEnum):
    """What a gate run says about its manifest."""

    PASS = "gate_pass"
    HOLD = "gate_hold"
    FAIL = "gate_fail"


@dataclass(frozen=True, slots=True)
class SliceVerdict:
    """One slice: its three answers by question, and what they come to."""

    slice: str
    answers: Mapping[str, Verdict]
    outcome: Outcome
    evidence: Evidence
    reasons: tuple[str, ...]

    @property
    def stopping(self) -> tuple[str, ...]:
        """The first reason of every answer that does not pass, worst first."""
        heads = [(name, answer) for name, answer in _by_severity(self.answers) if answer.outcome is not Outcome.PASS]
        return tuple(_titled(name, answer.reasons[0]) for name, answer in heads) if self.answers else self.reasons


def _by_severity(answers: Mapping[str, Verdict]) -> list[tuple[str, Verdict]]:
    return sorted(answers.items(), key=lambda item: WORST_FIRST.index(item[1].outcome))


def _titled(name: str, reason: str) -> str:
    return f"{name.capitalize()}: {reason}"


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """A whole run: slices and conditions worst first, and what they come to."""

    outcome: GateOutcome
    slices: tuple[SliceVerdict, ...]
    conditions: Mapping[str, Verdict]
    reasons: tuple[str, ...]


def agreement_verdict(result: AgreementResult) -> Verdict:
    """Say whether the judge can be believed in this slice."""
    return Verdict(result.outcome, result.evidence, agreement_sentences(result))


def calibration_verdict(result: CalibrationResult) -> Verdict:
    """Say whether the judge can be believed in this slice, by earlier answers that a panel graded."""
    return Verdict(result.outcome, result.evidence, calibration_sentences(result))


def quality_verdict(result: QualityResult) -> Verdict:
    """Say whether the answers are good enough."""
    return Verdict(result.outcome, result.evidence, quality_sentences(result))


def change_verdict(result: ChangeResult) -> Verdict:
    """Say whether anything is worse than before."""
    return Verdict(result.outcome, result.evidence, change_sentences(result))


def slice_verdict(slice_name: str, *, agreement: Verdict, quality: Verdict, change: Verdict) -> SliceVerdict:
    """Compose the three answers of a slice; its reasons begin with those of the worst answer."""
    answers = {"agreement": agreement, "quality": quality, "change": change}
    outcome = worst(verdict.outcome for verdict in answers.values())
    reasons = tuple(_titled(name, reason) for name, answer in _by_severity(answers) for reason in answer.reasons)
    return SliceVerdict(slice_name, answers, outcome, _evidence(outcome, answers), reasons)


def missing_slice(slice_name: str) -> SliceVerdict:
    """Return the verdict of a slice that has a threshold and no results in this run."""
    reason = "The run has no results for this slice: send them, or take its threshold away in a new revision."
    return SliceVerdict(slice_name, {}, Outcome.INSUFFICIENT, Evidence.NONE, (reason,))


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the worst outcome; nothing at all is insufficient."""
    return min(outcomes, key=WORST_FIRST.index, default=Outcome.INSUFFICIENT)


def _evidence(outcome: Outcome, answers: Mapping[str, Verdict]) -> Evidence:
    """Proven if a deciding answer is; a pass is proven only if both answers that have a limit are."""
    if outcome is Outcome.PASS:
        proven = all(answers[name].evidence is Evidence.PROVEN for name in ("agreement", "quality"))
        return Evidence.PROVEN if proven else Evidence.UNPROVEN
    deciding = {verdict.evidence for verdict in answers.values() if verdict.outcome is outcome}
    if Evidence.PROVEN in deciding:
        return Evidence.PROVEN
    return Evidence.UNPROVEN if Evidence.UNPROVEN in deciding else Evidence.NONE


def gate_verdict(
    *, slices: Sequence[SliceVerdict], expected: Collection[str], conditions: Mapping[str, Verdict] | None = None
) -> GateVerdict:
    """Compose a run from the slices judged and the conditions beside them (named floors, limits, parity).

    ``expected`` names every slice with a threshold: one that is absent counts as insufficient.
    """
    complete = _complete(slices, expected)
    beside = dict(conditions or {})
    outcomes = [*(each.outcome for each in complete), *(verdict.outcome for verdict in beside.values())]
    ordered = tuple(sorted(complete, key=lambda each: (WORST_FIRST.index(each.outcome), each.slice)))
    judged = outcomes if complete else [Outcome.INSUFFICIENT, *outcomes]
    outcome = _gate_outcome(worst(judged))
    return GateVerdict(outcome, ordered, beside, _gate_reasons(ordered, beside))


def _complete(slices: Sequence[SliceVerdict], expected: Collection[str]) -> list[SliceVerdict]:
    names = [each.slice for each in slices]
    if len(set(names)) < len(names) or not set(names) <= set(expected):
        raise ValueError("a slice was judged twice or has no threshold in this run: judge each expected slice once")
    return [*slices, *(missing_slice(name) for name in sorted(set(expected) - set(names)))]


def _gate_outcome(outcome: Outcome) -> GateOutcome:
    match outcome:
        case Outcome.FAIL:
            return GateOutcome.FAIL
        case Outcome.PASS:
            return GateOutcome.PASS
        case _:
            return GateOutcome.HOLD


def _gate_reasons(slices: tuple[SliceVerdict, ...], conditions: Mapping[str, Verdict]) -> tuple[str, ...]:
    if not slices:
        return ("No slice has a threshold, so nothing was judged: set one for at least one slice.",)
    beside = [(name, verdict) for name, verdict in _by_severity(conditions) if verdict.outcome is not Outcome.PASS]
    stopping = [f"{each.slice}: {reason}" for each in slices for reason in each.stopping]
    stopping += [f"{name}: {reason}" for name, verdict in beside for reason in verdict.reasons]
    return tuple(stopping) or (_passed(slices),)


def _passed(slices: tuple[SliceVerdict, ...]) -> str:
    proven = sum(each.evidence is Evidence.PROVEN for each in slices)
    verb = "passes" if len(slices) == 1 else "pass"
    return f"{counted(len(slices), 'slice')} {verb}, {proven:,} of them proven."
