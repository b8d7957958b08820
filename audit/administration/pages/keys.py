"""Page: the public keyring. Private halves are in files or variables of the machine, never here."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.administration.pages.acting import crumbs
from audit.models import KeyringEntry
from audit.trust import trust_document
from relcontrol.accounts.permissions import VIEW
from relcontrol.web.pages import PageRequest, page


@require_safe
@page(VIEW)
def keys(request: PageRequest) -> HttpResponse:
    """Every key that ever signed here, with the time in which it may."""
    organization = request.actor.organization
    trust_document(organization)  # asking for it makes sure that the keys exist
    context = {
        "keys": [(row, *_state(row)) for row in KeyringEntry.objects.order_by("purpose", "-valid_from")],
        "origin": organization.origin,
        "command": f"python3 manage.py trust --organization {organization.slug} > trust.json",
        "crumbs": crumbs(request, ("Keys", None)),
    }
    return render(request, "settings/keys.html", context)


def _state(row: KeyringEntry) -> tuple[str, str]:
    if row.revoked_at is not None:
        return "fail", "Revoked"
    return ("skip", "Retired") if row.valid_to is not None else ("pass", "Signs")
