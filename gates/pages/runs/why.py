"""Why a run's verdict is what it is: one finding for each question that stopped it, with its proof. Pure.

The sentences are the document's own; the first of a question is its finding, the rest its proof.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gates.runs.document import USUAL_THRESHOLD
from gates.scorecards.changes import changed_sentence
from gates.scorecards.headline import stopping_conditions
from gates.scorecards.words import QUESTIONS, WORST_FIRST, Part, capital, counted, metric_title
from gates.statistics.limits import meets

STATUS: Final = {
    "fail": "fail",
    "insufficient": "hold",
    "review": "hold",
    "pass": "pass",
    "not_measured": "skip",
}
SLICES_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """A bold sentence and its proof; `kind` is a status of the design, or empty for a fact."""

    kind: str
    finding: str
    proof: str


def findings(document: Part, candidate: Part) -> list[Finding]:
    """What stopped the run, or that nothing did; and what was changed."""
    stopped = [part for part in document["slices"] if part["verdict"] != "pass"]
    found = [finding for part in stopped[:SLICES_SHOWN] for finding in _of_slice(part, several=len(stopped) > 1)]
    if len(stopped) > SLICES_SHOWN:
        found.append(_others(stopped[SLICES_SHOWN:]))
    found += [_of_condition(row) for row in stopping_conditions(document)]
    changed = Finding("", *changed_sentence(candidate))
    by_own_threshold = [_by_own_threshold(part) for part in document["slices"] if _is_lenient(part["agreement"])]
    return [*(found or [Finding("pass", *_first(document["reasons"]))]), *by_own_threshold[:SLICES_SHOWN], changed]


def _is_lenient(agreement: Part | None) -> bool:
    """Agreement passes, and would not by the usual threshold."""
    if agreement is None or agreement["verdict"] != "pass" or agreement["rho"] is None:
        return False
    return not meets(agreement["rho"], USUAL_THRESHOLD)


def _by_own_threshold(part: Part) -> Finding:
    """The document's own sentence about it is the last one of its reasons."""
    return Finding("", f"{part['name']} passes by a threshold of its own.", part["agreement"]["reasons"][-1])


def _of_slice(part: Part, *, several: bool) -> Iterator[Finding]:
    lead = f"{part['name']}: " if several else ""
    if part["agreement"] is None:
        yield Finding(STATUS[part["verdict"]], f"{part['name']}: no results.", " ".join(part["reasons"]))
        return
    answers = [(part[question], question) for question in QUESTIONS if part[question]["verdict"] != "pass"]
    for answer, question in sorted(answers, key=lambda pair: WORST_FIRST.index(pair[0]["verdict"])):
        first, proof = _first(answer["reasons"] or [f"{capital(question)}: {answer['verdict']}."])
        yield Finding(STATUS[answer["verdict"]], lead + first, proof)


def _first(reasons: list[str]) -> tuple[str, str]:
    return reasons[0], " ".join(reasons[1:])


def _others(stopped: list[Part]) -> Finding:
    kind = STATUS[min((part["verdict"] for part in stopped), key=WORST_FIRST.index)]
    verb = "does" if len(stopped) == 1 else "do"
    return Finding(kind, f"{capital(counted(len(stopped), 'more slice'))} {verb} not pass.", "The table names them.")


def _of_condition(row: Part) -> Finding:
    first, proof = _first(row["reasons"] or [f"{metric_title(row['metric'])} does not pass."])
    return Finding(STATUS[row["verdict"]], first, proof)
