"""Pages: gate policies of the organization and its applications; everybody reads, administrators set them."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.administration.pages.acting import address, carried_out, crumbs, may_not, step_up
from audit.models import Receipt
from gates.policies.forms import PolicyForm, initial_of, words_of
from gates.policies.selectors import Pinned, effective_policies, policy_for
from gates.policies.services import KIND, OF_ORGANIZATION, remove_policy, set_policy
from relcontrol.accounts.models import Application
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import application_named, applications_of
from relcontrol.errors import DomainError
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import returned_form

SOURCES = {"application": "its own", "organization": "the organization's", "product": "relcontrol's defaults"}


@require_safe
@page(VIEW)
def gate_policies(request: PageRequest) -> HttpResponse:
    """The policy that holds for each application."""
    organization = request.actor.organization
    held = effective_policies(organization, applications_of(organization))
    rows = [(_title(request, of), _url(request, of), pinned, SOURCES[pinned.source]) for of, pinned in held]
    context = {"policies": rows, "denied": may_not(request), "crumbs": crumbs(request, ("Gate policies", None))}
    return render(request, "gates/policies/policies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def of_organization(request: PageRequest) -> HttpResponse:
    """The policy of every application without its own."""
    return _one(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def of_application(request: PageRequest, application: str) -> HttpResponse:
    """The policy of one application."""
    return _one(request, application_named(request.actor.organization, application))


@require_POST
@page(ADMINISTER)
def remove_of_organization(request: PageRequest) -> HttpResponse:
    """Back to the product's defaults."""
    return _removed(request, None)


@require_POST
@page(ADMINISTER)
def remove_of_application(request: PageRequest, application: str) -> HttpResponse:
    """Back to the organization's policy."""
    return _removed(request, application_named(request.actor.organization, application))


def _one(request: PageRequest, application: Application | None) -> HttpResponse:
    here, name = _url(request, application), _title(request, application)
    if request.method == "POST" and (detour := step_up(request, f"change the gate policy of {name}", here)):
        return detour
    pinned = policy_for(request.actor.organization, application)
    own = _own(pinned, application)
    form = _form(request, pinned, own)
    if request.method == "POST" and carried_out(form, _setting(request, application)):
        messages.success(request, f"The gate policy of {name} is as you entered it. It holds for runs from now on.")
        return HttpResponseRedirect(here)
    context = {
        "name": name,
        "application": application,
        "pinned": pinned,
        "own": own,
        "source": SOURCES[pinned.source],
        "words": words_of(pinned.definition),
        "form": form,
        "seen": pinned.revision if own else 0,
        "receipt": _receipt(request, pinned),
        "remove_url": _remove_url(request, application),
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Gate policies", address(request, "gate-policies")), (name, None)),
    }
    return render(request, "gates/policies/policy.html", context, status=422 if form.is_bound else 200)


def _setting(request: PageRequest, application: Application | None) -> Callable[..., object]:
    seen = request.POST.get("seen", "")
    revision = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else None

    def act(**fields: Any) -> Pinned:
        return set_policy(actor=request.actor, application=application, expected_revision=revision, **fields)

    return act


def _form(request: PageRequest, pinned: Pinned, own: bool) -> PolicyForm:
    """As it was sent; as it comes back from the step-up; else as the policy is."""
    if request.method == "POST":
        return PolicyForm(request.POST)
    back = returned_form(request)
    return PolicyForm(initial=back or initial_of(pinned.definition))


def _removed(request: PageRequest, application: Application | None) -> HttpResponse:
    here, name = _url(request, application), _title(request, application)
    if detour := step_up(request, f"remove the gate policy of {name}", here):
        return detour
    try:
        holds = remove_policy(actor=request.actor, application=application)
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"It is removed. From now on {SOURCES[holds.source]} hold for {name}.")
    return HttpResponseRedirect(here)


def _own(pinned: Pinned, application: Application | None) -> bool:
    return pinned.source == ("application" if application else "organization")


def _receipt(request: PageRequest, pinned: Pinned) -> Receipt | None:
    """The receipt of the policy's last change; None for the product's defaults."""
    if pinned.row is None:
        return None
    of = pinned.row.application.slug if pinned.row.application else OF_ORGANIZATION
    rows = Receipt.objects.filter(organization=request.actor.organization, subject=f"{KIND}:{of}")
    return rows.order_by("-seq").first()


def _title(request: PageRequest, application: Application | None) -> str:
    return application.name if application else request.actor.organization.name


def _url(request: PageRequest, application: Application | None) -> str:
    if application is None:
        return address(request, "gate-policy")
    return address(request, "gate-policy-application", application=application.slug)


def _remove_url(request: PageRequest, application: Application | None) -> str:
    if application is None:
        return address(request, "gate-policy-remove")
    return address(request, "gate-policy-application-remove", application=application.slug)
