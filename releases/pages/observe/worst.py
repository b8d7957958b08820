"""Page: the worst answers of a halt, a rollback or an alarm: before and after side by side, with the judge's reasons.

They are what people asked and were told: only those who may read the audit see them, others read why they do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from gates.statistics.limits import shown
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Answer, Denied
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.polling import polled
from releases.observer_models import WorstAnswers
from releases.pages.observe.slices import names_of
from releases.pages.paths import address
from releases.pages.trace_wording import asked
from releases.worst.selectors import Opened, opened_worst, worst_named

LONG: Final = 1_000
EVENTS: Final = {"halt": "was halted", "rollback": "was rolled back", "drift": "is in doubt"}
MISSING: Final = {
    "waiting": "Still being answered and judged.",
    "gone": "Erased, or older than what is kept.",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of two answers: whose it is, its score, what it says and what the judge says of it."""

    name: str
    role: str
    score: str
    text: str
    reason: str

    @property
    def is_long(self) -> bool:
        """Whether its beginning is shown and the whole on demand, so that ten pairs can be looked through."""
        return len(self.text) > LONG


@dataclass(frozen=True, slots=True)
class Pair:
    """One place of the list: what was asked, and both answers; `missing` is why they are not there."""

    place: int
    slice: str
    request_id: str
    asked: list[tuple[str, str]]
    sides: tuple[Side, ...]
    missing: str
    problem: str


@require_safe
@page(VIEW)
def worst_answers(request: PageRequest, worst: str) -> HttpResponse:
    """The page; asked by htmx its live part, while answers are still being found."""
    row = worst_named(request.actor.organization, worst)
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return polled(request, seq_of(row), lambda: _shown(request, row, "releases/observe/worst_live.html"))
    return _shown(request, row, "releases/observe/worst.html")


def seq_of(row: WorstAnswers) -> int:
    """Grows with every answer that is found, and once more at the end."""
    return row.attempts * 1_000 + row.progress_done * 10 + (1 if row.is_over else 0)


def _shown(request: PageRequest, row: WorstAnswers, template: str) -> HttpResponse:
    answer = request.actor.may(READ_AUDIT)
    context = {
        "worst": row,
        "title": title_of(row),
        "seq": seq_of(row),
        "denied": _denied(answer),
        "pairs": [] if _denied(answer) else pairs_of(row),
        "may_audit": not _denied(answer),
        "event_url": _event_url(request, row),
        "crumbs": [
            ("Observe", address(request, "observe")),
            (row.route.name, address(request, "observe-route", route=row.route_id)),
            ("Worst answers", None),
        ],
    }
    return render(request, template, context)


def _denied(answer: Answer) -> str:
    return f"Questions and answers are not shown to you. {answer.reason}" if isinstance(answer, Denied) else ""


def title_of(row: WorstAnswers) -> str:
    """Of which event they are, and how many."""
    count = row.answers.count()
    what = f"{row.left.name} {EVENTS[row.kind]}"
    if not row.is_over:
        return f"{what}. Its worst answers are being looked for."
    return (
        f"{what}. Its {count} worst answer{'' if count == 1 else 's'}." if count else f"{what}. No bad answer is known."
    )


def pairs_of(row: WorstAnswers) -> list[Pair]:
    """Every place in clear, the worst first."""
    names = names_of(row.organization)
    return [_pair(row, each, names) for each in opened_worst(row)]


def _pair(of: WorstAnswers, found: Opened, names: Mapping[str, str]) -> Pair:
    row = found.row
    kept = of.kept.name if of.kept else "no other release"
    before = Side(kept, "before", _score(row.score_before), found.before, found.reason_before)
    after = Side(of.left.name, "after, as served", _score(row.score_after), found.after, found.reason_after)
    return Pair(
        place=row.place,
        slice=names.get(row.slice, row.slice),
        request_id=row.request_id,
        asked=asked({"messages": list(found.messages)}),
        sides=(before, after) if found.state == "open" else (),
        missing=MISSING.get(found.state, ""),
        problem=row.problem,
    )


def _score(value: float | None) -> str:
    return "not scored" if value is None else shown(value)


def _event_url(request: PageRequest, row: WorstAnswers) -> str:
    if row.rollout is not None:
        return address(request, "rollout", rollout=row.rollout.pk)
    if row.alarm is not None:
        return address(request, "drift-alarm", alarm=row.alarm.pk)
    return address(request, "observe-route", route=row.route_id)
