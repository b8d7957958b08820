"""Pages: exports with the form, one on its way, and all that an auditor needs to verify it offline."""

from pathlib import Path

from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from audit import verify
from audit.api import NO_ZIP, export_response, report_response, zip_response
from audit.exporting.exports import request_export
from audit.forms import NAMED, ExportForm
from audit.models import Export
from audit.pages.export_words import STATUS, UNITS, first_command, names_in, scope_in_words, seq_of, step_of, verifying
from audit.pages.lists import address, page_of
from audit.selectors import exports_of
from audit.trust import trust_document
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.accounts.selectors import applications_of, found
from relcontrol.api.downloads import python_file
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled


@require_http_methods(["GET", "HEAD", "POST"])
@page(READ_AUDIT)
def exports(request: PageRequest) -> HttpResponse:
    """The list, and the form that asks for another."""
    asked = request.POST if request.method == "POST" else None
    applications = list(applications_of(request.actor.organization))
    form = ExportForm(asked, applications=applications, initial=_proposed(request))
    if form.is_valid() and (row := _requested(request, form)):
        return HttpResponseRedirect(address(request, "export", export=row.pk))
    rows, next_cursor = page_of(request, exports_of(request.actor.organization), key="pk")
    names = names_in(request, rows)
    context = {
        "exports": [(row, scope_in_words(row.scope, names), *STATUS[Export.State(row.state)]) for row in rows],
        "next_cursor": next_cursor,
        "form": form,
        "first_command": first_command(request),
        "crumbs": [("Audit", address(request, "audit")), ("Exports", None)],
    }
    return render(request, "audit/exports.html", context, status=422 if request.method == "POST" else 200)


@require_safe
@page(READ_AUDIT)
def export(request: PageRequest, export: str) -> HttpResponse:
    """How an export stands; it asks for itself until it is over."""
    row = found(exports_of(request.actor.organization), "export", pk=export)
    kind, word = STATUS[Export.State(row.state)]
    left = row.state == Export.State.RUNNING and bool(row.lease_until and row.lease_until < now())
    seq = seq_of(row) + left
    scope = scope_in_words(row.scope, names_in(request, [row]))
    context = {
        "export": row,
        "scope": scope,
        "kind": kind,
        "word": word,
        "left": left,
        "seq": seq,
        "unit": UNITS[step_of(row)],
        "keys": trust_document(request.actor.organization)["keys"],
        "commands": verifying(row),
        "why_no_zip": "" if row.zip_sha256 else f"There is no ZIP: {NO_ZIP}",
        "crumbs": [
            ("Audit", address(request, "audit")),
            ("Exports", address(request, "exports")),
            (f"Export of {scope}", None),
        ],
    }
    if not request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "audit/export.html", context)
    return polled(request, seq, lambda: render(request, "audit/export_live.html", context))


@require_safe
@page(READ_AUDIT)
def export_file(request: PageRequest, export: str) -> HttpResponseBase:
    """The bytes as they were signed."""
    return export_response(found(exports_of(request.actor.organization), "export", pk=export))


@require_safe
@page(READ_AUDIT)
def export_report(request: PageRequest, export: str) -> HttpResponseBase:
    """The report as PDF."""
    return report_response(found(exports_of(request.actor.organization), "export", pk=export))


@require_safe
@page(READ_AUDIT)
def export_zip(request: PageRequest, export: str) -> HttpResponseBase:
    """Everything as one ZIP."""
    return zip_response(found(exports_of(request.actor.organization), "export", pk=export))


@require_safe
@page(READ_AUDIT)
def verifier_file(_request: PageRequest) -> HttpResponse:
    """`verify.py` as it runs here."""
    return python_file(Path(verify.__file__))


@require_safe
@page(READ_AUDIT)
def trust_file(request: PageRequest) -> HttpResponse:
    """`trust.json`; from here it is trust on first use."""
    headers = {"Content-Disposition": 'attachment; filename="trust.json"'}
    return JsonResponse(trust_document(request.actor.organization), headers=headers)


def _proposed(request: PageRequest) -> dict[str, str]:
    """The scope that a link to the form names: `?release=rel_…`."""
    kind = next((kind for kind in NAMED if request.GET.get(kind)), None)
    return {"scope": kind, kind: request.GET[kind]} if kind else {}


def _requested(request: PageRequest, form: ExportForm) -> Export | None:
    """The job; where the service refuses, the form says why there is none."""
    given = form.cleaned_data
    try:
        return request_export(
            actor=request.actor,
            scope=form.asked,
            start=given["start"],
            end=given["end"],
            opens=given["opens"] or Export.Opens.ALL,
        )
    except DomainError as error:
        form.add_refusal(error)
        return None
