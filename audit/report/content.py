"""The report's content, from the export's JSON and nothing else. Pure.

A report stays a document that can be read: the newest `MOST_RECEIPTS` stand in the timeline and the newest `MOST_RUNS`
gate runs are told in full. What is left out is counted, and is in the embedded JSON.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.report.anchoring import MADE, Anchoring, anchoring_of
from audit.report.appendix import NOTE, Mapped, appendix_of
from audit.report.charts import Figure, figures
from audit.report.gate_runs import EVENTS, GateRun, gate_run
from audit.report.overrides import (
    OverridePart,
    WrittenReason,
    override_part,
    overrides_in,
    written_reason,
)
from audit.report.people import People
from audit.report.proofs import LIMITS, WeightsClaim, weights_claim
from audit.report.reading import Export, Opened, object_of
from audit.report.texts import line, moment
from audit.report.verdicts import Verified
from audit.report.words import SHORT, release_of, told

MOST_RECEIPTS = 2_000
MOST_RUNS = 40
MOST_OVERRIDES = 200
MOST_REASONS = 200
MOST_CLAIMS = 300
MOST_KEYS = 40
ROWS_PER_TABLE = 40
OPENS = {
    "all": "Everything that receipts commit to, names and addresses among it, as far as it was not erased",
    "impersonal": "What receipts commit to, but no names and addresses of people",
    "nothing": "Nothing that receipts commit to: the details are closed to this reader",
}
WRITTEN = ("gate.signed_off", "case.allowlisted")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline."""

    seq: int
    at: str
    words: str
    who: str
    receipt_hash: str
    note: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that the templates print."""

    title: str
    organization: str
    origin: str
    scope: str
    period: str
    export_id: str
    created_at: str
    created: str
    sha256: str
    size: int
    count: int
    first: str
    last: str
    keys: list[tuple[str, ...]]
    events: list[tuple[str, str]]
    runs: list[tuple[GateRun, list[Figure]]]
    runs_left: int
    overrides: list[OverridePart]
    overrides_left: int
    reasons: list[WrittenReason]
    weights: list[WeightsClaim]
    weights_left: int
    timeline: list[list[Entry]]
    timeline_left: int
    opens: str
    verified: Verified
    anchoring: Anchoring
    appendix: list[tuple[str, list[Mapped]]]
    appendix_note: str = NOTE
    limits: tuple[str, ...] = LIMITS
    proofs_title: str = "What each check proves, and what it does not"

    @property
    def file(self) -> str:
        """The embedded JSON's name."""
        return f"{self.export_id}.json"

    @property
    def timeline_shown(self) -> int:
        """How many receipts the timeline tells."""
        return self.count - self.timeline_left


@dataclass
class _Gathered:
    """What one walk over the receipts keeps."""

    people: People = field(default_factory=People)
    releases: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # of releases: their applications
    organization: str = ""
    seqs: list[int] = field(default_factory=list)
    decided: int = 0  # how many come before the receipts of anchors at the end
    anchors: dict[str, Opened] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    runs: deque[Opened] = field(default_factory=lambda: deque(maxlen=MOST_RUNS))
    run_count: int = 0
    overrides: list[Opened] = field(default_factory=list)
    written: deque[Opened] = field(default_factory=lambda: deque(maxlen=MOST_REASONS))
    weights: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    latest: deque[Opened] = field(default_factory=lambda: deque(maxlen=MOST_RECEIPTS))
    first: Opened | None = None

    def take(self, receipt: Opened) -> None:
        """One receipt, in order."""
        self.first = self.first or receipt
        self.seqs.append(receipt.seq)
        self.decided = self.decided if receipt.event == MADE else len(self.seqs)
        self.events[receipt.event] += 1
        self.people.learn(receipt)
        self.latest.append(receipt)
        if receipt.event == MADE:
            self.anchors[receipt.receipt_hash] = receipt
        if receipt.event == "organization.changed":
            self.organization = line(receipt.told("name"), 150) or self.organization
        if receipt.manifest_sha256:
            self._take_release(receipt, receipt.manifest_sha256)
        if receipt.event in EVENTS:
            self.run_count += 1
            self.runs.append(receipt)
        if object_of(receipt.decision.get("override")):
            self.overrides.append(receipt)
        if receipt.event in WRITTEN:
            self.written.append(receipt)

    def _take_release(self, receipt: Opened, manifest: str) -> None:
        self.weights[manifest] = object_of(receipt.predicate.get("weights"))
        name = release_of(receipt)
        if name and manifest[:SHORT] not in name:
            self.releases[manifest] = name
            self.owners[manifest] = line(receipt.predicate.get("application"), 80) or self.owners.get(manifest, "")

    def called(self) -> dict[str, str]:
        """What the report calls each release: with its application where there are several, as each counts anew."""
        if len(set(filter(None, self.owners.values()))) <= 1:
            return self.releases
        return {manifest: f"{self.owners[manifest]} {name}".strip() for manifest, name in self.releases.items()}


