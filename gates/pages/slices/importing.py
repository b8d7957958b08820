"""Page: slices from a file: first what it would change, then all of it at once (ui.md screen 7)."""

import json
from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.pages.slices.addresses import address, crumbs_of
from gates.slices.files import SliceRow, as_plain_rows, read_slices
from gates.slices.forms import ImportForm
from gates.slices.importing import ImportPlan, import_slices, plan_import
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.errors import Conflict, DomainError
from relcontrol.web.pages import PageRequest, page

STATUS = {"new": ("running", "New"), "changed": ("hold", "Changed"), "same": ("skip", "Same")}


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def import_page(request: PageRequest) -> HttpResponse:
    """The upload; sent, what the file would change; sent again from there, the change."""
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    if request.method == "POST" and "content" in request.POST:
        return _apply(request, request.POST["content"].encode(), request.POST.get("state", ""))
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        return _show(request, form.cleaned_data["file"].read())
    return _upload(request, form, status=422 if request.method == "POST" else 200)


def _upload(request: PageRequest, form: ImportForm, status: int, problem: DomainError | None = None) -> HttpResponse:
    answer = request.actor.may(WRITE_GATES)
    context = {
        "form": form,
        "problem": problem,
        "errors": [(item.field.removeprefix("row "), item.message) for item in problem.errors] if problem else [],
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, "Import"),
    }
    return render(request, "gates/slices/import.html", context, status=status)


def _show(request: PageRequest, body: bytes, warning: str = "") -> HttpResponse:
    """What the file would change, and the button that does it."""
    try:
        rows = read_slices(body)
        plan = plan_import(request.actor.organization, rows)
    except DomainError as error:
        return _upload(request, ImportForm(), status=error.status, problem=error)
    context = {
        "plan": plan,
        "rows": [(each, *STATUS[each.action]) for each in plan.slices],
        "content": json.dumps(as_plain_rows(rows), ensure_ascii=False),
        "warning": warning,
        "crumbs": crumbs_of(request, "Import"),
    }
    return render(request, "gates/slices/import_plan.html", context, status=409 if warning else 200)


def _apply(request: PageRequest, body: bytes, state: str) -> HttpResponse:
    try:
        rows: Sequence[SliceRow] = read_slices(body)
        plan = import_slices(actor=request.actor, rows=rows, expected_state=state)
    except Conflict as error:
        return _show(request, body, warning=error.detail)
    except DomainError as error:
        return _upload(request, ImportForm(), status=error.status, problem=error)
    messages.success(request, _done(plan))
    return HttpResponseRedirect(address(request, "slices"))


def _done(plan: ImportPlan) -> str:
    return (
        f"Imported: {plan.counted('new')} new, {plan.counted('changed')} changed, {plan.counted('same')} as they were; "
        "a revision and a receipt for each that is new or changed."
    )
