"""Exports: asked for at once, made in the background, issued with a receipt (receipts.md "Export").

The set is fixed when it is asked for: everything in scope up to the head of that moment. So both passes over it, and
a second attempt after a kill, give the same bytes but for the signature's time.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import export_document
from audit.chain import timestamp
from audit.events import Event
from audit.keyring import public_keys, signer
from audit.keys import EXPORT
from audit.models import ChainHead, Export, ExportPart, Opening, Receipt
from audit.receipts import Record, append
from audit.selectors import envelope_of, manifest_of_release
from relcontrol.accounts.actors import Actor, system_actor
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.accounts.selectors import application_named
from relcontrol.clock import now
from relcontrol.errors import Invalid, invalid
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake_on_commit

BATCH = 500
PART_BYTES = 1024 * 1024


@transaction.atomic
def request_export(
    *, actor: Actor, scope: dict[str, Any], start: datetime | None = None, end: datetime | None = None
) -> Export:
    """Ask for an export of one scope: `{"organization": true}`, `{"application": slug}` or `{"release": id or SHA}`."""
    actor.require(READ_AUDIT)
    checked = _checked_scope(actor, scope)
    if start and end and start >= end:
        raise invalid("to", "The time range must end after it starts.")
    checked |= {"from": timestamp(start) if start else None, "to": timestamp(end) if end else None}
    signer(EXPORT)  # the document's time must lie in its key's period, so the key comes first
    head = ChainHead.objects.get(organization=actor.organization)
    export = Export(
        organization=actor.organization,
        scope=checked,
        upto=head.seq,
        requested_by=actor.id,
        requested_by_label=actor.label,
        created_at=now(),
    )
    export.progress_of = _receipts(export).count()
    export.save(force_insert=True)
    wake_on_commit("export", export.pk)
    return export


def make_export(lease: Lease[Export]) -> None:
    """Write the document piece by piece, then issue it: state, digest and receipt in one transaction."""
    export = lease.job
    with lease.writing():
        ExportPart.objects.filter(export=export).delete()
    digest, size = hashlib.sha256(), 0
    for number, piece in enumerate(_pieces(_document(lease))):
        digest.update(piece)
        size += len(piece)
        with lease.writing():
            ExportPart.objects.create(export=export, number=number, content=piece)
    _issue(lease, digest.hexdigest(), size)


def content_of(export: Export) -> Iterator[bytes]:
    """The finished file, piece by piece."""
    numbers = ExportPart.objects.filter(export=export).order_by("number").values_list("number", flat=True)
    for number in list(numbers):
        yield bytes(ExportPart.objects.get(export=export, number=number).content)


def _issue(lease: Lease[Export], sha256: str, size: int) -> None:
    with lease.writing() as export:
        export.state, export.finished_at = LeasedJob.State.DONE, now()
        export.sha256, export.size, export.progress_done = sha256, size, export.progress_of
        export.save(update_fields=["state", "finished_at", "sha256", "size", "progress_done"])
        state = {"id": export.pk, "scope": export.scope, "sha256": sha256, "for": export.requested_by}
        record = Record(event=Event.EXPORT_ISSUED, outcome="issued", kind="export", name=export.pk, state=state)
        append(system_actor(export.organization), record)


def _document(lease: Lease[Export]) -> Iterator[bytes]:
    export, key = lease.job, signer(EXPORT)
    return export_document.build(
        export_id=export.pk,
        scope=_scope(export),
        created_at=timestamp(export.created_at),
        origin=export.organization.origin,
        keys=public_keys(),
        receipts=_passes(lease),
        openings=lambda: _openings(export),
        key=key,
    )


def _passes(lease: Lease[Export]) -> export_document.Entries:
    """Two passes over the receipts; each is half of the progress that people see."""
    passed = 0

    def entries() -> Iterable[dict[str, Any]]:
        nonlocal passed
        for batch in _batches(lease.job):
            yield from (envelope_of(receipt) for receipt in batch)
            passed += len(batch)
            lease.keep(now(), done=passed // 2)

    return entries


def _batches(export: Export) -> Iterator[list[Receipt]]:
    rows, last = _receipts(export).order_by("seq"), 0
    while batch := list(rows.filter(seq__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].seq


def _openings(export: Export) -> Iterator[export_document.Opening]:
    for batch in _batches(export):
        hashes = {receipt.pk: receipt.receipt_hash for receipt in batch}
        for opening in Opening.objects.filter(receipt__in=batch).order_by("receipt__seq", "field"):
            yield export_document.Opening(hashes[opening.receipt_id], opening.field, opening.salt, opening.value)


def _receipts(export: Export) -> QuerySet[Receipt]:
    """The receipts in scope."""
    rows = Receipt.objects.filter(organization=export.organization, seq__lte=export.upto)
    scope = export.scope
    if application := scope.get("application"):
        rows = rows.filter(application=application)
    if release := scope.get("release"):
        rows = rows.filter(manifest_sha256=release)
    if scope["from"]:
        rows = rows.filter(issued_at__gte=datetime.fromisoformat(scope["from"]))
    if scope["to"]:
        rows = rows.filter(issued_at__lt=datetime.fromisoformat(scope["to"]))
    return rows


def _scope(export: Export) -> export_document.Scope:
    scope = export.scope
    return export_document.Scope(
        organization=bool(scope.get("organization")),
        application=scope.get("application"),
        release=scope.get("release"),
        start=scope["from"],
        end=scope["to"],
    )


def _checked_scope(actor: Actor, scope: dict[str, Any]) -> dict[str, Any]:
    """One kind of scope, with what it names found in the actor's organization."""
    match scope:
        case {"organization": True, **rest} if not rest:
            return {"organization": True}
        case {"application": str(slug), **rest} if slug and not rest:
            return {"application": application_named(actor.organization, slug).slug}
        case {"release": str(text), **rest} if text and not rest:
            return {"release": manifest_of_release(actor.organization, text)}
    raise Invalid(
        'Give one scope: {"organization": true}, {"application": "slug"} or {"release": "rel_… or manifest SHA-256"}.',
        code="scope",
    )


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Small chunks joined to pieces of about `PART_BYTES`."""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= PART_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
