"""Page: slices and thresholds as a tree, with what each was last measured at, and the tree as a file (screen 7)."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.calibrations.standing import Badge
from gates.models import Slice
from gates.pages.slices.badges import slice_badges
from gates.slices.files import csv_file, json_file
from gates.slices.history import Cases, counted_cases, newest_points
from gates.slices.points import Point
from gates.slices.services import slice_tree
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.clock import now
from relcontrol.errors import Malformed
from relcontrol.web.pages import PageRequest, page

PER_PAGE = 200
EM_SPACE = "\N{EM SPACE}"
VERDICTS = {
    "pass": ("pass", "Passed"),
    "fail": ("fail", "Failed"),
    "review": ("hold", "To sign"),
    "insufficient": ("hold", "Not enough"),
}
FIRST_SLICE = (
    'curl -X POST {base}v1/slices -H "Authorization: Bearer $TOKEN" -d \''
    '{{"slug": "ip-licensing", "name": "IP licensing", "threshold": 0.65, "n_min": 20, '
    '"judge": "external:legal-judge@9", "match": {{"metadata": {{"topic": "ip"}}}}}}\''
)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One line of the tree."""

    slice: Slice
    branch: str
    cases: Cases | None
    point: Point | None
    verdict: tuple[str, str] | None
    badge: Badge


@require_safe
@page(VIEW)
def slices(request: PageRequest) -> HttpResponse:
    """The tree, in pages where it is large."""
    tree = slice_tree(request.actor.organization)
    start = _start(tree, request.GET.get("cursor", ""))
    shown = tree[start : start + PER_PAGE]
    answer = request.actor.may(WRITE_GATES)
    context = {
        "tree": _rows(tree, shown),
        "count": len(tree),
        "next_cursor": cursor_of(shown[-1][0].slug) if start + PER_PAGE < len(tree) else None,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "first_command": FIRST_SLICE.format(base=request.build_absolute_uri("/")),
    }
    return render(request, "gates/slices/tree.html", context)


@require_safe
@page(VIEW)
def slices_json(request: PageRequest) -> HttpResponse:
    """Every slice as JSON, exactly as the import takes it."""
    return _file(json_file(row for row, _ in slice_tree(request.actor.organization)), "slices.json", "application/json")


@require_safe
@page(VIEW)
def slices_csv(request: PageRequest) -> HttpResponse:
    """The same for a spreadsheet."""
    return _file(csv_file(row for row, _ in slice_tree(request.actor.organization)), "slices.csv", "text/csv")


def _file(text: str, name: str, content_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type=f"{content_type}; charset=utf-8", headers=headers)


def _start(tree: list[tuple[Slice, int]], cursor: str) -> int:
    """Where a page begins: behind the slice that the cursor names."""
    if not cursor:
        return 0
    after = key_of(cursor)
    places = [at for at, (row, _) in enumerate(tree) if row.slug == after]
    if not places:
        raise Malformed("This cursor is not one of ours. Begin at the first page.")
    return places[0] + 1


def _rows(tree: list[tuple[Slice, int]], shown: list[tuple[Slice, int]]) -> list[TreeRow]:
    if not shown:
        return []
    organization = shown[0][0].organization
    points, cases = newest_points(row for row, _ in shown), counted_cases(organization, tree)
    told = slice_badges(organization, [(row, points.get(row.pk)) for row, _ in shown], now())
    return [_row(row, depth, points.get(row.pk), cases.get(row.slug), told[row.pk]) for row, depth in shown]


def _row(row: Slice, depth: int, point: Point | None, cases: Cases | None, badge: Badge) -> TreeRow:
    return TreeRow(
        slice=row,
        branch=f"{EM_SPACE * (depth - 1)}└ " if depth else "",
        cases=cases,
        point=point,
        verdict=VERDICTS.get(point.verdict) if point else None,
        badge=badge,
    )
