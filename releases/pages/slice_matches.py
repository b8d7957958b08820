"""Parts of the pages of slices that look at live requests: what a rule takes, and what belongs nowhere (screen 8).

Each is a part of a page of the gate, which htmx asks for, and a page of its own for browsers without scripts. Counts
are for everybody whom the page is for; what was asked is for those who may read it, and others are told why not.
"""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from gates.slices.forms import SliceForm, slug_of, suggested, text_of
from gates.slices.services import slice_named
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, WRITE_GATES, Allowed, Denied
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.web.pages import PageRequest, page
from releases.pages.paths import address
from releases.pages.traces import share_line
from releases.suggestions.grouping import Group, Trait, suggest
from releases.suggestions.looking import Look
from releases.suggestions.matching import Draft, Matches, find_matches
from releases.suggestions.wording import belongs_nowhere, group_words, name_of, sentences, trait_words
from releases.traces.unassigned import shares_of_unassigned

RULE_FIELDS: Final = ("match_kind", "match_metadata", "match_locale", "match_pattern", "match_judge")


@require_POST
@page(WRITE_GATES)
def draft_matches(request: PageRequest) -> HttpResponse:
    """Which of the newest requests the rule takes as it stands in the form. Stores nothing."""
    slug = request.GET.get("slice", "")
    changes = slice_named(request.actor.organization, slug) if slug else None
    begun = {} if changes else suggested(request.GET)
    form = SliceForm(request.POST, target=changes, choices={}, initial=begun)
    form.is_valid()
    wrong = " ".join(str(message) for name in RULE_FIELDS for message in form.errors.get(name, ()))
    given = form.cleaned_data
    draft = Draft(
        match=given.get("match"),
        slug=slug_of(given.get("slug", "")),
        parent=request.POST.get("parent") or None,
        application=request.POST.get("application") or None,
        changes=changes,
    )
    return render(request, "releases/slice_matches.html", _tried(request, draft, wrong))


@require_safe
@page(VIEW)
def slice_matches(request: PageRequest, slug: str) -> HttpResponse:
    """Which of the newest requests a slice takes."""
    row = slice_named(request.actor.organization, slug)
    draft = Draft(
        match=row.match,
        parent=row.parent.slug if row.parent else None,
        application=row.application.slug if row.application else None,
        changes=row,
    )
    crumbs = [
        ("Slices and thresholds", address(request, "slices")),
        (row.name, address(request, "slice", slug=row.slug)),
        ("Live requests", None),
    ]
    context = {"slice": row, "crumbs": crumbs, **_tried(request, draft)}
    return render(request, _template(request, "releases/slice_matches"), context)


@require_safe
@page(VIEW)
def belonging_nowhere(request: PageRequest) -> HttpResponse:
    """The share of each route that no slice takes, and groups of those requests that a slice could take."""
    organization, context = request.actor.organization, _texts(request)
    context["shares"] = [share_line(request, share) for share in shares_of_unassigned(organization, now())]
    context["crumbs"] = [("Slices and thresholds", address(request, "slices")), ("What belongs nowhere", None)]
    if isinstance(request.actor.may(WRITE_GATES), Allowed):
        found = suggest(organization, now())
        context |= {
            "sentence": belongs_nowhere(found),
            "groups": [_group_line(request, group, found.look) for group in found.groups],
        }
    return render(request, _template(request, "releases/slice_matches_nowhere"), context)


def _tried(request: PageRequest, draft: Draft, wrong: str = "") -> dict[str, Any]:
    context = _texts(request)
    if wrong:
        return context | {"wrong": wrong}
    try:
        found = find_matches(request.actor.organization, draft, now())
    except DomainError as error:
        return context | {"wrong": error.detail}
    return context | {"found": found, "sentences": sentences(found, draft.match), "examples": _examples(found)}


def _examples(found: Matches) -> list[dict[str, Any]]:
    """Each example with the slice that gets it, where that is another."""
    goes = {slug: name for slug, name in found.names.items() if slug != found.draft}
    return [{"example": example, "goes_to": goes.get(example.slice, "")} for example in found.examples]


def _group_line(request: PageRequest, group: Group, look: Look) -> dict[str, Any]:
    return {
        "title": trait_words(group.trait),
        "words": group_words(group, look),
        "examples": [{"example": example, "goes_to": ""} for example in group.examples],
        "url": f"{address(request, 'slice-new')}?{urlencode(_prefilled(group.trait))}",
    }


def _prefilled(trait: Trait) -> dict[str, str]:
    """What the form of a new slice begins with."""
    name = name_of(trait)
    rule = (
        {"match_locale": str(trait.value)}
        if trait.kind == "locale"
        else {"match_metadata_key": trait.key, "match_metadata_value": text_of(trait.value)}
    )
    return {"name": name, "slug": slug_of(name), "match_kind": trait.kind, **rule}


def _texts(request: PageRequest) -> dict[str, Any]:
    may = request.actor.may(READ_AUDIT)
    return {"unread": f"What was asked is not shown to you. {may.reason}" if isinstance(may, Denied) else ""}


def _template(request: PageRequest, name: str) -> str:
    """A part for htmx, else the page around it."""
    return f"{name}.html" if request.htmx else f"{name}_page.html"  # type: ignore[attr-defined]  # set by django-htmx
