"""Page: the review of an override (ui.md screen 12): what failed, what is claimed, what follows, the decision."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from audit.models import ChainCheck
from gates.overrides.deciding import NOT_YOURS, approve, reject, withdraw
from gates.overrides.findings import EMPTY_DOCUMENT, conditions_of, findings_of, passing_sentence
from gates.overrides.forms import CommentForm, WithdrawForm
from gates.overrides.selectors import override_named, state_of
from gates.overrides.wording import LEDE, STATUS, consequences, knowing, question, timeline
from gates.run_models import Override
from gates.second_person import why_not
from relcontrol.accounts.permissions import APPROVE_OVERRIDES, VIEW
from relcontrol.clock import now
from relcontrol.errors import DomainError, Forbidden, NotFound
from relcontrol.web.forms import Form, TypedNameForm, add_domain_errors
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up, returned_form

ACTS: Final = {"approve": approve, "reject": reject, "withdraw": withdraw}
DONE: Final = {
    "approve": "Approved. The override is active, and a receipt names you both.",
    "reject": "Rejected. The gate's verdict stands, and a receipt says why.",
    "withdraw": "Withdrawn. The gate's verdict stands.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def review(request: PageRequest, override: str) -> HttpResponse:
    """The override; sent, the form approves, rejects or withdraws it."""
    row = override_named(request.actor.organization, override)
    if request.method != "POST":
        return _shown(request, row, CommentForm(initial=returned_form(request)), None, 200)
    act = request.POST.get("act", "")
    here = _address(request, "override", override=row.pk)
    words = f"{act} the override of {row.run.release_name}"
    if act in ("approve", "reject") and (detour := require_step_up(request, words, form_url=here)):
        return detour
    form, typed = CommentForm(request.POST), TypedNameForm(request.POST, expected=_typed_name(row))
    if act not in ACTS:
        form.add_error(None, "Choose what you want to do: approve, reject or withdraw.")
        return _shown(request, row, form, None, 422)
    if act == "approve" and not typed.is_valid():
        return _shown(request, row, form, typed, 422)
    status = _carried_out(request, row, act, form)
    if status != 200:
        return _shown(request, override_named(request.actor.organization, override), form, typed, status)
    messages.success(request, DONE[act])
    return HttpResponseRedirect(here)


def _carried_out(request: PageRequest, row: Override, act: str, form: Form) -> int:
    """200 where the service did it; else the status of its refusal, which stands in the form."""
    if not form.is_valid():
        return 422
    try:
        ACTS[act](actor=request.actor, override=row, comment=form.cleaned_data["comment"])
    except (NotFound, Forbidden):
        raise  # pages of their own
    except DomainError as error:
        add_domain_errors(form, error)
        return error.status
    return 200


def _shown(request: PageRequest, row: Override, form: Form, typed: TypedNameForm | None, status: int) -> HttpResponse:
    at, run = now(), row.run
    document = run.document or EMPTY_DOCUMENT
    findings = findings_of(document, row.slices, run.previous_name)
    state, denied = state_of(row, at), why_not(request.actor, APPROVE_OVERRIDES, row.requested_by, words=NOT_YOURS)
    waits = state == Override.State.PENDING
    kind, word = STATUS[state]
    context = {
        "override": row,
        "run": run,
        "kind": kind,
        "word": word,
        "title": question(run, findings),
        "lede": LEDE[state],
        "findings": findings,
        "passing": passing_sentence(document),
        "conditions": conditions_of(document),
        "consequences": list(consequences(row, findings)),
        "recorded": knowing(request.actor.label, findings),
        "steps": timeline(row, at, yours=waits and not denied),
        "waits": waits,
        "denied": denied,
        "own": waits and row.requested_by == request.actor.id,
        "form": form,
        "withdrawal": WithdrawForm(),
        "typed": typed,
        "typed_name": _typed_name(row),
        "integrity": ChainCheck.objects.filter(organization=row.organization_id).first(),
        "crumbs": _crumbs(request, row),
    }
    return render(request, "gates/overrides/review.html", context, status=status)


def _typed_name(row: Override) -> str:
    return f"{row.run.application.slug} {row.run.release_name}"


def _crumbs(request: PageRequest, row: Override) -> list[tuple[str, str | None]]:
    release = _address(request, "release", release=row.run.candidate["release_id"])
    run = _address(request, "gate-run", run=row.run_id)
    return [(_typed_name(row), release), (f"Gate run {row.run.number}", run), ("Override", None)]


def _address(request: PageRequest, name: str, /, **parts: str) -> str:
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})
