"""Pages: saved scopes of exports, with the form for another; exported again or deleted from here."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from audit.evidence_models import SavedScope
from audit.models import Export
from audit.names import Names, names_of
from audit.pages.export_words import scope_in_words
from audit.pages.lists import address, page_of
from audit.scopes.forms import SavedScopeForm
from audit.scopes.saved import delete_scope, export_again, save_scope, scopes_of
from relcontrol.accounts.permissions import READ_AUDIT, SAVE_SCOPES, Denied
from relcontrol.accounts.selectors import applications_of, found
from relcontrol.errors import DomainError, Forbidden
from relcontrol.web.pages import PageRequest, page


@require_http_methods(["GET", "HEAD", "POST"])
@page(READ_AUDIT)
def scopes(request: PageRequest) -> HttpResponse:
    """The list, and the form that saves another."""
    asked, organization = request.POST if request.method == "POST" else None, request.actor.organization
    form = SavedScopeForm(asked, applications=list(applications_of(organization)))
    if form.is_valid() and _saved(request, form):
        messages.success(request, f"The scope {form.cleaned_data['name']} is saved.")
        return HttpResponseRedirect(address(request, "scopes"))
    rows, next_cursor = page_of(request, scopes_of(organization), key="pk")
    ids = {row.created_by for row in rows} | {row.scope["person"] for row in rows if "person" in row.scope}
    names, answer = names_of(organization, ids), request.actor.may(SAVE_SCOPES)
    context = {
        "scopes": [(row, *in_words(row, names), names.of(row.created_by)) for row in rows],
        "next_cursor": next_cursor,
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": [("Audit", address(request, "audit")), ("Saved scopes", None)],
    }
    return render(request, "audit/scopes.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(SAVE_SCOPES)
def delete(request: PageRequest, scope: str) -> HttpResponse:
    """Forget one."""
    row = found(scopes_of(request.actor.organization), "saved scope", pk=scope)
    if request.method == "POST":
        delete_scope(actor=request.actor, row=row)
        messages.success(request, f"The scope {row.name} is deleted; exports that were made with it stay.")
    return HttpResponseRedirect(address(request, "scopes"))


@require_http_methods(["GET", "HEAD", "POST"])
@page(READ_AUDIT)
def export(request: PageRequest, scope: str) -> HttpResponse:
    """Ask for an export of one."""
    row = found(scopes_of(request.actor.organization), "saved scope", pk=scope)
    if request.method != "POST":
        return HttpResponseRedirect(address(request, "scopes"))
    try:
        made = export_again(actor=request.actor, row=row)
    except DomainError as error:
        messages.error(request, f"There is no export of {row.name}: {error.detail}")
        return HttpResponseRedirect(address(request, "scopes"))
    return HttpResponseRedirect(address(request, "export", export=made.pk))


def in_words(row: SavedScope, names: Names) -> tuple[str, str]:
    """What the scope holds, and what of it may be opened."""
    return scope_in_words(row.scope, names), Export.Opens(row.opens).label.lower()


def _saved(request: PageRequest, form: SavedScopeForm) -> bool:
    given = form.cleaned_data
    try:
        save_scope(
            actor=request.actor,
            name=given["name"],
            scope=form.asked,
            start=given["start"],
            end=given["end"],
            opens=given.get("opens") or Export.Opens.ALL,
        )
    except Forbidden:
        raise
    except DomainError as error:
        form.add_refusal(error)
        return False
    return True
