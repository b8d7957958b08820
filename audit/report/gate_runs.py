"""A gate run as its receipt tells it: verdict, reasons, slices and signed inputs. Pure.

The detail stands in the opening `state`. Where that was erased, the inputs stay: they were signed in clear.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.report.reading import Opened, list_of, object_of
from audit.report.texts import counted, line, listed, moment, number_of, places, printed
from audit.report.words import SHORT, release_of, status

EVENTS = ("gate.passed", "gate.failed", "gate.held")
MOST_SLICES = 120
MOST_REASONS = 12
MOST_INPUTS = 60
NAMED = 3
MANY_SLICES = 12
QUESTIONS = ("agreement", "quality", "change")
ABSENT = "–"


@dataclass(frozen=True, slots=True)
class Measure:
    """One estimate with its interval and its limit, as numbers to draw and as text to print."""

    kind: str
    word: str
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    before: float | None
    shown: str
    interval: str
    limit_shown: str
    before_shown: str
    note: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice with its three answers."""

    name: str
    kind: str
    word: str
    evidence: str
    cases: str
    judge: str
    agreement: Measure
    quality: Measure
    change: Measure
    tells_all: bool

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Why, question by question; of a slice that passes among many, nothing."""
        if not self.tells_all:
            return []
        measures = zip(("Agreement", "Quality", "Change"), (self.agreement, self.quality, self.change), strict=True)
        return [(name, " ".join(measure.reasons)) for name, measure in measures if measure.reasons]


@dataclass(frozen=True, slots=True)
class GateRun:
    """One judged release."""

    anchor: str
    title: str
    kind: str
    word: str
    sentence: str
    reasons: tuple[str, ...]
    release: str
    previous: str
    seq: int
    at: str
    who: str
    receipt_hash: str
    is_erased: bool
    slices: tuple[SliceRow, ...]
    slices_left: int
    conditions: tuple[tuple[str, ...], ...]
    aggregate: str
    inputs: tuple[tuple[str, ...], ...]
    inputs_left: int
    facts: tuple[tuple[str, str], ...]


def gate_run(receipt: Opened, who: str, called: str | None = None) -> GateRun:
    """The run of a receipt of `gate.passed`, `gate.failed` or `gate.held`, with the release `called` so."""
    release, state = called or release_of(receipt), receipt.state
    kind, word = status(receipt.event.partition(".")[2])
    entries = [object_of(entry) for entry in list_of(state.get("slices"))]
    rows = [_slice(entry, len(entries)) for entry in entries[:MOST_SLICES]]
    inputs = [object_of(entry) for entry in list_of(receipt.decision.get("inputs"))]
    return GateRun(
        anchor=f"run-{receipt.seq}",
        title=f"{release}, gate run {line(state.get('number') or f'of receipt #{receipt.seq}', 40)}",
        kind=kind,
        word=word,
        sentence=_sentence(release, kind, [object_of(entry) for entry in entries], inputs),
        reasons=tuple(printed(reason) for reason in list_of(state.get("reasons"))[:MOST_REASONS]),
        release=release,
        previous=line(state.get("previous"), 120),
        seq=receipt.seq,
        at=moment(receipt.issued_at),
        who=who,
        receipt_hash=receipt.receipt_hash,
        is_erased=receipt.is_erased,
        slices=tuple(rows),
        slices_left=max(len(entries) - MOST_SLICES, 0),
        conditions=tuple(_conditions(state)),
        aggregate=_aggregate(object_of(state.get("aggregate"))),
        inputs=tuple(_input(entry) for entry in inputs[:MOST_INPUTS]),
        inputs_left=max(len(inputs) - MOST_INPUTS, 0),
        facts=tuple(_facts(receipt)),
    )


def _sentence(release: str, kind: str, slices: list[Mapping[str, Any]], inputs: list[Mapping[str, Any]]) -> str:
    """The verdict in words, with the slices that decided it."""
    names = [line(entry.get("name") or entry.get("slice"), 80) for entry in slices if entry.get("verdict") != "pass"]
    if not slices:
        told = [line(entry.get("slice"), 80) for entry in inputs if entry.get("verdict") != "pass"]
        names = list(dict.fromkeys(name for name in told if name))
    worst = [*names[:NAMED], f"{len(names) - NAMED} more"] if len(names) > NAMED else names
    if kind == "pass":
        return f"{release} passed its gate" + (f" on {counted(len(slices), 'slice')}." if slices else ".")
    verb = "failed its gate" if kind == "fail" else "was held at its gate"
    return f"{release} {verb}" + (f": {listed(worst)} did not pass." if worst else ".")


def _slice(entry: Mapping[str, Any], among: int) -> SliceRow:
    kind, word = status(entry.get("verdict"))
    agreement, quality, change = (object_of(entry.get(question)) for question in QUESTIONS)
    return SliceRow(
        name=line(entry.get("name") or entry.get("slice"), 120),
        kind=kind,
        word=word,
        evidence=line(entry.get("evidence"), 40) or ABSENT,
        cases=_count(entry.get("cases")),
        judge=line(entry.get("judge"), 120),
        agreement=_measure(agreement, "rho", "threshold", before="previous_rho", note=_source(agreement)),
        quality=_measure(quality, "mean", "floor", note="" if quality.get("calibrated", True) else "uncalibrated"),
        change=_measure(change, "mean_difference", "", signed=True),
        tells_all=kind != "pass" or among <= MANY_SLICES,
    )


def _measure(
    entry: Mapping[str, Any], value: str, limit: str, *, before: str = "", note: str = "", signed: bool = False
) -> Measure:
    kind, word = status(entry.get("verdict"))
    low, high = [*list_of(entry.get("ci90")), None, None][:2]
    has_interval = number_of(low) is not None and number_of(high) is not None
    ends = f"{places(low, signed=signed)} to {places(high, signed=signed)}" if has_interval else ""
    return Measure(
        kind=kind,
        word=word,
        value=number_of(entry.get(value)),
        low=number_of(low),
        high=number_of(high),
        limit=number_of(entry.get(limit)),
        before=number_of(entry.get(before)),
        shown=places(entry.get(value), signed=signed),
        interval=ends,
        limit_shown=places(entry.get(limit)),
        before_shown=places(entry.get(before)),
        note=note,
        reasons=tuple(printed(reason) for reason in list_of(entry.get("reasons"))[:MOST_REASONS]),
    )


def _source(entry: Mapping[str, Any]) -> str:
    """On whose grades agreement rests."""
    if entry.get("source") == "calibration":
        age = _count(entry.get("age_days"))
        return f"from calibration, {age} days old" if age != ABSENT else "from calibration"
    return "own grades" if entry.get("source") == "own" else ""


def _conditions(state: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Named floors and limits: what, value, bound, shape and word, reason."""
    rows: list[tuple[str, ...]] = []
    for entry in [object_of(item) for name in ("floors", "limits") for item in list_of(state.get(name))]:
        bound = next((entry[key] for key in ("floor", "limit") if entry.get(key) is not None), None)
        reasons = " ".join(printed(reason) for reason in list_of(entry.get("reasons"))[:MOST_REASONS])
        metric = line(str(entry.get("metric", "")).replace("_", " "), 80)
        rows.append((metric, _any(entry.get("value")), _any(bound), *status(entry.get("verdict")), reasons))
    return rows[:MOST_INPUTS]


