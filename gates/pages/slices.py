"""Pages: slices and thresholds as a tree, and one slice with its revisions (ui.md screens 6 and 7, to read)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from gates.slices import definition_of, revisions_of, slice_named, slice_tree
from relcontrol.accounts.permissions import VIEW
from relcontrol.web.pages import PageRequest, page

EM_SPACE = "\N{EM SPACE}"
FIRST_SLICE = (
    'curl -X POST {base}v1/slices -H "Authorization: Bearer $TOKEN" -d \''
    '{{"slug": "ip-licensing", "name": "IP licensing", "threshold": 0.65, "n_min": 20, '
    '"judge": "external:legal-judge@9", "match": {{"metadata": {{"topic": "ip"}}}}}}\''
)


@require_safe
@page(VIEW)
def slices(request: PageRequest) -> HttpResponse:
    """The tree."""
    tree = [(row, _branch(depth)) for row, depth in slice_tree(request.actor.organization)]
    command = FIRST_SLICE.format(base=request.build_absolute_uri("/"))
    return render(request, "gates/slices.html", {"tree": tree, "first_command": command})


@require_safe
@page(VIEW)
def one_slice(request: PageRequest, slug: str) -> HttpResponse:
    """What a slice says, and what it said before."""
    row = slice_named(request.actor.organization, slug)
    slug_of_organization = request.actor.organization.slug
    crumbs = [
        ("Slices and thresholds", reverse("slices", kwargs={"organization": slug_of_organization})),
        (row.name, None),
    ]
    context = {"slice": row, "sha256": definition_of(row).sha256(), "revisions": revisions_of(row), "crumbs": crumbs}
    return render(request, "gates/slice.html", context)


def _branch(depth: int) -> str:
    """The line that leads to a child, as far in as it is deep."""
    return f"{EM_SPACE * (depth - 1)}└ " if depth else ""
