"""Page: roll a release out. It shows every reason why not in place of the button; no form goes round the gate.

Before it starts, gateways are told to have the release ready and are waited for within bounds. So they are before a dry
run, which would find none ready otherwise; it asks the same questions and changes nothing.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Denied
from relcontrol.errors import Conflict, Invalid
from relcontrol.web.forms import add_domain_errors
from relcontrol.web.pages import PageRequest, page
from releases.models import Release
from releases.pages.paths import address, release_of
from releases.pages.roll_form import RollForm
from releases.rolling.preparing import prepare
from releases.rolling.starting import DryStart, dry_start, notes_on, start_rollout
from releases.selectors import state_of

DRY_RUN = "dry-run"


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def roll(request: PageRequest, release: str) -> HttpResponse:
    """What a rollout needs and whether it is there; sent, it asks the same service as the API."""
    row = release_of(request.actor.organization, release, request.GET.get("application", ""))
    if request.method != "POST":
        return _shown(request, row, RollForm(), 200)
    request.actor.require(WRITE_ROLLOUTS)
    form = RollForm(request.POST)
    if not form.is_valid():
        return _shown(request, row, form, 422)
    try:
        return _asked(request, row, form)
    except Invalid as error:
        add_domain_errors(form, error)
        return _shown(request, row, form, error.status)
    except Conflict as error:
        return _shown(request, row, form, error.status, refusal=error.detail)


def _asked(request: PageRequest, row: Release, form: RollForm) -> HttpResponse:
    order = form.order()
    prepare(actor=request.actor, release=row)
    if request.POST.get("act") == DRY_RUN:
        return _shown(request, row, form, 200, tried=dry_start(actor=request.actor, release=row, order=order))
    started = start_rollout(actor=request.actor, release=row, order=order)
    messages.success(request, f"The rollout of {row.name} has begun. You can leave this page: it goes on by itself.")
    for note in notes_on(row, order):
        messages.warning(request, note)
    return HttpResponseRedirect(address(request, "rollout", rollout=started.pk))


def _shown(
    request: PageRequest, row: Release, form: RollForm, status: int, *, refusal: str = "", tried: DryStart | None = None
) -> HttpResponse:
    state = state_of(row)
    answer = request.actor.may(WRITE_ROLLOUTS)
    name = f"{row.application.slug} {row.name}"
    context: dict[str, Any] = {
        "release": row,
        "name": name,
        "state": state,
        "title": f"{name} may roll out" if state.deployable else f"{name} may not roll out",
        "refusal": refusal,
        "tried": tried,
        "form": form,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "overridable": state.standing in ("hold", "fail") and row.delivery == Release.Delivery.REGISTERED,
        "crumbs": [
            ("Releases", address(request, "releases")),
            (name, address(request, "release", release=row.pk)),
            ("Roll out", None),
        ],
    }
    return render(request, "releases/roll.html", context, status=status)
