"""The evidence beside the receipts of an export: anchors, checkpoints, heads of releases, attestations, the keyring.

Only what was there when the export was asked for counts: anchors whose receipt is not above its last one, statements
and keyrings that are not younger. So a second attempt gives the same bytes.
"""

import base64
from collections.abc import Iterator
from typing import Any

from django.db.models import BinaryField, Func, IntegerField, QuerySet, Value

from audit.anchor_models import Anchor, Checkpoint
from audit.anchors import release_heads
from audit.evidence_models import SignedKeyring, WeightsStatement
from audit.exporting.choosing import Chosen, Made, chosen, chosen_from_beginning, sha256_of, told_size
from audit.exporting.document import Entry
from audit.exporting.inclusion import proofs_for
from audit.exporting.scopes import is_whole, receipts_in
from audit.models import Export, Receipt
from audit.selectors import envelope_of

FETCHED = 500


def evidence_of(export: Export) -> dict[str, Any]:
    """What `export_document.build` takes beside receipts and openings; large members as passes."""
    found = _chosen(export)
    notes = _notes(export, found)
    return {
        "anchors": lambda: _anchors(found, notes),
        "asides": [envelope_of(row) for row in _asides(export, found)],
        "attestations": [{"weights_sha256": row.weights_sha256, "bundle": row.bundle} for row in _statements(export)],
        "checkpoints": [{"note": notes[size]} for size in sorted(notes)],
        "heads": _heads(export, found, notes),
        "keyring": _keyring(export),
        "proofs": lambda: proofs_for(export, found, notes),
    }


def _chosen(export: Export) -> Chosen:
    rows = Anchor.objects.filter(organization=export.organization_id, receipt__seq__lte=export.upto)
    columns = ("pk", "checkpoint__size", "sink__kind", "receipt__seq")
    made = [Made(*row) for row in rows.order_by("checkpoint__size", "receipt__receipt_hash").values_list(*columns)]
    seqs = receipts_in(export).order_by("seq").values_list("seq", flat=True)
    if is_whole(export) or not made:
        return Chosen(made)
    if export.scope.get("organization") and not export.scope["from"]:
        return chosen_from_beginning(made, seqs.last() or 0)
    return chosen(made, seqs.iterator())


def _notes(export: Export, found: Chosen) -> dict[int, str]:
    """The signed note of each checkpoint, by size."""
    rows = Checkpoint.objects.filter(organization=export.organization_id, size__in=found.sizes)
    return dict(rows.values_list("size", "note"))


def _anchors(found: Chosen, notes: dict[int, str]) -> Iterator[Entry]:
    digests = {size: sha256_of(note) for size, note in notes.items()}
    for at in range(0, len(found.anchors), FETCHED):
        batch = found.anchors[at : at + FETCHED]
        rows = Anchor.objects.filter(pk__in=[made.key for made in batch]).select_related("receipt").in_bulk()
        for made in batch:
            row = rows[made.key]
            yield {
                "receipt_hash": row.receipt.receipt_hash if row.receipt else None,
                "kind": made.kind,
                "checkpoint": digests[made.size],
                "evidence": base64.b64encode(bytes(row.evidence or b"")).decode("ascii"),
            }


def _asides(export: Export, found: Chosen) -> QuerySet[Receipt]:
    """The receipts of anchors that are not in scope themselves."""
    return Receipt.objects.filter(organization=export.organization_id, seq__in=found.asides).order_by("seq")


def _heads(export: Export, found: Chosen, notes: dict[int, str]) -> list[Entry]:
    """For releases and applications: where the chain of each release stood at the two newest checkpoints that count."""
    if not found.anchors or not (export.scope.get("release") or export.scope.get("application")):
        return []
    rows = receipts_in(export).filter(manifest_sha256__isnull=False).order_by("manifest_sha256")
    manifests = list(rows.values_list("manifest_sha256", flat=True).distinct())
    entries: list[Entry] = []
    for size in sorted({size for size in (told_size(found.anchors), found.newest) if size}):
        heads = release_heads.heads_at(export.organization, size)
        members = [release_heads.membership_among(heads, str(manifest)) for manifest in manifests]
        entries += [_head(member, sha256_of(notes[size])) for member in members if member]
    return entries


def _head(member: release_heads.Membership, checkpoint: str) -> Entry:
    return {
        "checkpoint": checkpoint,
        "manifest_sha256": member.head.manifest_sha256,
        "release_seq": member.head.release_seq,
        "receipt_hash": member.head.receipt_hash,
        "index": member.index,
        "count": member.count,
        "proof": [base64.b64encode(one).decode("ascii") for one in member.proof],
    }


def _statements(export: Export) -> list[WeightsStatement]:
    """Of each weights digest that a receipt here claims, the statement that came first."""
    rows = WeightsStatement.objects.filter(organization=export.organization_id, created_at__lte=export.created_at)
    first = rows.order_by("weights_sha256", "created_at", "pk").distinct("weights_sha256")
    return [row for row in first if _is_claimed(export, row.weights_sha256)]


def _is_claimed(export: Export, weights: str) -> bool:
    claim = Value(f'"manifest_sha256":"{weights}"'.encode("ascii"), output_field=BinaryField())
    place = Func(claim, "payload", template="position(%(expressions)s)", arg_joiner=" in ", output_field=IntegerField())
    return receipts_in(export).filter(manifest_sha256__isnull=False).annotate(place=place).filter(place__gt=0).exists()


def _keyring(export: Export) -> Entry | None:
    """The keyring that the offline root signed last."""
    rows = SignedKeyring.objects.filter(imported_at__lte=export.created_at).order_by("-sequence")
    envelope: Entry | None = rows.values_list("envelope", flat=True).first()
    return envelope