def report_of(export: Export, verified: Verified) -> Report:
    """Everything that is printed of this export, with what the verifier said of it."""
    gathered = _Gathered()
    for receipt in export.receipts():
        gathered.take(receipt)
    manifest = export.manifest
    scope = object_of(manifest.get("scope"))
    origin = line(manifest.get("origin"), 300)
    organization = gathered.organization or origin
    last = gathered.latest[-1] if gathered.latest else None
    return Report(
        title=f"Release decisions of {organization}",
        organization=organization,
        origin=origin,
        scope=scope_in_words(scope, gathered.called(), gathered.people),
        period=_period(scope, gathered.first, last),
        export_id=line(manifest.get("export_id"), 60),
        created_at=str(manifest.get("created_at", "")),
        created=moment(manifest.get("created_at")),
        sha256=export.sha256,
        size=len(export.content),
        count=len(gathered.seqs),
        first=_place(gathered.first),
        last=_place(last),
        keys=[_key(key) for key in export.keys[:MOST_KEYS]],
        events=[(event, f"{number:,}") for event, number in sorted(gathered.events.items())],
        timeline=_timeline(gathered),
        timeline_left=len(gathered.seqs) - len(gathered.latest),
        opens=OPENS.get(str(manifest.get("opens", "all")), ""),
        verified=verified,
        anchoring=_anchoring(export, gathered),
        appendix=appendix_of(gathered.events),
        **_decisions(gathered),
    )


def _anchoring(export: Export, gathered: _Gathered) -> Anchoring:
    told = gathered.anchors | {receipt.receipt_hash: receipt for receipt in export.asides()}
    return anchoring_of(
        export, told, gathered.seqs[: gathered.decided], told_last=len(gathered.seqs) > gathered.decided
    )


def scope_in_words(scope: Mapping[str, Any], releases: Mapping[str, str], people: People) -> str:
    """What the export holds."""
    if application := scope.get("application"):
        return f"The application {line(application, 80)}"
    if release := scope.get("release"):
        return f"The release {releases.get(str(release), line(release, SHORT))}"
    if person := scope.get("person"):
        return f"What {people.named(person)} did"
    return "The whole organization"


def _decisions(gathered: _Gathered) -> dict[str, Any]:
    people, releases = gathered.people, gathered.called()
    runs = [
        gate_run(receipt, people.of(receipt.actor), releases.get(receipt.manifest_sha256 or ""))
        for receipt in gathered.runs
    ]
    overrides = list(overrides_in(gathered.overrides).values())
    written = [
        written_reason(receipt, told(receipt, people, gathered.releases), people) for receipt in gathered.written
    ]
    claims = list(gathered.weights.items())
    return {
        "runs": [(run, figures(run)) for run in runs],
        "runs_left": gathered.run_count - len(runs),
        "overrides": [override_part(receipts, people, releases) for receipts in overrides[-MOST_OVERRIDES:]],
        "overrides_left": max(len(overrides) - MOST_OVERRIDES, 0),
        "reasons": [reason for reason in written if reason],
        "weights": [
            weights_claim(releases.get(manifest) or manifest[:SHORT], manifest, weights)
            for manifest, weights in claims[-MOST_CLAIMS:]
        ],
        "weights_left": max(len(claims) - MOST_CLAIMS, 0),
    }


def _timeline(gathered: _Gathered) -> list[list[Entry]]:
    """In tables of some rows each: one table over many pages takes long to lay out."""
    entries = [
        Entry(
            receipt.seq,
            moment(receipt.issued_at),
            told(receipt, gathered.people, gathered.releases),
            gathered.people.of(receipt.actor),
            receipt.receipt_hash,
            "What opened this receipt was erased or is not for this reader." if receipt.is_erased else "",
        )
        for receipt in gathered.latest
    ]
    return [entries[at : at + ROWS_PER_TABLE] for at in range(0, len(entries), ROWS_PER_TABLE)]


def _period(scope: Mapping[str, Any], first: Opened | None, last: Opened | None) -> str:
    begin = moment(scope.get("from")) if scope.get("from") else moment(first.issued_at) if first else ""
    end = f"before {moment(scope['to'])}" if scope.get("to") else moment(last.issued_at) if last else ""
    return f"{begin} to {end}" if begin and end else "No receipt lies in it"


def _place(receipt: Opened | None) -> str:
    return f"#{receipt.seq:,}" if receipt else "none"


def _key(key: Mapping[str, Any]) -> tuple[str, ...]:
    until = key.get("to")
    revoked = key.get("revoked_at")
    period = f"from {moment(key.get('from') or key.get('valid_from'))}" + (f" to {moment(until)}" if until else "")
    return line(key.get("purpose"), 40), line(key.get("keyid"), 80), period + (", revoked" if revoked else "")
