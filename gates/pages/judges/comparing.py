"""Page: every judge that was measured on one slice, side by side, the best one first."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.calibrations.selectors import Compared, compared
from gates.models import Slice
from gates.pages.judges.addresses import crumbs_of
from gates.scorecards.words import beside, interval
from gates.slices.services import slice_in, slice_tree
from relcontrol.accounts.permissions import VIEW
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.words import percent

EM_SPACE = "\N{EM SPACE}"
Line = tuple[Compared, dict[str, str], list[str]]


@require_safe
@page(VIEW)
def compare(request: PageRequest) -> HttpResponse:
    """The judges of the slice that `?slice=` names, else of the first one."""
    tree = slice_tree(request.actor.organization)
    slug = request.GET.get("slice", "")
    chosen = slice_in(tree, slug) if slug else next((row for row, _ in tree), None)
    context = {
        "slice": chosen,
        "slices": [(row.slug, f"{EM_SPACE * depth}{row.name}") for row, depth in tree],
        "lines": _lines(chosen) if chosen else [],
        "crumbs": crumbs_of(request, "Side by side"),
    }
    return render(request, "gates/judges/compare.html", context)


def _lines(chosen: Slice) -> list[Line]:
    found = compared(chosen, now())
    return [(each, _numbers(each), list(each.against.sentences()) if each.against else []) for each in found]


def _numbers(each: Compared) -> dict[str, str]:
    document = each.calibration.document
    share = document["share_of_ceiling"]
    return {
        "rho": beside(document["rho"], document["threshold"]),
        "interval": interval(document["ci90"], document["threshold"]),
        "share": "–" if share is None else percent(share),
        "n": f"{document['n']:,}",
    }
