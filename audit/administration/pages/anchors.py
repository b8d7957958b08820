"""Pages: when and by whom the log is anchored, and adding, changing and switching off a sink."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.anchor_forms import FORMS, ScheduleForm, SinkForm, initial_of, settings_from
from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, step_up
from audit.anchor_models import AnchorSink
from audit.anchors.alarms import overdue_of
from audit.anchors.checkpoints import anchor_now
from audit.anchors.schedules import as_json, set_schedule
from audit.anchors.selectors import newest_of_each_sink, schedule_of, sinks_of
from audit.anchors.sinks import add_sink, change_sink
from audit.anchors.wording import KINDS, where
from audit.keys.keyring import signer
from audit.keys.signing import LOG
from audit.log.notes import NOTE, vkey
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import DomainError, FieldError, Invalid, NotFound
from relcontrol.web.pages import PageRequest, page


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def anchors(request: PageRequest) -> HttpResponse:
    """The sinks, and the form of the schedule."""
    here, organization = address(request, "settings-anchors"), request.actor.organization
    if request.method == "POST" and (detour := step_up(request, "change when the log is anchored", here)):
        return detour
    form = form_of(request, ScheduleForm, as_json(schedule_of(organization)))
    if request.method == "POST" and carried_out(form, lambda **said: set_schedule(actor=request.actor, **said)):
        messages.success(request, "Saved. It holds from the next look on, within seconds.")
        return HttpResponseRedirect(here)
    newest = newest_of_each_sink(organization)
    context = {
        "sinks": [
            (sink, KINDS[sink.kind], where(sink.kind, sink.settings), newest.get(sink.pk))
            for sink in sinks_of(organization)
        ],
        "overdue": overdue_of(organization, now()),
        "form": form,
        "kinds": KINDS.items(),
        "log_key": log_key(organization),
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Anchors", None)),
    }
    return render(request, "settings/anchors.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def new_sink(request: PageRequest, kind: str) -> HttpResponse:
    """The form of a new sink of one kind."""
    if kind not in FORMS:
        raise NotFound(f"There is no kind of sink {kind[:40]}. Take one from the page of anchors.")
    here = address(request, "settings-anchor-new", kind=kind)
    if request.method == "POST" and (detour := step_up(request, "add an anchor sink", here)):
        return detour
    form = form_of(request, FORMS[kind])
    if request.method == "POST" and _saved(
        form, kind, lambda name, settings: add_sink(actor=request.actor, name=name, kind=kind, settings=settings)
    ):
        messages.success(request, f"{form.cleaned_data['name']} is added, and is given the head of the log at once.")
        return HttpResponseRedirect(address(request, "settings-anchors"))
    context = _context(request, kind, form, f"A new sink: {_lower(KINDS[kind].title)}")
    return render(request, "settings/anchor_sink.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def sink(request: PageRequest, sink: str) -> HttpResponse:
    """One sink, and the form that changes it."""
    row = found(sinks_of(request.actor.organization), "anchor sink", pk=sink)
    here = address(request, "settings-anchor-sink", sink=row.pk)
    if request.method == "POST" and (detour := step_up(request, f"change the anchor sink {row.name}", here)):
        return detour
    form = form_of(request, FORMS[row.kind], initial_of(row))
    if request.method == "POST" and _saved(
        form, row.kind, lambda name, settings: change_sink(actor=request.actor, sink=row, name=name, settings=settings)
    ):
        messages.success(request, f"{form.cleaned_data['name']} is as you entered it.")
        return HttpResponseRedirect(here)
    context = _context(request, row.kind, form, row.name) | {"sink": row}
    return render(request, "settings/anchor_sink.html", context, status=422 if form.is_bound else 200)


@require_POST
@page(ADMINISTER)
def switch(request: PageRequest, sink: str) -> HttpResponse:
    """Switch a sink off, or on again."""
    row = found(sinks_of(request.actor.organization), "anchor sink", pk=sink)
    back = address(request, "settings-anchor-sink", sink=row.pk)
    turn = request.POST.get("turn", "")
    if turn not in {"on", "off"}:
        raise Invalid("Say on or off.")
    if detour := step_up(request, f"switch {row.name} {turn}", back):
        return detour
    change_sink(actor=request.actor, sink=row, enabled=turn == "on")
    messages.success(request, f"{row.name} is switched {turn}.")
    return HttpResponseRedirect(back)


@require_POST
@page(ADMINISTER)
def now_please(request: PageRequest) -> HttpResponse:
    """Anchor what there is now."""
    back = address(request, "settings-anchors")
    if detour := step_up(request, "anchor the log now", back):
        return detour
    try:
        checkpoint = anchor_now(actor=request.actor)
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(back)
    messages.success(request, f"The log of {checkpoint.size:,} receipts is given to every sink that is switched on.")
    return HttpResponseRedirect(address(request, "anchor-checkpoint", checkpoint=checkpoint.pk))


def log_key(organization: Organization) -> str:
    """The verifier key of the log, which a witness is given once."""
    return vkey(organization.origin, signer(LOG).public, NOTE)


def _saved(form: SinkForm, kind: str, act: Callable[[str, dict[str, Any]], AnchorSink]) -> bool:
    """Carry the form out; what is wrong with a setting stands at its field."""

    def carry_out(**said: Any) -> AnchorSink:
        try:
            return act(said["name"], settings_from(kind, said))
        except Invalid as error:
            errors = [FieldError(item.field.removeprefix("settings."), item.message) for item in error.errors]
            raise Invalid(error.detail, code=error.code, errors=errors) from error

    return carried_out(form, carry_out)


def _context(request: PageRequest, kind: str, form: SinkForm, title: str) -> dict[str, Any]:
    return {
        "title": title,
        "kind": KINDS[kind],
        "is_witness": kind == AnchorSink.Kind.WITNESS,
        "log_key": log_key(request.actor.organization),
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Anchors", address(request, "settings-anchors")), (title, None)),
    }


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]
