"""Pages: what is redacted before it is stored, how long it is kept, what was erased; and erasing somebody.

What names a subject or quotes one is in fields whose names begin with `private_`: those never wait in a session while
a person proves who she is (relcontrol.web.signin). It never stands in an address either.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.pages.acting import address, crumbs, form_of, may_not, one_page, step_up
from audit.administration.redactions import checked_redactions, set_redactions
from audit.events import Event
from audit.selectors import Filter, receipts_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER, READ_AUDIT, VIEW, Allowed
from relcontrol.clock import now
from relcontrol.errors import DomainError, Invalid
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import returned_form
from releases.pages.privacy_forms import EraseForm, Line, SureForm, Tried, lines_of, marked, tried
from releases.pages.privacy_wording import counted
from releases.privacy.copies import WORDS
from releases.privacy.erasing import digest_of_request, erase, erasures_of, found_of, is_known, named_digest
from releases.traces.partitions import kept_since

UNKNOWN = "No request of this subject is known here (any more). Write it as the requests do, upper and lower case too."


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def privacy(request: PageRequest) -> HttpResponse:
    """Redactions in a form, retention, erasures."""
    here = address(request, "settings-privacy")
    if request.method != "POST":
        waiting = returned_form(request)
        known = Organization.objects.get(pk=request.actor.organization.pk).redactions
        return _shown(request, lines_of(waiting) if waiting else [Line(one["pattern"], one["with"]) for one in known])
    if detour := step_up(request, "change what is redacted", here):
        return detour
    lines = lines_of(request.POST)
    try:
        set_redactions(actor=request.actor, redactions=[line.redaction for line in lines])
    except Invalid as error:
        return _shown(request, marked(lines, error), status=422)
    messages.success(request, "Saved. It holds within seconds; what is stored already stays as it is.")
    return HttpResponseRedirect(here)


@require_POST
@page(ADMINISTER)
def try_redactions(request: PageRequest) -> HttpResponse:
    """What the form's redactions make of a text. Stores nothing."""
    lines, sample = lines_of(request.POST), request.POST.get("private_sample", "")
    try:
        result = tried(checked_redactions([line.redaction for line in lines]), sample)
    except Invalid as error:
        result, lines = Tried(problem=error.detail), marked(lines, error)
    if getattr(request, "htmx", False):
        return render(request, "releases/privacy/tried.html", {"tried": result})
    return _shown(request, lines, tried=result, sample=sample)


@require_http_methods(["GET", "HEAD", "POST"])
@page(ADMINISTER)
def erase_subject(request: PageRequest) -> HttpResponse:
    """Say whom; see what would go; type it again, and it goes."""
    here = address(request, "settings-privacy-erase")
    if request.method == "POST" and (detour := step_up(request, "erase somebody", here)):
        return detour
    form = form_of(request, EraseForm)
    digest = _digest(request, form) if request.method == "POST" else None
    if digest is None:
        return _form_shown(request, form, status=422 if form.is_bound else 200)
    sure = SureForm(request.POST if "sure" in request.POST else None, expected=form.cleaned_data["private_subject"])
    if sure.is_bound and sure.is_valid():
        erasure = erase(actor=request.actor, digest=digest, reason=form.cleaned_data["reason"])
        messages.success(request, f"Erased: {counted(erasure)}. A receipt records it.")
        return HttpResponseRedirect(address(request, "settings-privacy"))
    found = found_of(request.actor.organization, digest)
    rows = [(words, found[name]) for name, words in WORDS.items() if name in found]
    context = {"found": rows, "has_key": found["keys"], "digest": digest.hex(), "sure": sure}
    return _form_shown(request, form, context, status=422 if sure.is_bound else 200)


def _digest(request: PageRequest, form: EraseForm) -> bytes | None:
    """Whom the form means; None where it cannot be said, which stands in the form."""
    if not form.is_valid():
        return None
    whom, organization = form.cleaned_data["private_subject"], request.actor.organization
    try:
        by_request = form.cleaned_data["by"] == "request"
        digest = digest_of_request(organization, whom) if by_request else named_digest(organization, whom)
    except DomainError as error:
        form.add_error("private_subject", error.detail)
        return None
    if not is_known(organization, digest):
        form.add_error("private_subject", UNKNOWN)
        return None
    return digest


def _form_shown(
    request: PageRequest, form: EraseForm, found: dict[str, Any] | None = None, *, status: int
) -> HttpResponse:
    trail = crumbs(request, ("Privacy", address(request, "settings-privacy")), ("Erase somebody", None))
    context = {"form": form, "crumbs": trail, "days": settings.TRACE_RETENTION_DAYS, **(found or {})}
    return render(request, "releases/privacy/erase.html", context, status=status)


def _shown(request: PageRequest, lines: list[Line], *, status: int = 200, **more: object) -> HttpResponse:
    organization = request.actor.organization
    listed = one_page(request, erasures_of(organization))
    last = receipts_of(organization, Filter(event=Event.RETENTION_EXPIRED)).first()
    context = {
        "lines": [*lines, *(Line() for _ in range(2))],
        "wrong": status == 422,
        "listed": listed,
        "erasures": [(row, counted(row)) for row in listed.rows],
        "may_audit": isinstance(request.actor.may(READ_AUDIT), Allowed),
        "kinds": list(WORDS.values()),
        "days": settings.TRACE_RETENTION_DAYS,
        "kept_since": kept_since(now()),
        "last": last,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Privacy", None)),
        **more,
    }
    return render(request, "releases/privacy/privacy.html", context, status=status)
