"""Page: judges, with the slices that use each and whether it may decide there, worst first (ui.md screen 9)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.calibrations.standing import Badge
from gates.judges import DEFAULT_RULES, judge_named, judges_of
from gates.models import Judge, Slice
from gates.pages.judges.wording import family_of, kind_words, scale_words, version_of
from gates.pages.panels.addresses import lists
from gates.pages.slices.badges import slice_badges
from gates.slices.history import newest_points
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.clock import now
from relcontrol.web.pages import PageRequest, page

JUDGES_PER_PAGE: Final = 50
SLICES_SHOWN: Final = 6
TONES_WORST_FIRST: Final = ("fail", "hold", "skip", "info", "pass")


@dataclass(frozen=True, slots=True)
class Use:
    """A slice that names a judge, and whether the judge may decide there."""

    slice: Slice
    badge: Badge


@dataclass(frozen=True, slots=True)
class JudgeRow:
    """One line of the list; `uses` are the worst few, `more` how many there are beside."""

    judge: Judge
    family: str
    version: str
    kind: str
    scale: str
    uses: list[Use]
    more: int


@require_safe
@page(VIEW)
def judges(request: PageRequest) -> HttpResponse:
    """The list, newest first; the default rules, which nobody has made, stand last on the first page."""
    organization, cursor = request.actor.organization, request.GET.get("cursor", "")
    rows = judges_of(organization)
    found = list((rows.filter(pk__lt=key_of(cursor)) if cursor else rows)[: JUDGES_PER_PAGE + 1])
    shown = found[:JUDGES_PER_PAGE]
    if not cursor and not any(row.name == DEFAULT_RULES for row in shown):
        shown.append(judge_named(organization, DEFAULT_RULES))
    answer = request.actor.may(WRITE_GATES)
    context = {
        "rows": judge_rows(organization, shown),
        "made": bool(found),
        "next_cursor": cursor_of(found[JUDGES_PER_PAGE - 1].pk) if len(found) > JUDGES_PER_PAGE else None,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "lists": lists(request, "judges"),
    }
    return render(request, "gates/judges/judges.html", context)


def judge_rows(organization: Organization, shown: Iterable[Judge]) -> list[JudgeRow]:
    """Lines for these judges, with as many queries for fifty as for one."""
    known = list(shown)
    uses = uses_of(organization, known)
    return [_row(judge, uses[judge.name]) for judge in known]


def uses_of(organization: Organization, shown: Iterable[Judge]) -> Mapping[str, list[Use]]:
    """The slices that name each of these judges, by its name, worst first."""
    by_key = {key: judge for judge in shown for key in (judge.name, judge.pk)}
    named = Slice.objects.filter(organization=organization, judge__in=by_key).order_by("name")
    pairs = [(row, by_key[row.judge]) for row in named]
    points = newest_points(row for row, _ in pairs)
    found = slice_badges(organization, [(row, points.get(row.pk)) for row, _ in pairs], now())
    uses: dict[str, list[Use]] = {judge.name: [] for judge in by_key.values()}
    for row, judge in pairs:
        uses[judge.name].append(Use(row, found[row.pk]))
    return {name: sorted(each, key=lambda use: badness(use.badge)) for name, each in uses.items()}


def badness(badge: Badge) -> int:
    """Its place where the worst stands first."""
    return TONES_WORST_FIRST.index(badge.tone)


def _row(judge: Judge, uses: list[Use]) -> JudgeRow:
    return JudgeRow(
        judge=judge,
        family=family_of(judge.name),
        version=version_of(judge.name),
        kind=kind_words(judge),
        scale=scale_words(judge),
        uses=uses[:SLICES_SHOWN],
        more=max(0, len(uses) - SLICES_SHOWN),
    )
