"""Page: ask for an override of a release's gate (ui.md screen 12): facts, intervals, two fields, consequences."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.overrides.findings import EMPTY_DOCUMENT, conditions_of, findings_of, passing_sentence
from gates.overrides.forms import RequestForm
from gates.overrides.requesting import request_override
from gates.overrides.rules import read_terms
from gates.overrides.selectors import open_override_of, state_of
from gates.run_models import GateRun, Override
from gates.runs.selectors import deciding_run
from gates.standing import Standing, standing_of
from relcontrol.accounts.permissions import REQUEST_OVERRIDES, VIEW, Denied
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError, Forbidden, NotFound
from relcontrol.web.forms import add_domain_errors
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up, returned_form
from releases.models import Release
from releases.overriding import overridable
from releases.pages.paths import address, release_of


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def request_page(request: PageRequest, release: str) -> HttpResponse:
    """The form; sent, it asks for the override and leads to its review."""
    row = release_of(request.actor.organization, release, request.GET.get("application", ""))
    if request.method != "POST":
        return _shown(request, row, RequestForm(initial=returned_form(request)), 200)
    request.actor.require(REQUEST_OVERRIDES)
    here = address(request, "override-request", release=row.pk)
    if detour := require_step_up(request, f"ask for an override of {row.name}", form_url=here):
        return detour
    form = RequestForm(request.POST)
    made, status = _requested(request, row, form)
    if made is None:
        return _shown(request, row, form, status)
    messages.success(request, _said(made))
    return HttpResponseRedirect(address(request, "override", override=made.pk))


def _requested(request: PageRequest, row: Release, form: RequestForm) -> tuple[Override | None, int]:
    """The override; or none, with the status of the refusal that stands in the form."""
    if not form.is_valid():
        return None, 422
    try:
        return request_override(actor=request.actor, candidate=overridable(row), **form.statement()), 200
    except (NotFound, Forbidden):
        raise  # pages of their own
    except DomainError as error:
        add_domain_errors(form, error)
        return None, error.status


def _said(made: Override) -> str:
    if made.state == Override.State.ACTIVE:
        return "The override is active: this gate policy asks for no second person. A receipt records it."
    return "Asked for. Another release manager decides; until then nothing rolls. A receipt records your request."


def _shown(request: PageRequest, row: Release, form: RequestForm, status: int) -> HttpResponse:
    run = deciding_run(row.organization, row.manifest_sha256)
    name = f"{row.application.slug} {row.name}"
    answer = request.actor.may(REQUEST_OVERRIDES)
    context: dict[str, Any] = {
        "release": row,
        "name": name,
        "run": run,
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "nothing": _nothing_to_ask(row, run),
        "crumbs": [
            ("Releases", address(request, "releases")),
            (name, address(request, "release", release=row.pk)),
            ("Ask for an override", None),
        ],
    }
    if run is not None:
        context |= _facts(row, run)
    return render(request, "releases/override_request.html", context, status=status)


def _nothing_to_ask(row: Release, run: GateRun | None) -> str:
    """Why there is nothing to ask for, in place of the form; empty where there is."""
    if run is None:
        return f"No gate run has judged {row.name} yet. Only the verdict of one can be overridden."
    if standing_of(row.organization, row.manifest_sha256) == Standing.PASS:
        return f"{row.name} has passed its gate: there is nothing to override."
    try:
        overridable(row)
    except Conflict as error:
        return error.detail
    return ""


def _facts(row: Release, run: GateRun) -> dict[str, Any]:
    document, rules = run.document or EMPTY_DOCUMENT, run.policy["definition"]
    terms = read_terms(document=document, hours=rules["override_hours"])
    known, at = open_override_of(run), now()
    return {
        "findings": findings_of(document, terms.slices, run.previous_name),
        "passing": passing_sentence(document),
        "conditions": conditions_of(document),
        "terms": terms,
        "levels": sorted(terms.accepted_levels.items()),
        "hours": rules["override_hours"],
        "second_person": rules["second_person"],
        "cold_start": row.previous_release_id is None,
        "known": known if known and state_of(known, at) != Override.State.EXPIRED else None,
    }
