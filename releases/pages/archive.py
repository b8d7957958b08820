"""Part of the release's page: the form with which a person archives a release that was halted or rolled back."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from relcontrol.accounts.permissions import WRITE_ROLLOUTS, Denied
from relcontrol.errors import Conflict, Invalid
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up, returned_form
from releases.archiving import ARCHIVABLE, archive
from releases.models import Release
from releases.pages.paths import address, release_of


def archive_form(request: PageRequest, row: Release) -> dict[str, Any]:
    """Where the form is sent to, with the reason that came back from the step-up; empty where there is none."""
    if row.delivery not in ARCHIVABLE or isinstance(request.actor.may(WRITE_ROLLOUTS), Denied):
        return {}
    url = address(request, "release-archive", release=row.pk)
    return {"archive_url": url, "archive_reason": returned_form(request).get("reason", "")}


@require_POST
@page(WRITE_ROLLOUTS)
def archive_release(request: PageRequest, release: str) -> HttpResponse:
    """Archive it, and back to its page."""
    row = release_of(request.actor.organization, release)
    here = address(request, "release", release=row.pk)
    if detour := require_step_up(request, f"archive {row.name}", form_url=here):
        return detour
    try:
        archive(actor=request.actor, release=row, reason=request.POST.get("reason", ""))
    except (Conflict, Invalid) as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, f"{row.name} is archived. It never rolls again.")
    return HttpResponseRedirect(here)
