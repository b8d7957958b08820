"""Pages: an export checked in this page, and the same verifier as one file to take away."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.api import verifier_page_response
from audit.pages.lists import address
from audit.verifier_page import verifier_script, verifier_style
from relcontrol.accounts.permissions import READ_AUDIT
from relcontrol.web.pages import PageRequest, page


@require_safe
@page(READ_AUDIT)
def check(request: PageRequest) -> HttpResponse:
    """Files are dropped here and verified by the browser; none is sent."""
    crumbs = [("Audit", address(request, "audit")), ("Verify an export", None)]
    return render(request, "audit/check.html", {"crumbs": crumbs})


@require_safe
@page(READ_AUDIT)
def script(_request: PageRequest) -> HttpResponse:
    """The verifier's script, for the page above and for the worker that it starts."""
    return HttpResponse(verifier_script(), content_type="text/javascript; charset=utf-8")


@require_safe
@page(READ_AUDIT)
def style(_request: PageRequest) -> HttpResponse:
    """The verifier's style without that of a page around it."""
    return HttpResponse(verifier_style(), content_type="text/css; charset=utf-8")


@require_safe
@page(READ_AUDIT)
def file(_request: PageRequest) -> HttpResponse:
    """`verify.html`."""
    return verifier_page_response()
