"""Pages: what the log was anchored with, and one checkpoint with its note, its evidence and how to check both."""

import hashlib
from dataclasses import dataclass

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.anchors.alarms import overdue_of
from audit.anchors.selectors import anchors_of, checkpoints_of, made_size, sinks_of, unanchored
from audit.anchors.wording import KINDS, Kind, by_hand, evidence_name, note_name
from audit.pages.lists import address, page_of
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Invalid
from relcontrol.jobs.models import LeasedJob
from relcontrol.web.pages import PageRequest, page

STATES = {
    LeasedJob.State.QUEUED: ("running", "Waits"),
    LeasedJob.State.RUNNING: ("running", "Asking"),
    LeasedJob.State.DONE: ("pass", "Made"),
    LeasedJob.State.ERROR: ("fail", "Given up"),
    LeasedJob.State.CANCELLED: ("skip", "Overtaken"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One anchor as the pages show it."""

    anchor: Anchor
    kind: str
    word: str
    words: Kind
    by_hand: tuple[str, str]
    evidence_name: str
    is_due: bool


@require_safe
@page(READ_AUDIT)
def anchors(request: PageRequest) -> HttpResponse:
    """Checkpoints, newest first, with what became of each."""
    organization = request.actor.organization
    size = made_size(organization)
    tail = unanchored(organization, size).count()
    rows = checkpoints_of(organization).prefetch_related(Prefetch("anchors", anchors_of(organization).order_by("pk")))
    checkpoints, next_cursor = page_of(request, rows, key="pk")
    context = {
        "title": f"Anchored to #{size:,}." if size else "Nothing is anchored yet.",
        "lede": _lede(tail, size),
        "checkpoints": [(row, [_line(anchor) for anchor in row.anchors.all()]) for row in checkpoints],
        "next_cursor": next_cursor,
        "overdue": overdue_of(organization, now()),
        "has_sinks": sinks_of(organization).filter(enabled=True).exists(),
        "crumbs": [("Audit", address(request, "audit")), ("Anchors", None)],
    }
    return render(request, "audit/anchors.html", context)


@require_safe
@page(READ_AUDIT)
def checkpoint(request: PageRequest, checkpoint: str) -> HttpResponse:
    """One checkpoint: what each anchor proves, the note, and how to check it by hand."""
    row = _checkpoint(request, checkpoint)
    lines = [_line(anchor) for anchor in anchors_of(request.actor.organization).filter(checkpoint=row).order_by("pk")]
    made = [line for line in lines if line.anchor.state == LeasedJob.State.DONE]
    context = {
        "checkpoint": row,
        "lines": lines,
        "made": made,
        "note_sha256": hashlib.sha256(row.note.encode()).hexdigest(),
        "note_name": note_name(row.size),
        "crumbs": [
            ("Audit", address(request, "audit")),
            ("Anchors", address(request, "anchors")),
            (f"Checkpoint #{row.size:,}", None),
        ],
    }
    return render(request, "audit/anchor_checkpoint.html", context)


@require_safe
@page(READ_AUDIT)
def note(request: PageRequest, checkpoint: str) -> HttpResponse:
    """The signed note, as it was given to the sinks."""
    row = _checkpoint(request, checkpoint)
    return _file(row.note.encode(), note_name(row.size), "text/plain; charset=utf-8")


@require_safe
@page(READ_AUDIT)
def evidence(request: PageRequest, checkpoint: str, anchor: str) -> HttpResponse:
    """What a sink answered, byte for byte."""
    row = _made(request, checkpoint, anchor)
    return _file(bytes(row.evidence or b""), evidence_name(row.sink.kind, row.checkpoint.size))


@require_safe
@page(READ_AUDIT)
def roots(request: PageRequest, checkpoint: str, anchor: str) -> HttpResponse:
    """The root certificates that a time stamp was verified with when it was made."""
    row = _made(request, checkpoint, anchor)
    if row.sink.kind != AnchorSink.Kind.RFC3161:
        raise Invalid("Only time stamps have root certificates.")
    return _file("".join(row.settings["roots"]).encode(), "roots.pem", "application/x-pem-file")


def _checkpoint(request: PageRequest, key: str) -> Checkpoint:
    return found(checkpoints_of(request.actor.organization), "checkpoint", pk=key)


def _made(request: PageRequest, checkpoint: str, anchor: str) -> Anchor:
    rows = anchors_of(request.actor.organization).filter(state=LeasedJob.State.DONE)
    return found(rows, "anchor with evidence", pk=anchor, checkpoint_id=checkpoint)


def _line(anchor: Anchor) -> Line:
    kind, word = STATES[LeasedJob.State(anchor.state)]
    if anchor.state == LeasedJob.State.QUEUED and anchor.failures:
        kind, word = "hold", "Tried again"
    sink, size = anchor.sink, anchor.checkpoint.size
    hand = by_hand(sink.kind, size, anchor.settings)
    is_due = anchor.state == LeasedJob.State.QUEUED and anchor.next_at <= now()
    return Line(anchor, kind, word, KINDS[sink.kind], hand, evidence_name(sink.kind, size), is_due)


def _lede(tail: int, size: int) -> str:
    """The tail that nobody outside has seen."""
    if not tail:
        return "Every receipt but those of anchors themselves is covered."
    after = f" after #{size:,}" if size else ""
    if tail == 1:
        return f"1 receipt is not anchored{after}: only our own word says when it was written."
    return (
        f"{tail:,} receipts are not anchored{after}: only our own word says when they were written, "
        "and that none was left out."
    )


def _file(content: bytes, name: str, content_type: str = "application/octet-stream") -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)
