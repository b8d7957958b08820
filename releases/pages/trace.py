"""Page: one request: what was asked, what each release answered, and what answered it (domain.md "Lineage").

A request that was copied to a shadow, or replayed to the other arm, has its answers side by side. Prompts and answers
are personal data: only those who may read the audit see them, others read why they do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.names import names_of
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Denied
from relcontrol.accounts.selectors import routes_of
from relcontrol.errors import NotFound
from relcontrol.web.pages import PageRequest, page
from releases.lineage.answer import feedback_of, observed_answers
from releases.lineage.ratings import ratings_of_answer
from releases.pages.paths import NUL, address
from releases.pages.said_of import said_of
from releases.pages.trace_slices import SlicePath, slice_path
from releases.pages.trace_wording import NO_BODY, asked, says, settings_of, title_of
from releases.pages.traces import Line, lines_of
from releases.replays.selectors import opened_pairs
from releases.rollout_models import ReplayPair, Rollout
from releases.trace_models import Trace
from releases.traces.opened import Body, opened
from releases.traces.selectors import SHADOW, traces_of

MOST: Final = 20  # a client may send the same request id again and again
SHORT_ID: Final = 24
REPLAYED: Final = (ReplayPair.State.ANSWERED, ReplayPair.State.SCORED)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: whose it is, how it ended, what it says; `missing` is why it says nothing."""

    heading: str
    role: str
    line: Line | None
    text: str
    missing: str = ""


@require_safe
@page(VIEW)
def trace(request: PageRequest, request_id: str) -> HttpResponse:
    """Every trace of a request, the answer that was served first."""
    organization = request.actor.organization
    rows = [] if NUL in request_id else list(traces_of(organization, request_id=request_id)[:MOST])
    if not rows:
        kept = f"Traces come in within seconds and are kept for {settings.TRACE_RETENTION_DAYS} days."
        raise NotFound(f"No trace of this request is here. {kept}")
    rows.sort(key=lambda row: row.arm == SHADOW)
    may = request.actor.may(READ_AUDIT)
    routes = {route.pk: route.name for route in routes_of(organization)}
    path = slice_path(organization, rows[0])
    lines = lines_of(organization, rows, routes, {step.slug: step.name for step in path.steps})
    context = _context(request, lines, path)
    if isinstance(may, Denied):
        context["denied"] = f"Prompt and answer are not shown to you. {may.reason}"
    else:
        context |= _in_clear(request, lines)
    return render(request, "releases/traces/trace.html", context)


def _context(request: PageRequest, lines: Sequence[Line], path: SlicePath) -> dict[str, Any]:
    first = lines[0]
    key = first.row.request_id
    short = key if len(key) <= SHORT_ID else f"{key[:SHORT_ID]}…"
    rollout = Rollout.objects.filter(organization=request.actor.organization, pk=first.row.rollout_id).exists()
    return {
        "title": title_of(first.row, _who(first)),
        "lines": lines,
        "first": first,
        "path": path,
        **_said_since(request, first.row),
        "rollout_known": first.row.rollout_id is not None and rollout,
        "crumbs": [("Roll", address(request, "roll")), ("Traces", address(request, "traces")), (short, None)],
    }


def _said_since(request: PageRequest, row: Trace) -> dict[str, Any]:
    row.organization = request.actor.organization
    rows = feedback_of(row.organization, row.request_id)
    names = names_of(row.organization, {each.created_by for each in rows})
    return said_of(rows, ratings_of_answer(row), observed_answers(row), names)


def _in_clear(request: PageRequest, lines: Sequence[Line]) -> dict[str, Any]:
    rows = [line.row for line in lines]
    bodies = opened(request.actor.organization.pk, rows)
    first = bodies[0]
    return {
        "asked": asked(first.input),
        "missing": NO_BODY.get(first.state, "") or ("" if first.input else "No prompt was sent with this trace."),
        "settings": settings_of(first.input),
        "metadata": first.metadata or {},
        "answers": [
            *(_answer(line, body) for line, body in zip(lines, bodies, strict=True)),
            *(() if any(row.arm == SHADOW for row in rows) else _replayed(request, rows[0])),
        ],
    }


def _answer(line: Line, body: Body) -> Answer:
    missing = NO_BODY.get(body.state, "")
    return Answer(_who(line), line.arm, line, "" if missing else says(body.output), missing)


def _replayed(request: PageRequest, row: Trace) -> list[Answer]:
    """What the other arm answered when this prompt was replayed to it."""
    if row.rollout_id is None:
        return []
    pairs = ReplayPair.objects.filter(
        organization=request.actor.organization,
        rollout=row.rollout_id,
        trace_id=row.trace_id,
        trace_started_at=row.started_at,
        state__in=REPLAYED,
    )
    found = list(pairs.select_related("rollout__release", "rollout__previous").order_by("-pk")[:1])
    both = opened_pairs(request.actor.organization, found)
    return [_replay(pair, answers) for pair, answers in zip(found, both, strict=True)]


def _replay(pair: ReplayPair, both: dict[str, Any]) -> Answer:
    other = "stable" if pair.served == "candidate" else "candidate"
    release = pair.rollout.previous if other == "stable" else pair.rollout.release
    text, name = both[other], release.name if release else "The other release"
    missing = "" if text is not None else NO_BODY["erased"]
    return Answer(name, f"{other.capitalize()}, replayed unseen", None, "" if missing else says(text), missing)


def _who(line: Line) -> str:
    if line.release:
        return line.release.name
    return f"Release {line.row.release[:12]}" if line.row.release else line.row.model or "No release"
