"""Pages: whose observations of model weights are believed."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, one_page, step_up
from audit.evidence_models import WeightsObserver
from audit.weights.observers import last_heard, observers_of, register_observer, revoke_observer
from audit.weights.standing import MAX_AGE
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.web.forms import Form
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up


class ObserverForm(Form):
    """A new observer."""

    name = forms.CharField(
        label="What is it called?", help_text="Such as gpu-1, the machine it runs on.", max_length=100
    )
    public_key = forms.CharField(
        label="Which key does it sign with?",
        help_text="The text that attest-weights --print-key prints on that machine. The private half stays there.",
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "false"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def observers(request: PageRequest) -> HttpResponse:
    """The observers, and the form for another one."""
    here = address(request, "settings-weights")
    if request.method == "POST" and (detour := step_up(request, "believe an observer of weights", here)):
        return detour
    form = form_of(request, ObserverForm)
    if request.method == "POST" and carried_out(form, lambda **said: register_observer(actor=request.actor, **said)):
        messages.success(request, f"{form.cleaned_data['name']} is believed from now on.")
        return HttpResponseRedirect(here)
    return _list(request, form)


@require_POST
@page(ADMINISTER)
def revoke(request: PageRequest, observer: str) -> HttpResponse:
    """Believe an observer no longer."""
    row, back = (
        found(observers_of(request.actor.organization), "observer", pk=observer),
        address(request, "settings-weights"),
    )
    if detour := require_step_up(request, f"revoke the observer {row.name}", form_url=back):
        return detour
    revoke_observer(actor=request.actor, observer=row)
    messages.success(request, f"{row.name} is revoked: claims that rested on it fall back to declared.")
    return HttpResponseRedirect(back)


def state_of(row: WeightsObserver, last: datetime | None, at: datetime) -> tuple[str, str]:
    """How an observer stands, as a status and its word."""
    if row.revoked_at is not None:
        return "skip", "Revoked"
    if last is None:
        return "hold", "Not heard yet"
    return ("pass", "Reporting") if at - last < MAX_AGE else ("hold", "Silent")


def _list(request: PageRequest, form: Form) -> HttpResponse:
    listed, at = one_page(request, observers_of(request.actor.organization)), now()
    heard = last_heard(listed.rows)
    context = {
        "listed": listed,
        "observers": [(row, heard.get(row.pk), *state_of(row, heard.get(row.pk), at)) for row in listed.rows],
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Weights observers", None)),
    }
    return render(request, "settings/weights.html", context, status=422 if form.is_bound else 200)
