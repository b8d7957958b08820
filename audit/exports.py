"""Exports: asked for at once, made in the background, issued with a receipt (receipts.md "Export").

The set is fixed when it is asked for: everything in scope up to the head of that moment. So both passes over it, and
a second attempt after a kill, give the same bytes. An export is made in two steps, its JSON and the report of that JSON
as PDF; a second attempt goes on after the step that was done.
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
from audit.report.writing import Written, write_report
from audit.selectors import envelope_of, manifest_of_release
from relcontrol.accounts.actors import Actor, system_actor
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.accounts.selectors import application_named
from relcontrol.clock import now
from relcontrol.errors import Invalid, invalid
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake_on_commit

NOT_WANTED = "This export was asked for without its report; make another for one."
BATCH = 500
PART_BYTES = 1024 * 1024


@transaction.atomic
def request_export(
    *,
    actor: Actor,
    scope: dict[str, Any],
    start: datetime | None = None,
    end: datetime | None = None,
    with_report: bool = True,
) -> Export:
    """Ask for an export of one scope: `{"organization": true}`, `{"application": slug}` or `{"release": id or SHA}`.

    A program that reads the JSON alone can leave out the report, which takes longer than everything else.
    """
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
        with_report=with_report,
        requested_by=actor.id,
        requested_by_label=actor.label,
        created_at=now(),
    )
    export.receipts = export.progress_of = _receipts(export).count()
    export.save(force_insert=True)
    wake_on_commit("export", export.pk)
    return export


def make_export(lease: Lease[Export]) -> None:
    """Write the JSON, then its report, then issue both: state, digests and receipt in one transaction."""
    if not lease.job.sha256:
        _write_document(lease)
    report = write_report(lease) if lease.job.with_report else Written(problem=NOT_WANTED)
    _issue(lease, report)


def content_of(export: Export, kind: ExportPart.Kind = ExportPart.Kind.JSON) -> Iterator[bytes]:
    """A finished file, piece by piece."""
    parts = ExportPart.objects.filter(export=export, kind=kind)
    for number in list(parts.order_by("number").values_list("number", flat=True)):
        yield bytes(parts.get(number=number).content)


def _write_document(lease: Lease[Export]) -> None:
    export = lease.job
    with lease.writing():
        ExportPart.objects.filter(export=export).delete()
    digest, size = hashlib.sha256(), 0
    for number, piece in enumerate(_pieces(_document(lease))):
        digest.update(piece)
        size += len(piece)
        with lease.writing():
            ExportPart.objects.create(export=export, number=number, content=piece)
    with lease.writing() as row:
        row.sha256, row.size = digest.hexdigest(), size
        row.save(update_fields=["sha256", "size"])
    export.sha256, export.size = row.sha256, row.size


def _issue(lease: Lease[Export], report: Written) -> None:
    with lease.writing() as export:
        export.state, export.finished_at = LeasedJob.State.DONE, now()
        export.progress_done = export.progress_of = export.receipts
        export.report_sha256, export.report_size = report.sha256, report.size
        export.report_pages, export.report_problem = report.pages, report.problem
        columns = ["report_sha256", "report_size", "report_pages", "report_problem"]
        export.save(update_fields=["state", "finished_at", "progress_done", "progress_of", *columns])
        state = {
            "id": export.pk,
            "scope": export.scope,
            "sha256": export.sha256,
            "pdf_sha256": export.report_sha256 or None,
            "for": export.requested_by,
        }
        record = Record(
            event=Event.EXPORT_ISSUED,
            outcome="issued",
            kind="export",
            name=export.pk,
            state=state,
        )
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
