"""Page: the answers of a panel on which raters disagree, and what is decided about them; raters are A, B and C."""

from typing import Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.pages.panels.addresses import crumbs_of
from gates.pages.panels.wording import grade_words, scale_words
from gates.pages.runs.paths import address, numbered
from gates.panel_models import Panel
from gates.panels.disagreements import ANOTHER_RATER, KEEP, SET_ASIDE, Disagreement, adjudicate, disagreements
from gates.panels.selectors import item_named, panel_named
from gates.panels.texts import ItemTexts, texts_of_many
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.accounts.selectors import members_of
from relcontrol.errors import Conflict, DomainError
from relcontrol.web.pages import PageRequest, page

ANSWERS_PER_PAGE: Final = 10
DECISIONS: Final = (
    (KEEP, "Keep all grades"),
    (SET_ASIDE, "Set one rater’s grade aside"),
    (ANOTHER_RATER, "Ask one more person"),
)
FOUND: Final = {
    "kept": ("pass", "All grades kept"),
    "set_aside": ("skip", "One grade set aside"),
    "another": ("running", "One more asked"),
}
Row = tuple[Disagreement, ItemTexts, tuple[str, str] | None, str]


@require_http_methods(["GET", "HEAD", "POST"])
@page(WRITE_GATES)
def compare(request: PageRequest, panel: str) -> HttpResponse:
    """The answers; sent, a decision on one of them."""
    row = panel_named(request.actor.organization, panel)
    problem: DomainError | None = None
    if request.method == "POST":
        try:
            return _decided(request, row)
        except DomainError as error:
            problem = error
    return _shown(request, row, problem)


def _decided(request: PageRequest, row: Panel) -> HttpResponse:
    item = item_named(row, request.POST.get("item", ""))
    adjudicate(
        actor=request.actor,
        item=item,
        decision=request.POST.get("decision", ""),
        reason=request.POST.get("reason", ""),
        rater=request.POST.get("rater") or None,
        to=request.POST.get("to") or None,
    )
    messages.success(request, "Decided, with your reason and a receipt in your name.")
    return HttpResponseRedirect(f"{address(request, 'panel-compare', panel=row.pk)}#answer-{item.pk}")


def _shown(request: PageRequest, row: Panel, problem: DomainError | None) -> HttpResponse:
    found, not_yet = _disagreements(request, row)
    answers = numbered(request, found, name="page", size=ANSWERS_PER_PAGE)
    texts = texts_of_many([each.item for each in answers.rows])
    people = [each.person for each in members_of(request.actor.organization)]
    context = {
        "panel": row,
        "answers": answers,
        "rows": [_row(each, text) for each, text in zip(answers.rows, texts, strict=True)],
        "not_yet": not_yet,
        "open": row.state == Panel.State.OPEN,
        "decisions": DECISIONS,
        "people": [(person.email, str(person)) for person in people if person != request.actor.person],
        "scale": scale_words(row.scale),
        "problem": problem.detail if problem else "",
        "problem_item": request.POST.get("item", ""),
        "crumbs": crumbs_of(request, "Disagreements", row),
    }
    return render(request, "gates/panels/compare.html", context, status=problem.status if problem else 200)


def _disagreements(request: PageRequest, row: Panel) -> tuple[list[Disagreement], str]:
    """Where raters disagree; or, before everybody has decided, in words why nobody may look."""
    try:
        return disagreements(actor=request.actor, panel=row), ""
    except Conflict as error:
        return [], error.detail


def _row(each: Disagreement, texts: ItemTexts) -> Row:
    return each, texts, FOUND.get(each.item.finding), grade_words(each.spread)
