"""Pages: from any answer to what made it, and what served at a time by the receipts (domain.md "Lineage and privacy").

One form for both questions; it travels in the address, so every answer is a link. Feature values stand in metadata,
which are personal data like prompts: only those who may read the audit see them.
"""

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Denied
from relcontrol.accounts.selectors import found, routes_of
from relcontrol.errors import NotFound
from relcontrol.web.pages import PageRequest, page
from releases.lineage.answer import lineage_of
from releases.lineage.finding import of_conversation, of_request, of_trace
from releases.pages.lineage_form import LineageForm
from releases.pages.lineage_parts import answer_lines
from releases.pages.lineage_request import made_by
from releases.pages.lineage_then import served_then
from releases.pages.paths import NUL, address, with_query
from releases.traces.paging import trace_page

ROWS: Final = 50
EXAMPLE: Final = "relctl lineage REQUEST_ID"


@require_safe
@page(VIEW)
def lineage(request: PageRequest) -> HttpResponse:
    """The form, and its answer: a way to the answer that was looked for, or what served at a time."""
    organization = request.actor.organization
    routes = list(routes_of(organization).select_related("application"))
    asked = bool(set(request.GET) & {"q", "route", "at"})
    form = LineageForm(request.GET if asked else None, routes=routes)
    context = {
        "form": form,
        "asked": asked,
        "title": "What made this answer? What served then?",
        "first_command": EXAMPLE,
        "kept_days": settings.TRACE_RETENTION_DAYS,
        "crumbs": [("Lineage", None)],
    }
    if asked and form.is_valid():
        if text := form.cleaned_data["q"]:
            answer = _looked_up(request, organization, text)
            if isinstance(answer, HttpResponseRedirect):
                return answer
            context |= answer
        else:
            route = found(
                routes_of(organization).select_related("organization"), "route", pk=form.cleaned_data["route"]
            )
            context |= served_then(organization, route, form.cleaned_data["at"])
    return render(request, "releases/lineage/lineage.html", context, status=422 if form.errors else 200)


@require_safe
@page(VIEW)
def lineage_of_request(request: PageRequest, request_id: str) -> HttpResponse:
    """What made the answer to a request; `?trace=` says which, where there are several."""
    organization = request.actor.organization
    rows = [] if NUL in request_id else of_request(organization, request_id)
    wanted = request.GET.get("trace", "")
    trace = next((row for row in rows if wanted in {"", row.trace_id}), None)
    if trace is None:
        kept = f"Traces come in within seconds and are kept for {settings.TRACE_RETENTION_DAYS} days."
        raise NotFound(f"No trace of this request is here. {kept}")
    may = request.actor.may(READ_AUDIT)
    of = lineage_of(trace, may_read=not isinstance(may, Denied))
    context = {
        "of": of,
        "line": answer_lines(organization, [trace])[0],
        "others": answer_lines(organization, [row for row in rows if row is not trace]),
        "may_audit": not isinstance(may, Denied),
        "denied": may.reason if isinstance(may, Denied) else "",
        "crumbs": [
            ("Lineage", address(request, "lineage")),
            ("Request", address(request, "trace", request_id=trace.request_id)),
            ("What made it", None),
        ],
        **made_by(organization, of),
    }
    return render(request, "releases/lineage/request.html", context)


def _looked_up(request: PageRequest, organization: Organization, text: str) -> HttpResponseRedirect | dict[str, Any]:
    """A request or a trace has a page of its own; a conversation is a list."""
    for rows, which in ((of_request(organization, text), ""), (of_trace(organization, text), "trace")):
        if rows:
            chosen = rows[0].trace_id if which else ""
            return HttpResponseRedirect(
                with_query(address(request, "lineage-request", request_id=rows[0].request_id), trace=chosen)
            )
    shown, following = trace_page(of_conversation(organization, text), request.GET.get("cursor", ""), ROWS)
    return {"lines": answer_lines(organization, shown), "next_cursor": following, "looked_for": text}
