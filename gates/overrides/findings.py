"""What the gate found in the slices that an override covers: sentences, and intervals as a drawing and as rows.

Pure. Every number comes from the run's document and is written so that rounding never contradicts the verdict. A
drawing is 546 units wide; quality lies on [0, 1], agreement too unless something measured lies below zero.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gates.statistics.limits import shown, shown_beside, shown_limit

WIDTH: Final = 546.0
STATUS: Final = {"fail": ("fail", "Fail"), "insufficient": ("hold", "Not enough"), "review": ("hold", "Review")}
# question -> (title, its value, its limit, what the limit is called)
MEASURED: Final = {
    "agreement": ("Agreement", "rho", "threshold", "threshold"),
    "quality": ("Quality", "mean", "floor", "floor"),
}
UNIT_TICKS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SIGNED_TICKS: Final = (-1.0, -0.5, 0.0, 0.5, 1.0)
EDGE: Final = 60.0
EMPTY_DOCUMENT: Final[Mapping[str, Any]] = {"slices": [], "floors": [], "limits": []}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis with its label; `anchor` keeps the label inside the drawing."""

    x: float
    text: str

    @property
    def anchor(self) -> str:
        """Which end of the label stands at the place."""
        if self.x < EDGE:
            return "start"
        return "end" if self.x > WIDTH - EDGE else "middle"

    @property
    def turned(self) -> bool:
        """Whether a label beside the place has room on its left only."""
        return self.x > WIDTH - 2 * EDGE


@dataclass(frozen=True, slots=True)
class Interval:
    """One measured value with its 90 % interval beside its limit."""

    title: str
    finding: str
    failing: bool
    value: Mark
    low: float
    high: float
    limit: Mark
    previous: Mark | None
    ticks: tuple[Mark, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """A slice that does not pass."""

    slug: str
    name: str
    kind: str
    word: str
    cases: int
    intervals: tuple[Interval, ...]
    facts: tuple[str, ...]
    headline: str


def findings_of(document: Mapping[str, Any], slices: Sequence[str], previous: str | None) -> list[Finding]:
    """The covered slices, in the order of the document: worst first. `previous` is what people call that release."""
    covered = set(slices)
    return [_finding(row, previous) for row in document["slices"] if row["slice"] in covered]


def passing_sentence(document: Mapping[str, Any]) -> str:
    """How many other slices pass."""
    passing = sum(row["verdict"] == "pass" for row in document["slices"])
    if not passing:
        return "No other slice passes."
    return "One other slice passes." if passing == 1 else f"{passing:,} other slices pass."


def conditions_of(document: Mapping[str, Any]) -> list[str]:
    """What stopped the run beside its slices: named floors and limits."""
    rows = [*document["floors"], *document["limits"]]
    return [reason for row in rows if row["verdict"] in STATUS for reason in row["reasons"]]


def names_of(findings: Sequence[Finding]) -> str:
    """The slices in a sentence: one or two by name, more by number."""
    names = [finding.name for finding in findings]
    if not names:
        return "its gate"
    return " and ".join(names) if len(names) <= 2 else f"{len(names):,} slices"


def _finding(row: Mapping[str, Any], previous: str | None) -> Finding:
    kind, word = STATUS[row["verdict"]]
    intervals = tuple(_intervals(row, previous))
    return Finding(
        slug=row["slice"],
        name=row["name"],
        kind=kind,
        word=word,
        cases=row["cases"],
        intervals=intervals,
        facts=tuple(_facts(row, previous)),
        headline=_headline(row),
    )


def _headline(row: Mapping[str, Any]) -> str:
    """`IP licensing failed at 0.41 of 0.65, proven`: what a receipt's reader should know the approver knew."""
    for question, (_, value, limit, _) in MEASURED.items():
        answer = row[question]
        if answer and answer["verdict"] == "fail" and answer[value] is not None and answer[limit] is not None:
            proof = "proven" if answer["evidence"] == "proven" else "not proven"
            at, of = shown_beside(answer[value], answer[limit]), shown_limit(answer[limit], answer[value])
            return f"{row['name']} failed on {question} at {at} of {of}, {proof}"
    said = {"fail": "failed", "insufficient": "had not enough evidence", "review": "was left for review"}
    return f"{row['name']} {said[row['verdict']]}"


def _facts(row: Mapping[str, Any], previous: str | None) -> Iterator[str]:
    """The reasons that stopped it, then how it was before."""
    yield from row["reasons"][:6]
    agreement, change = row["agreement"] or {}, row["change"] or {}
    if previous and agreement.get("previous_rho") is not None:
        yield f"Agreement was {shown(agreement['previous_rho'])} in {previous}."
    if previous and change.get("flagged"):
        flagged, of = change["flagged"], change["n"]
        yield f"{flagged:,} of {of:,} answers scored lower than in {previous} by more than the policy's limit."


def _intervals(row: Mapping[str, Any], previous: str | None) -> Iterator[Interval]:
    for question, (title, value, limit, limit_name) in MEASURED.items():
        answer = row[question]
        if answer is None or answer["verdict"] == "pass":
            continue
        bounds = answer["ci90"] or (None, None)
        if answer[value] is not None and answer[limit] is not None and None not in bounds:
            before = answer.get("previous_rho") if previous else None
            yield _interval(title, answer, answer[value], answer[limit], limit_name, before, previous or "")


def _interval(
    title: str,
    answer: Mapping[str, Any],
    value: float,
    limit: float,
    limit_name: str,
    before: float | None,
    previous: str,
) -> Interval:
    low, high = answer["ci90"]
    known = [low, value, limit, *([] if before is None else [before])]
    ticks = SIGNED_TICKS if min(known) < 0 else UNIT_TICKS
    at, of = shown_beside(value, limit), shown_limit(limit, value)
    return Interval(
        title=title,
        finding=_caption(title, limit_name, answer, high, limit),
        failing=answer["verdict"] == "fail",
        value=Mark(_x(value, ticks), at),
        low=_x(low, ticks),
        high=_x(high, ticks),
        limit=Mark(_x(limit, ticks), f"{limit_name} {of}"),
        previous=None if before is None else Mark(_x(before, ticks), f"{previous} {shown(before)}"),
        ticks=tuple(Mark(_x(tick, ticks), shown(tick, 1)) for tick in ticks),
        cells=(
            at,
            f"{shown_beside(low, limit)} to {shown_beside(high, limit)}",
            of,
            "not known" if before is None else shown(before),
            f"{answer['n']:,}",
        ),
    )


def _caption(title: str, limit_name: str, answer: Mapping[str, Any], high: float, limit: float) -> str:
    if answer["verdict"] != "fail":
        return f"{title}: {answer['reasons'][0]}" if answer["reasons"] else title
    if high < limit:
        return f"{title}: the whole 90 % interval lies below the {limit_name}. The failure is proven, no bad luck."
    return f"{title}: the 90 % interval reaches the {limit_name}. The shortfall is measured, but not proven."


def _x(value: float, ticks: Sequence[float]) -> float:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return round(min(max(share, 0.0), 1.0) * WIDTH, 1)
