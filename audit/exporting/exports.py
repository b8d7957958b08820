"""Exports: asked for at once, made in the background, issued with a receipt (receipts.md "Export").

The set is fixed when it is asked for: everything in scope up to the head of that moment, and the anchors that were
made by then. So both passes over it, and a second attempt after a kill, give the same bytes. An export is made in three
steps: its JSON, the report of that JSON as PDF, and the ZIP of both; a second attempt goes on after the step that was
done.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.chain import timestamp
from audit.events import Event
from audit.exporting import document as export_document
from audit.exporting.bundling import write_bundle
from audit.exporting.evidence import evidence_of
from audit.exporting.parts import Keeper, content_of, store
from audit.exporting.scopes import checked_scope, document_scope, receipts_in
from audit.keys.keyring import not_before, public_keys, signer
from audit.keys.signing import EXPORT, PublicKey
from audit.models import ChainHead, Export, ExportPart, Opening, Receipt
from audit.receipts import Record, append
from audit.report.writing import Written, write_report
from audit.selectors import envelope_of
from audit.statement import PERSONAL
from relcontrol.accounts.actors import Actor, system_actor
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.clock import now
from relcontrol.errors import invalid
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.wake import wake_on_commit

__all__ = ["content_of", "make_export", "request_export"]

NOT_WANTED = "This export was asked for without its report; make another for one."
BATCH = 500
JSON = ExportPart.Kind.JSON


@transaction.atomic
def request_export(
    *,
    actor: Actor,
    scope: dict[str, Any],
    start: datetime | None = None,
    end: datetime | None = None,
    opens: str = Export.Opens.ALL,
    with_report: bool = True,
) -> Export:
    """Ask for an export of one scope: an organization, an application, a release or a person (`checked_scope`).

    `opens` says which commitments its reader may open. A program that reads the JSON alone can leave out the report,
    which takes longer than everything else.
    """
    actor.require(READ_AUDIT)
    checked = checked_scope(actor, scope)
    if opens not in Export.Opens.values:
        raise invalid("opens", f"Use one of {', '.join(Export.Opens.values)}.")
    if start and end and start >= end:
        raise invalid("to", "The time range must end after it starts.")
    checked |= {"from": timestamp(start) if start else None, "to": timestamp(end) if end else None}
    signer(EXPORT)  # the document's time must lie in its key's period, so the key comes first
    head = ChainHead.objects.get(organization=actor.organization)
    export = Export(
        organization=actor.organization,
        scope=checked,
        upto=head.seq,
        opens=opens,
        with_report=with_report,
        requested_by=actor.id,
        requested_by_label=actor.label,
        created_at=now(),
    )
    export.receipts = export.progress_of = receipts_in(export).count()
    export.save(force_insert=True)
    wake_on_commit("export", export.pk)
    return export


def make_export(lease: Lease[Export]) -> None:
    """Write the JSON, its report and the ZIP, then issue all: state, digests and receipt in one transaction."""
    export = lease.job
    if not export.sha256:
        export.sha256, export.size = store(lease, JSON, _document(lease))
        _keep(lease, "sha256", "size")
    if not (export.report_sha256 or export.report_problem):
        _report(export, write_report(lease) if export.with_report else Written(problem=NOT_WANTED))
        _keep(lease, "report_sha256", "report_size", "report_pages", "report_problem")
    export.zip_sha256, export.zip_size = write_bundle(lease)
    _issue(lease)


def _report(export: Export, report: Written) -> None:
    export.report_sha256, export.report_size = report.sha256, report.size
    export.report_pages, export.report_problem = report.pages, report.problem


def _keep(lease: Lease[Export], *columns: str) -> None:
    """Store what a step came to, so that a second attempt goes on after it."""
    with lease.writing() as row:
        for column in columns:
            setattr(row, column, getattr(lease.job, column))
        row.save(update_fields=columns)


def _issue(lease: Lease[Export]) -> None:
    with lease.writing() as export:
        export.state, export.finished_at = LeasedJob.State.DONE, now()
        export.progress_done = export.progress_of = export.receipts
        export.zip_sha256, export.zip_size = lease.job.zip_sha256, lease.job.zip_size
        columns = ["state", "finished_at", "progress_done", "progress_of", "zip_sha256", "zip_size"]
        export.save(update_fields=columns)
        state = {
            "id": export.pk,
            "scope": export.scope,
            "opens": export.opens,
            "sha256": export.sha256,
            "pdf_sha256": export.report_sha256 or None,
            "zip_sha256": export.zip_sha256 or None,
            "for": export.requested_by,
        }
        record = Record(event=Event.EXPORT_ISSUED, outcome="issued", kind="export", name=export.pk, state=state)
        append(system_actor(export.organization), record)


def _document(lease: Lease[Export]) -> Iterator[bytes]:
    export, key, keeper = lease.job, signer(EXPORT), Keeper(lease)
    created_at = timestamp(not_before(key, export.created_at))
    evidence = evidence_of(export)
    passes = {name: _kept(keeper, part) for name, part in evidence.items() if callable(part)}
    return export_document.build(
        export_id=export.pk,
        scope=document_scope(export),
        created_at=created_at,
        origin=export.organization.origin,
        opens=export.opens,
        keys=[_as_of(public, created_at) for public in public_keys() if public.start <= created_at],
        receipts=_passes(lease),
        openings=lambda: keeper.through(_openings(export)),
        key=key,
        **(evidence | passes),
    )


def _kept(keeper: Keeper, entries: export_document.Entries) -> export_document.Entries:
    return lambda: keeper.through(entries())


def _as_of(public: PublicKey, moment: str) -> PublicKey:
    """The key as it stood then: what became of it later is for the trust file to say."""
    if public.end is not None and public.end > moment:
        public = replace(public, end=None)
    if public.revoked_at is not None and public.revoked_at > moment:
        public = replace(public, revoked_at=None, reason=None)
    return public


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
    rows, last = receipts_in(export).order_by("seq"), 0
    while batch := list(rows.filter(seq__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].seq


def _openings(export: Export) -> Iterator[export_document.Opening]:
    if export.opens == Export.Opens.NOTHING:
        return
    for batch in _batches(export):
        hashes = {receipt.pk: receipt.receipt_hash for receipt in batch}
        rows = Opening.objects.filter(receipt__in=batch).order_by("receipt__seq", "field")
        if export.opens == Export.Opens.IMPERSONAL:
            rows = rows.exclude(field__startswith=PERSONAL)
        for opening in rows:
            yield export_document.Opening(hashes[opening.receipt_id], opening.field, opening.salt, opening.value)
