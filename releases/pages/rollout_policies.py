"""Pages: the further policies of rollouts; everybody reads, administrators make, change and remove them.

A rollout pins the policies of its route at its start, so nothing that is done here moves one that runs.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.pages.acting import address, carried_out, crumbs, form_of, may_not, one_page, step_up
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import applications_of, found, routes_of
from relcontrol.errors import DomainError
from relcontrol.web.pages import PageRequest, page
from releases.measuring.policy_definition import Definition
from releases.measuring.policy_presets import PRESETS
from releases.measuring.policy_services import (
    change_policy,
    create_policy,
    policies_of,
    policy_named,
    remove_policy,
)
from releases.pages.rollout_policy_form import (
    RolloutPolicyChangeForm,
    RolloutPolicyForm,
    initial_of,
    initial_of_preset,
    words_of,
)
from releases.rollout_models import RoutePolicy


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def rollout_policies(request: PageRequest) -> HttpResponse:
    """The list, and the form for a new one, empty or filled in by a preset (`?preset=`)."""
    here = address(request, "rollout-policies")
    if request.method == "POST" and (detour := step_up(request, "make a rollout policy", here)):
        return detour
    preset = PRESETS.get(request.GET.get("preset", ""))
    form = form_of(request, RolloutPolicyForm, initial_of_preset(preset) if preset else None)
    applications, routes = (
        list(applications_of(request.actor.organization)),
        list(routes_of(request.actor.organization)),
    )
    form.offer(applications, routes)
    if request.method == "POST" and carried_out(form, _making(request)):
        messages.success(request, f"{form.cleaned_data['name']} is made. It watches rollouts that start from now on.")
        return HttpResponseRedirect(here)
    listed = one_page(request, policies_of(request.actor.organization))
    context = {
        "listed": listed,
        "policies": [(row, words_of(row)) for row in listed.rows],
        "presets": [(key, each) for key, each in PRESETS.items()],
        "chosen": preset,
        "applications": applications,
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Rollout policies", None)),
    }
    return render(request, "releases/rollout_policies/policies.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def rollout_policy(request: PageRequest, policy: str) -> HttpResponse:
    """One policy, with what may change of it."""
    row = policy_named(request.actor.organization, policy)
    here = address(request, "rollout-policy", policy=row.pk)
    if request.method == "POST" and (detour := step_up(request, f"change the rollout policy {row.name}", here)):
        return detour
    form = form_of(request, RolloutPolicyChangeForm, initial_of(row))
    if request.method == "POST" and carried_out(form, _changing(request, row)):
        messages.success(request, "It is saved. Rollouts that run keep the policy that they began with.")
        return HttpResponseRedirect(here)
    context = {
        "policy": row,
        "words": words_of(row).facts,
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Rollout policies", address(request, "rollout-policies")), (row.name, None)),
    }
    return render(request, "releases/rollout_policies/policy.html", context, status=422 if form.is_bound else 200)


@require_POST
@page(ADMINISTER)
def remove(request: PageRequest, policy: str) -> HttpResponse:
    """Remove a policy; rollouts that pinned it keep it."""
    row = policy_named(request.actor.organization, policy)
    here = address(request, "rollout-policy", policy=row.pk)
    if detour := step_up(request, f"remove the rollout policy {row.name}", here):
        return detour
    try:
        remove_policy(actor=request.actor, target=row, expected_revision=_seen(request))
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(here)
    messages.success(request, f"{row.name} is removed. Rollouts that run keep it.")
    return HttpResponseRedirect(address(request, "rollout-policies"))


def _making(request: PageRequest) -> Callable[..., object]:
    def act(*, where: str, **fields: Any) -> RoutePolicy:
        route = routes_of(request.actor.organization).filter(pk=where).first()
        every = applications_of(request.actor.organization)
        application = route.application if route else found(every, "application", pk=where)
        return create_policy(actor=request.actor, application=application, route=route, definition=Definition(**fields))

    return act


def _changing(request: PageRequest, row: RoutePolicy) -> Callable[..., object]:
    def act(**fields: Any) -> RoutePolicy:
        return change_policy(actor=request.actor, target=row, expected_revision=_seen(request), **fields)

    return act


def _seen(request: PageRequest) -> int | None:
    """The revision that the page showed when it was sent."""
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None
