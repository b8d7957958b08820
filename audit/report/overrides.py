"""Overrides and other written reasons: who went on against a gate, why, and who let it pass. Pure.

What counts stands in clear in the receipts (`decision.override`), so an erasure takes away comments and names only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from audit.report.people import People
from audit.report.reading import Opened, list_of, object_of
from audit.report.texts import line, moment, quoted
from audit.report.words import SHORT

STEPS = {
    "override.requested": ("hold", "Requested"),
    "gate.overridden": ("over", "Approved"),
    "override.rejected": ("fail", "Rejected"),
    "override.withdrawn": ("skip", "Withdrawn"),
    "override.expired": ("skip", "Expired"),
    "rollout.started": ("skip", "Used"),
}
MOST_SLICES = 60


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that somebody did with an override."""

    kind: str
    word: str
    who: str
    at: str
    seq: int
    comment: str


@dataclass(frozen=True, slots=True)
class OverridePart:
    """One override from its request to its end."""

    anchor: str
    title: str
    kind: str
    word: str
    reason: str
    requested_by: str
    requested_id: str
    requested_at: str
    approved_by: str
    approved_id: str
    approved_at: str
    expires_at: str
    levels: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    digest: str
    manifest: str


@dataclass(frozen=True, slots=True)
class WrittenReason:
    """A sign-off, or a case that may be worse, with the words of whoever decided it."""

    title: str
    who: str
    at: str
    seq: int
    reason: str


def override_part(receipts: list[Opened], people: People, releases: dict[str, str]) -> OverridePart:
    """One override from all its receipts, in order."""
    claims = [object_of(receipt.decision.get("override")) for receipt in receipts]
    claim, last = claims[-1], receipts[-1]
    asked = _first(receipts, "override.requested") or receipts[0]
    approved = _first(receipts, "gate.overridden")
    kind, word = STEPS.get(last.event, ("skip", "Used"))
    manifest = str(last.manifest_sha256 or "")
    levels = object_of(claim.get("accepted_levels"))
    return OverridePart(
        anchor=f"override-{asked.seq}",
        title=f"Override of the gate of {releases.get(manifest) or f'the release {manifest[:SHORT]}'}",
        kind=kind,
        word=word,
        reason=quoted(claim.get("reason")),
        requested_by=people.of(claim.get("requested_by")),
        requested_id=people.pseudonym(claim.get("requested_by")),
        requested_at=moment(asked.issued_at),
        approved_by=people.of(claim.get("approved_by")) if claim.get("approved_by") else "",
        approved_id=people.pseudonym(claim.get("approved_by")),
        approved_at=moment(approved.issued_at) if approved else "",
        expires_at=moment(claim.get("expires_at")),
        levels=tuple(_levels(list_of(claim.get("slices")), levels)),
        steps=tuple(_step(receipt, people) for receipt in receipts),
        digest=line(claim.get("gate_override_sha256"), 80),
        manifest=manifest,
    )


def overrides_in(receipts: Iterable[Opened]) -> dict[str, list[Opened]]:
    """Receipts with a decision on an override, by its digest."""
    found: dict[str, list[Opened]] = {}
    for receipt in receipts:
        digest = str(object_of(receipt.decision.get("override")).get("gate_override_sha256"))
        found.setdefault(digest, []).append(receipt)
    return found


def written_reason(receipt: Opened, title: str, people: People) -> WrittenReason | None:
    """The words behind a sign-off or a tolerated case; None where nothing is opened."""
    words = next((told for name in ("reason", "justification", "comment") if (told := receipt.told(name))), None)
    if not words:
        return None
    return WrittenReason(title, people.named(receipt.actor), moment(receipt.issued_at), receipt.seq, quoted(words))


def _first(receipts: list[Opened], event: str) -> Opened | None:
    return next((receipt for receipt in receipts if receipt.event == event), None)


def _step(receipt: Opened, people: People) -> Step:
    kind, word = STEPS.get(receipt.event, ("skip", receipt.event))
    words = receipt.told("comment")
    comment = quoted(words) if words else ""
    return Step(kind, word, people.named(receipt.actor), moment(receipt.issued_at), receipt.seq, comment)


def _levels(slices: list[Any], levels: Any) -> list[tuple[str, str]]:
    """Slice and what is accepted there; null where quality was not measured."""
    shown = []
    for name in slices[:MOST_SLICES]:
        level = levels.get(name) if isinstance(name, str) else None
        shown.append((line(name, 120), line(level, 20) or "not measured: the plain tolerance holds"))
    left = len(slices) - MOST_SLICES
    return [*shown, (f"and {left:,} more", "in the embedded JSON")] if left > 0 else shown
