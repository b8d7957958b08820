"""Page: one slice, its history over releases, what it says now and what it said before (ui.md screen 6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.models import SliceRevision
from gates.pages.slices.addresses import address, crumbs_of
from gates.pages.slices.badges import slice_badges
from gates.pages.slices.charts import agreement_chart, quality_chart
from gates.pages.slices.tree import VERDICTS
from gates.slices.differences import Difference, differences
from gates.slices.history import counted_cases, points_of, samples_of
from gates.slices.points import Point
from gates.slices.services import definition_of, revisions_of, slice_in, slice_tree
from relcontrol.accounts.models import Person
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.clock import now
from relcontrol.web.charts import Chart
from relcontrol.web.pages import PageRequest, page

SAMPLES = 5
REVISIONS = 50


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision and what it changed."""

    row: SliceRevision
    changes: tuple[Difference, ...]


@require_safe
@page(VIEW)
def one_slice(request: PageRequest, slug: str) -> HttpResponse:
    """The slice."""
    tree = slice_tree(request.actor.organization)
    row = slice_in(tree, slug)
    points, cases = points_of(row), counted_cases(request.actor.organization, tree).get(row.slug)
    point = points[-1] if points else None
    answer = request.actor.may(WRITE_GATES)
    context = {
        "slice": row,
        "sha256": definition_of(row).sha256(),
        "point": point,
        "verdict": VERDICTS.get(point.verdict) if point else None,
        "badge": slice_badges(row.organization, [(row, point)], now())[row.pk],
        "badge_judge": row.judge or (point.judge if point else ""),
        "charts": _charts(request, points) if points else [],
        "cases": cases,
        "samples": samples_of(row, cases, tree)[:SAMPLES],
        "revisions": revisions_with_changes(revisions_of(row)[: REVISIONS + 1]),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, row.name),
    }
    return render(request, "gates/slices/one.html", context)


def _charts(request: PageRequest, points: Sequence[Point]) -> list[Chart]:
    def run_address(run: str) -> str:
        return address(request, "gate-run", run=run)

    return [agreement_chart(points, run_address), quality_chart(points, run_address)]


def revisions_with_changes(newest_first: Iterable[SliceRevision]) -> list[Revision]:
    """The newest revisions, each with what it changed of the one before."""
    rows = list(newest_first)
    people = _names({row.definition.get("owner") for row in rows})
    pairs = [Revision(new, differences(old.definition, new.definition, people)) for new, old in pairwise(rows)]
    first = [Revision(rows[-1], ())] if rows and rows[-1].revision == 1 else []
    return (pairs + first)[:REVISIONS]


def _names(ids: set[str | None]) -> dict[str, str]:
    wanted = [each for each in ids if each]
    return {row.pk: str(row) for row in Person.objects.filter(pk__in=wanted)} if wanted else {}
