"""Page: what can be set, each with one line about how it stands."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.administration.pages.acting import address, may_not
from audit.administration.pages.health import problems_of
from audit.anchors.selectors import sinks_of
from audit.models import KeyringEntry
from audit.weights.observers import observers_in_use
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW
from relcontrol.accounts.selectors import applications_of, endpoints_of, members_of, routes_of, tokens_of
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page


@dataclass(frozen=True, slots=True)
class Part:
    """A settings page as the index shows it."""

    title: str
    icon: str
    url: str
    says: str


@require_safe
@page(VIEW)
def settings(request: PageRequest) -> HttpResponse:
    """The index."""
    organization = request.actor.organization
    context = {"parts": _parts(request, organization), "organization": organization, "denied": may_not(request)}
    return render(request, "settings/index.html", context)


def _parts(request: PageRequest, organization: Organization) -> list[Part]:
    tokens = tokens_of(organization).filter(revoked_at__isnull=True)
    own = tokens.filter(person=request.actor.person).count()
    problems = problems_of(organization, now())
    rows = (
        ("Applications and routes", "apps", "settings-applications", _applications(organization)),
        ("Endpoints", "server", "settings-endpoints", _count(endpoints_of(organization).count(), "model server")),
        ("People", "users", "settings-people", _count(members_of(organization).count(), "member")),
        (
            "Service tokens",
            "terminal",
            "settings-tokens",
            _count(tokens.filter(person__isnull=True).count(), "token") + " in use",
        ),
        ("Your own tokens", "user-check", "settings-own-tokens", _count(own, "token") + " in use"),
        ("Keys", "key", "settings-keys", _count(KeyringEntry.objects.count(), "public key")),
        ("Weights observers", "shield-check", "settings-weights", _count(observers_in_use(organization), "observer")),
        ("Anchors", "anchor", "settings-anchors", _anchors(organization)),
        ("Health", "heartbeat", "settings-health", problems[0] if problems else "All is well"),
    )
    return [Part(title, icon, address(request, name), says) for title, icon, name, says in rows]


def _anchors(organization: Organization) -> str:
    sinks = sinks_of(organization).filter(enabled=True).count()
    if not sinks:
        return "Nobody outside holds the head"
    return f"{_count(sinks, 'sink')} {'is' if sinks == 1 else 'are'} given the head of the log"


def _applications(organization: Organization) -> str:
    applications, routes = applications_of(organization).count(), routes_of(organization).count()
    return f"{_count(applications, 'application')}, {_count(routes, 'route')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
