"""Page: roll a release out. It shows every reason why not in place of the button; no form goes round the gate."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Denied
from relcontrol.errors import Conflict
from relcontrol.web.pages import PageRequest, page
from releases.checkpoints import DEFAULT_PLAN
from releases.models import Release
from releases.pages.paths import address, release_of
from releases.rolling import start_rollout
from releases.selectors import state_of


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def roll(request: PageRequest, release: str) -> HttpResponse:
    """What a rollout needs and whether it is there; sent, it asks the same service as the API."""
    row = release_of(request.actor.organization, release, request.GET.get("application", ""))
    if request.method != "POST":
        return _shown(request, row, "", 200)
    try:
        start_rollout(actor=request.actor, release=row, plan=DEFAULT_PLAN)
    except Conflict as error:
        return _shown(request, row, error.detail, error.status)


def _shown(request: PageRequest, row: Release, refusal: str, status: int) -> HttpResponse:
    state = state_of(row)
    answer = request.actor.may(WRITE_ROLLOUTS)
    name = f"{row.application.slug} {row.name}"
    context = {
        "release": row,
        "name": name,
        "state": state,
        "title": f"{name} may roll out" if state.deployable else f"{name} may not roll out",
        "refusal": refusal,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "plan": DEFAULT_PLAN,
        "overridable": state.standing in ("hold", "fail") and row.delivery == Release.Delivery.REGISTERED,
        "crumbs": [
            ("Releases", address(request, "releases")),
            (name, address(request, "release", release=row.pk)),
            ("Roll out", None),
        ],
    }
    return render(request, "releases/roll.html", context, status=status)