def _aggregate(entry: Mapping[str, Any]) -> str:
    """The mean that is shown and never read."""
    if number_of(entry.get("mean_of_slices")) is None:
        return ""
    return places(entry.get("mean_of_slices"))


def _input(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        line(str(entry.get("metric", "")).replace("_", " "), 80),
        line(entry.get("slice"), 120) or ABSENT,
        _any(entry.get("value")),
        line(entry.get("op"), 4) if entry.get("threshold") is not None else "",
        _any(entry.get("threshold")),
        *status(entry.get("verdict")),
        line(entry.get("evidence"), 80) or ABSENT,
        _count(entry.get("n")),
    )


def _facts(receipt: Opened) -> list[tuple[str, str]]:
    """What the verdict is bound to."""
    policy = object_of(receipt.decision.get("policy"))
    named = {
        "Manifest": receipt.manifest_sha256,
        "Gate run": receipt.told("gate_run_sha256"),
        "Results": receipt.told("results_sha256"),
        "Ratings": receipt.told("ratings_sha256"),
        "Slices": receipt.told("slice_set_sha256"),
        "Policy": policy.get("sha256"),
        "Receipt": receipt.receipt_hash,
    }
    digests = [(name, line(value, 80)) for name, value in named.items() if value]
    parity = {"match": "same fingerprint as the manifest's", "not_claimed": "not claimed"}.get(
        str(receipt.told("parity")), line(receipt.told("parity"), 80)
    )
    words = {"Suite": line(receipt.told("suite"), 120), "Preprocessing": parity}
    judges = [f"{line(key, 80)} {line(value)[:SHORT]}" for key, value in object_of(receipt.told("judges")).items()]
    words["Judges"] = ", ".join(judges[:MOST_REASONS])
    return [*[(name, text) for name, text in words.items() if text], *digests]


def _count(value: Any) -> str:
    number = number_of(value)
    return ABSENT if number is None else f"{number:,.0f}"


def _any(value: Any) -> str:
    """A decimal as short as it may be, or the text as it is."""
    if number_of(value) is None:
        return line(value, 40) or ABSENT
    text = str(value)
    shown = text.rstrip("0").rstrip(".") if "." in text else text
    return (shown or "0").replace("-", "−")
