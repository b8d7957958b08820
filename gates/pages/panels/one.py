"""Page: one panel: one's own part, how far everybody is, its end, and then how well the experts agree (screen 9).

While it is open it shows how far people are and nobody's grades; somebody who grades in it sees her own part only.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.pages.panels.acting import acted
from gates.pages.panels.addresses import crumbs_of
from gates.pages.panels.listing import COMPLETE, STATES
from gates.pages.panels.reliability import reliability_context
from gates.pages.panels.wording import MINUTES_AN_ANSWER, time_words
from gates.pages.runs.paths import numbered_rows
from gates.panel_models import Panel
from gates.panels.access import may_compare, may_manage
from gates.panels.disagreements import disagreements
from gates.panels.selectors import Tally, own_tally, panel_named, progress, tasks_of
from gates.panels.texts import texts_of_many
from relcontrol.accounts.models import Person
from relcontrol.accounts.permissions import VIEW, Allowed, Denied
from relcontrol.errors import DomainError
from relcontrol.web.forms import TypedNameForm
from relcontrol.web.pages import PageRequest, page

GRADES_PER_PAGE: Final = 20


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def one_panel(request: PageRequest, panel: str) -> HttpResponse:
    """The panel; sent, what is to be done with it."""
    row = panel_named(request.actor.organization, panel)
    if request.method != "POST":
        return _shown(request, row)
    typed = TypedNameForm(request.POST, expected=row.name)
    try:
        return acted(request, row, typed)
    except DomainError as error:
        return _shown(request, panel_named(request.actor.organization, panel), error, typed)


def _shown(
    request: PageRequest, row: Panel, error: DomainError | None = None, typed: TypedNameForm | None = None
) -> HttpResponse:
    person = request.actor.person
    answer = may_manage(request.actor, row)
    own = own_tally(row, person) if person else Tally()
    context: dict[str, Any] = {
        "panel": row,
        "own": own,
        "own_done": own.of - own.waiting,
        "own_time": time_words(own.waiting * MINUTES_AN_ANSWER),
        "denied": answer.reason if isinstance(answer, Denied) and not own.of else "",
        "typed_form": typed or TypedNameForm(expected=row.name),
        "problem": error.detail if error else "",
        "errors": _rows_of(error) if error else [],
        "crumbs": crumbs_of(request, row.name),
        **dict(zip(("kind", "word"), STATES[row.state], strict=True)),
    }
    if isinstance(answer, Allowed):
        context |= _managed(request, row)
    if own.of and person and row.state == Panel.State.CLOSED:
        context |= _own_grades(request, row, person)
    return render(request, "gates/panels/one.html", context, status=error.status if error else 200)


def _own_grades(request: PageRequest, row: Panel, person: Person) -> dict[str, Any]:
    """What this person said of each answer; hers to read again once nothing can be changed any more."""
    shown = numbered_rows(request, tasks_of(row, person), name="mine", size=GRADES_PER_PAGE, anchor="own-grades")
    texts = texts_of_many([task.item for task in shown.rows])
    return {"own_page": shown, "own_grades": list(zip(shown.rows, texts, strict=True))}


def _rows_of(error: DomainError) -> Sequence[tuple[str, str]]:
    """What is wrong with a file, row by row."""
    return [(each.field.removeprefix("row "), each.message) for each in error.errors if each.field.startswith("row ")]


def _managed(request: PageRequest, row: Panel) -> dict[str, Any]:
    """What those see who look after the panel."""
    found = progress(actor=request.actor, panel=row)
    is_open = row.state == Panel.State.OPEN
    context: dict[str, Any] = {
        "manages": is_open,
        "progress": found,
        "complete": found.complete and is_open,
        "imports": is_open and row.suite is not None,
    }
    if found.complete and is_open:
        context |= dict(zip(("kind", "word"), COMPLETE, strict=True)) | _differing(request, row)
    if row.state == Panel.State.CLOSED:
        context |= _differing(request, row) | reliability_context(request, row)
    return context


def _differing(request: PageRequest, row: Panel) -> dict[str, Any]:
    """How many answers raters disagree on; for those who may compare grades."""
    answer = may_compare(request.actor, row)
    if isinstance(answer, Denied):
        return {"may_compare": False, "why_not_compare": answer.reason}
    found = disagreements(actor=request.actor, panel=row)
    return {"may_compare": True, "differing": len(found), "decided": sum(bool(each.item.finding) for each in found)}
