"""The start: straight to the organization where there is one, else the choice."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from relcontrol.accounts.selectors import memberships_of
from relcontrol.web.context import OVERVIEW
from relcontrol.web.requests import PersonRequest


@login_required
def home(request: PersonRequest) -> HttpResponse:
    """Go to the person's organization, or let her choose."""
    organizations = [row.organization for row in memberships_of(request.user)]
    rows = [(row, reverse(OVERVIEW, kwargs={"organization": row.slug})) for row in organizations]
    if len(rows) == 1:
        return HttpResponseRedirect(rows[0][1])
    return render(request, "home.html", {"rows": rows})
