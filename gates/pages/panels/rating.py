"""Page: one answer at a time, graded by key, by mouse or by a plain form (ui.md screen 9).

A rater sees question, answer, reference and rubric, and her own progress: nothing of the release, of a judge or of the
other raters. It can be left and resumed, since every grade is kept at once.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.pages.panels.addresses import crumbs_of
from gates.pages.panels.wording import grade_words, left_words, levels_of, scale_words
from gates.pages.runs.paths import address
from gates.panel_models import Panel, PanelTask
from gates.panels.rating import next_task, rate, skip, undo
from gates.panels.selectors import Tally, own_tally, panel_named, task_named
from gates.panels.texts import texts_of
from relcontrol.accounts.permissions import RATE_ANSWERS
from relcontrol.errors import DomainError, invalid
from relcontrol.web.pages import PageRequest, page

Act = Callable[[PageRequest, Panel], str]


@require_http_methods(["GET", "HEAD", "POST"])
@page(RATE_ANSWERS)
def rate_page(request: PageRequest, panel: str) -> HttpResponse:
    """The next answer of the person who looks; sent, her decision on it."""
    row = panel_named(request.actor.organization, panel)
    if request.method != "POST":
        return _shown(request, row)
    try:
        said = _act(request)(request, row)
    except DomainError as error:
        return _shown(request, row, problem=error.detail, status=error.status)
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return _shown(request, panel_named(request.actor.organization, panel), said=said)
    return HttpResponseRedirect(address(request, "panel-rate", panel=row.pk))


def _shown(request: PageRequest, row: Panel, *, said: str = "", problem: str = "", status: int = 200) -> HttpResponse:
    """The page, or its changing part where htmx asked, which swaps in nothing but a 200."""
    person = request.actor.person
    task = next_task(row, person) if person else None
    tally = own_tally(row, person) if person else Tally()
    left = left_words(tally.waiting) if tally.of else ""
    context = {
        "panel": row,
        "task": task,
        "texts": texts_of(task.item) if task else None,
        "tally": tally,
        "done": tally.of - tally.waiting,
        "levels": levels_of(row.scale),
        "scale": scale_words(row.scale),
        "said": problem or f"{said} {left}".strip(),
        "problem": problem,
        "own_url": address(request, "panel-rate", panel=row.pk),
        "crumbs": crumbs_of(request, "Grade", row),
    }
    if request.htmx:  # type: ignore[attr-defined]  # the same
        return render(request, "gates/panels/rating.html", context)
    return render(request, "gates/panels/rate.html", context, status=status)


def _act(request: PageRequest) -> Act:
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise invalid("act", "Grade the answer, skip it, or take the last one back.")
    return act


def _grade(request: PageRequest, row: Panel) -> str:
    grade = _number(request.POST.get("grade", ""))
    rate(actor=request.actor, task=_task(request, row), grade=grade)
    return f"Graded {grade_words(grade)}."


def _skip(request: PageRequest, row: Panel) -> str:
    skip(actor=request.actor, task=_task(request, row), reason=request.POST.get("reason", "").strip())
    return "Skipped."


def _undo(request: PageRequest, row: Panel) -> str:
    undo(actor=request.actor, panel=row)
    return "Taken back."


ACTS: Final[Mapping[str, Act]] = {"grade": _grade, "skip": _skip, "undo": _undo}


def _task(request: PageRequest, row: Panel) -> PanelTask:
    """The answer that the form was about; the services refuse those of others."""
    return task_named(row, request.POST.get("task", ""))


def _number(text: str) -> float:
    """What was typed; what is no number the service refuses, as it does one outside of the scale."""
    try:
        return float(text)
    except ValueError:
        return math.nan
