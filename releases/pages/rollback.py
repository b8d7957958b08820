"""Page: roll a route back, or rehearse it: where to, why, and the route's name typed (domain.md "Rollback")."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import VIEW, WRITE_ROLLOUTS, Denied
from relcontrol.errors import Conflict, Invalid
from relcontrol.web.forms import Form, TypedNameForm, add_domain_errors
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up, returned_form
from releases.models import Release
from releases.pages.paths import address
from releases.pages.routes import crumbs, route_of
from releases.rolling.rolling_back import default_target, roll_back, rollback_targets
from releases.rolling.selectors import rollouts_of
from releases.rollout_models import OVER, Rollback
from releases.selectors import serving

REHEARSE: Final = "rehearse"
NOTHING: Final = "nothing"
MAX_REASON: Final = 2_000
TARGETS_OFFERED: Final = 20
UNREADABLE: Final = 422


class RollbackForm(TypedNameForm):
    """Where to and why. The typed name is asked for only where something is changed."""

    to = forms.ChoiceField(label="Back to which release?")
    reason = forms.CharField(
        label="Why?",
        help_text="The receipt keeps it beside your name.",
        min_length=5,
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ("to", "reason", "typed")

    def __init__(self, *args: Any, targets: list[Release], rehearse: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rehearse = rehearse
        choices = [(row.pk, f"{row.name}, {row.manifest_sha256[:12]}") for row in targets]
        self.fields["to"].choices = choices or [(NOTHING, "nothing: the route stops serving")]  # type: ignore[attr-defined]  # a choice

    def clean_typed(self) -> str:
        """Nothing needs to be typed for a rehearsal."""
        return "" if self.rehearse else super().clean_typed()


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def rollback(request: PageRequest, route: str) -> HttpResponse:
    """The form; sent, it rolls back or rehearses and leads to the route."""
    row = route_of(request.actor.organization, route)
    targets = list(rollback_targets(row)[:TARGETS_OFFERED])
    if request.method != "POST":
        return _shown(request, row, _form(row, targets, initial=returned_form(request)), targets, 200)
    request.actor.require(WRITE_ROLLOUTS)
    here = address(request, "route-rollback", route=row.pk)
    if detour := require_step_up(request, f"roll {row.name} back", form_url=here):
        return detour
    rehearse = request.POST.get("act") == REHEARSE
    form = _form(row, targets, request.POST, rehearse=rehearse)
    made, status = _done(request, row, form, targets)
    if made is None:
        return _shown(request, row, form, targets, status)
    messages.success(request, _said(made))
    return HttpResponseRedirect(address(request, "route", route=row.pk))


def _form(row: Route, targets: list[Release], *given: Any, rehearse: bool = False, **options: Any) -> RollbackForm:
    return RollbackForm(*given, expected=row.name, targets=targets, rehearse=rehearse, **options)


def _done(request: PageRequest, row: Route, form: RollbackForm, targets: list[Release]) -> tuple[Rollback | None, int]:
    """The rollback; or none, with the status of the refusal that stands in the form."""
    if not form.is_valid():
        return None, UNREADABLE
    chosen = next((each for each in targets if each.pk == form.cleaned_data["to"]), None)
    reason = form.cleaned_data["reason"]
    try:
        return roll_back(actor=request.actor, route=row, to=chosen, reason=reason, rehearse=form.rehearse), 200
    except (Conflict, Invalid) as error:
        add_domain_errors(form, error)
        return None, error.status


def _said(made: Rollback) -> str:
    target = made.target.name if made.target else "nothing"
    if made.rehearsed:
        return f"Rehearsed: {made.left.name} to {target}. Nothing was changed; the receipt says what was found."
    return f"Rolled back from {made.left.name} to {target}. Gateways have it within a second."


def _shown(request: PageRequest, row: Route, form: Form, targets: list[Release], status: int) -> HttpResponse:
    stable = serving(row)
    answer = request.actor.may(WRITE_ROLLOUTS)
    context = {
        "route": row,
        "stable": stable,
        "form": form,
        "targets": targets,
        "default": default_target(row),
        "running": rollouts_of(row.organization).filter(route=row).exclude(state__in=OVER).first(),
        "title": f"Roll {row.name} back" if stable else f"{row.name} serves nothing",
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs(request, row, ("Roll back", None)),
    }
    return render(request, "releases/routes/rollback.html", context, status=status)
