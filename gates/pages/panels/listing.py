"""Page: panels; first those in which the person who looks has answers to grade (ui.md screen 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.pages.panels.addresses import lists
from gates.pages.panels.wording import MINUTES_AN_ANSWER, time_words
from gates.panel_models import Panel
from gates.panels.selectors import Tally, own_tallies, panels_of, tallies
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.web.pages import PageRequest, page

PANELS_PER_PAGE: Final = 50
OPEN_SHOWN: Final = 200
# state -> (status of the design, its word)
STATES: Final[Mapping[str, tuple[str, str]]] = {
    Panel.State.OPEN: ("running", "Open"),
    Panel.State.CLOSED: ("pass", "Closed"),
    Panel.State.CANCELLED: ("skip", "Cancelled"),
}
COMPLETE: Final = ("hold", "To close")


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One line: the panel, how far all its raters are together, and how far this person is."""

    panel: Panel
    kind: str
    word: str
    all: Tally
    own: Tally

    @property
    def done(self) -> int:
        """How many answers this person has decided."""
        return self.own.of - self.own.waiting

    @property
    def time(self) -> str:
        """About how long what is left takes her."""
        return time_words(self.own.waiting * MINUTES_AN_ANSWER)


@require_safe
@page(VIEW)
def panels(request: PageRequest) -> HttpResponse:
    """The list."""
    answer, cursor = request.actor.may(WRITE_GATES), request.GET.get("cursor", "")
    everything = panels_of(request.actor.organization).select_related("suite", "run__application")
    over = everything.exclude(state=Panel.State.OPEN)
    over = over.filter(pk__lt=key_of(cursor)) if cursor else over
    ended = list(over[: PANELS_PER_PAGE + 1])
    opened = [] if cursor else list(everything.filter(state=Panel.State.OPEN)[:OPEN_SHOWN])
    rows = rows_of(request, [*opened, *ended[:PANELS_PER_PAGE]])
    context = {
        "mine": [row for row in rows if row.panel.state == Panel.State.OPEN and row.own.waiting],
        "others": [row for row in rows if row.panel.state == Panel.State.OPEN and not row.own.waiting],
        "ended": [row for row in rows if row.panel.state != Panel.State.OPEN],
        "next_cursor": cursor_of(ended[PANELS_PER_PAGE - 1].pk) if len(ended) > PANELS_PER_PAGE else None,
        "may_manage": not isinstance(answer, Denied),
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "lists": lists(request, "panels"),
    }
    return render(request, "gates/panels/panels.html", context)


def rows_of(request: PageRequest, shown: Sequence[Panel]) -> list[PanelRow]:
    """Lines for these panels, counted with two queries however many there are."""
    person = request.actor.person
    everybody, own = tallies(shown), own_tallies(shown, person) if person else {}
    return [_row(panel, everybody.get(panel.pk, Tally()), own.get(panel.pk, Tally())) for panel in shown]


def _row(panel: Panel, everybody: Tally, own: Tally) -> PanelRow:
    complete = panel.state == Panel.State.OPEN and everybody.of and not everybody.waiting
    kind, word = COMPLETE if complete else STATES[panel.state]
    return PanelRow(panel, kind, word, everybody, own)
