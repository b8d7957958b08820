"""Page: which receipts, fields and pages are evidence for which requirement, and what they do not show."""

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from audit.events import Event
from audit.pages.lists import address
from audit.requirements import NOTE, Requirement, requirements
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.web.pages import PageRequest, page

PRESENT = """
SELECT event FROM unnest(%s::varchar[]) AS event
WHERE EXISTS (SELECT 1 FROM audit_receipt WHERE organization_id = %s AND audit_receipt.event = event.event)
"""


@require_safe
@page(READ_AUDIT)
def requirement_map(request: PageRequest) -> HttpResponse:
    """The map, each event a link to its receipts where there are some."""
    organization = request.actor.organization
    there = present(organization)
    frames: dict[str, list[object]] = {}
    for one in requirements():
        frames.setdefault(one.frame, []).append((one, *_events(one, there), _pages(one, organization)))
    context = {
        "note": NOTE,
        "frames": list(frames.items()),
        "crumbs": [("Audit", address(request, "audit")), ("Requirements", None)],
    }
    return render(request, "audit/requirements.html", context)


def present(organization: Organization) -> set[str]:
    """Events of which the organization has a receipt, one look into the index for each."""
    named = sorted({event.value for one in requirements() for event in one.events})
    with connection.cursor() as cursor:
        cursor.execute(PRESENT, [named, organization.pk])
        return {str(event) for (event,) in cursor.fetchall()}


def _events(one: Requirement, there: set[str]) -> tuple[list[Event], list[Event]]:
    """Those of which there is a receipt, and those of which there is none yet."""
    return [event for event in one.events if event in there], [event for event in one.events if event not in there]


def _pages(one: Requirement, organization: Organization) -> list[tuple[str, str]]:
    return [(label, reverse(name, kwargs={"organization": organization.slug})) for label, name in one.pages]
