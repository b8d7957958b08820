"""Receipts as an answer rests on them: what was signed, what opens it, and why one cannot be believed, if so.

Nothing here believes a column or an opening: the bytes are verified again, and a state counts only where it is the one
that was committed to.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit import verify
from audit.examination import look
from audit.models import Opening, Receipt
from audit.statement import STATE

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cited:
    """One receipt. `state` is what its opening tells, None where that is gone or is not what was committed to."""

    receipt: Receipt
    predicate: Json
    state: Json | None
    problems: tuple[str, ...]

    @property
    def at(self) -> datetime:
        """When it was decided, as signed."""
        return decided_at(self.receipt, self.predicate)

    @property
    def manifest(self) -> str | None:
        """The manifest SHA-256 that it is about."""
        sha: str | None = (self.predicate.get("release") or {}).get("manifest_sha256")
        return sha

    @property
    def route(self) -> str | None:
        """The route that it is about; None for receipts of gates."""
        key: str | None = (self.predicate.get("release") or {}).get("route")
        return key

    @property
    def actor(self) -> Json:
        """Who: kind (person, service, system) and pseudonym."""
        return self.predicate.get("actor") or {"kind": "system", "id": self.receipt.actor}

    @property
    def override(self) -> Json | None:
        """The override that it names."""
        said: Json | None = (self.predicate.get("decision") or {}).get("override")
        return said


def cite(receipts: Iterable[Receipt], trust: Json) -> list[Cited]:
    """These receipts in their order, each verified by itself with `audit.trust.trust_document`; in one query."""
    rows = list(receipts)
    openings = Opening.objects.filter(receipt__in=[row.pk for row in rows], field=STATE)
    opened = {each.receipt_id: each for each in openings} if rows else {}
    return [_cited(row, trust, opened.get(row.pk)) for row in rows]


def decided_at(row: Receipt, predicate: Json) -> datetime:
    """When a receipt says that its decision was taken."""
    said = predicate.get("occurred_at")
    return datetime.fromisoformat(said) if isinstance(said, str) else row.issued_at


def as_stored(row: Receipt) -> Json:
    """What the stored bytes say, unverified: enough to look for the right one. Nothing where they cannot be read."""
    try:
        said = json.loads(bytes(row.payload))["predicate"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _cited(row: Receipt, trust: Json, opening: Opening | None) -> Cited:
    looked = look(row, trust)
    problems = [f"Receipt #{row.seq:,} does not verify: {failure.detail}." for failure in looked.failures]
    predicate = looked.statement.predicate if looked.statement else as_stored(row)
    state = None
    if opening is not None and _is_committed(predicate, opening):
        state = opening.value if isinstance(opening.value, dict) else None
    elif opening is not None:
        problems.append(f"What opens receipt #{row.seq:,} is not what it committed to, so it is not believed.")
    return Cited(row, predicate, state, tuple(problems))


def _is_committed(predicate: Json, opening: Opening) -> bool:
    made = {entry["field"]: entry["commitment"] for entry in predicate.get("commitments") or ()}
    return made.get(opening.field) == verify.commitment(opening.field, opening.salt, opening.value)
