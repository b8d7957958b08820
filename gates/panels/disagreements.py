"""Where raters disagree, and what is done about it before the panel is closed.

Somebody who grades nothing here looks at the answers once everybody has decided. She sees raters A, B and C, and which
of them is whom changes from answer to answer. Closing needs no look; a grade that she sets aside is kept and does not
count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

from django.db import transaction
from django.db.models import Max, Prefetch

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels import access
from gates.panels.receipts import record
from gates.panels.rules import checked_reason
from gates.panels.selectors import ANOTHER, is_complete
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Person
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

KEEP: Final = "keep"
SET_ASIDE: Final = "set_aside"
ANOTHER_RATER: Final = "another_rater"
# What an item keeps of a decision.
FINDINGS: Final[Mapping[str, str]] = {KEEP: "kept", SET_ASIDE: "set_aside", ANOTHER_RATER: ANOTHER}
WHY: Final = "Say why, such as: The rater took 1 for the best grade."

State = PanelTask.State


@dataclass(frozen=True, slots=True)
class Voice:
    """What one rater said of one answer, without who it is; `reason` is why she skipped it."""

    letter: str
    state: str
    grade: float | None
    reason: str
    set_aside: bool


@dataclass(frozen=True, slots=True)
class Disagreement:
    """An answer with its grades: `spread` is highest less lowest of those that count.

    `waits` where one more rater was asked and has not decided yet.
    """

    item: PanelItem
    spread: float
    voices: tuple[Voice, ...]
    waits: bool


def disagreements(*, actor: Actor, panel: Panel) -> list[Disagreement]:
    """Answers on which grades differ, and those decided on, widest spread first."""
    _require_comparable(actor, panel)
    tasks = Prefetch("tasks", queryset=PanelTask.objects.order_by("pk"))
    rows = PanelItem.objects.filter(panel=panel).select_related("case", "slice", "panel").prefetch_related(tasks)
    found_here = [_disagreement(item, list(item.tasks.all())) for item in rows.order_by("pk")]
    return sorted((each for each in found_here if each.spread or each.item.finding), key=lambda each: -each.spread)


@transaction.atomic
def adjudicate(
    *,
    actor: Actor,
    item: PanelItem,
    decision: str,
    reason: str,
    rater: str | None = None,
    to: str | None = None,
) -> PanelItem:
    """Decide on one answer: keep all grades, set that of one rater (A, B, …) aside, or ask one more member (`to`)."""
    panel = access.locked_panel(actor, item.panel)
    access.require_open(panel)
    _require_comparable(actor, panel)
    if decision not in FINDINGS:
        raise invalid("decision", f"Use one of {', '.join(FINDINGS)}.")
    said = checked_reason(reason, WHY)
    row = found(PanelItem.objects.filter(panel=panel).select_related("case", "panel"), "answer", pk=item.pk)
    _carry_out(actor, row, decision, rater, to)
    row.finding, row.finding_reason = FINDINGS[decision], said
    row.finding_by_label, row.finding_at = actor.label, now()
    row.save(update_fields=["finding", "finding_reason", "finding_by_label", "finding_at"])
    record(actor, panel, "adjudicated", {"answer": row.pk, "decision": decision, "reason": said})
    return row


def _require_comparable(actor: Actor, panel: Panel) -> None:
    access.require(access.may_compare(actor, panel))
    state = {"panel_id": panel.pk, "state": str(panel.state)}
    if panel.state == Panel.State.CANCELLED:
        raise Conflict("This panel was cancelled: its grades are shown to nobody.", code="over", state=state)
    if panel.state == Panel.State.OPEN and not is_complete(panel):
        message = "Grades are compared once every rater has decided on every answer: until then nobody sees a grade."
        raise Conflict(message, code="not_complete", state=state)


def _disagreement(item: PanelItem, tasks: Sequence[PanelTask]) -> Disagreement:
    grades = [task.grade for task in tasks if task.grade is not None and not task.set_aside]
    return Disagreement(
        item=item,
        spread=max(grades) - min(grades) if grades else 0.0,
        voices=tuple(
            Voice(letter, task.state, task.grade, task.reason, task.set_aside) for letter, task in _lettered(tasks)
        ),
        waits=any(task.state == State.WAITING for task in tasks),
    )


def _lettered(tasks: Sequence[PanelTask]) -> Iterable[tuple[str, PanelTask]]:
    """A, B, … Z, AA … in the order of the rows, which is by chance (`making`); one more rater gets the next letter."""
    for place, task in enumerate(tasks):
        rounds, letter = divmod(place, len(ascii_uppercase))
        yield ascii_uppercase[rounds - 1] * bool(rounds) + ascii_uppercase[letter], task


def _carry_out(actor: Actor, item: PanelItem, decision: str, rater: str | None, to: str | None) -> None:
    tasks = list(PanelTask.objects.filter(item=item).order_by("pk"))
    if decision != ANOTHER_RATER and any(task.state == State.WAITING for task in tasks):
        message = "One more rater was asked and has not decided yet. Wait for her, or close the panel anyway."
        raise Conflict(message, code="waits", state={"panel_id": item.panel_id, "answer": item.pk})
    match decision:
        case "keep":
            PanelTask.objects.filter(item=item, set_aside=True).update(set_aside=False)
        case "set_aside":
            _set_aside(tasks, rater)
        case "another_rater":
            _ask(actor, item, tasks, to)


def _set_aside(tasks: Sequence[PanelTask], letter: str | None) -> None:
    rated = {name: task for name, task in _lettered(tasks) if task.state == State.RATED}
    if letter not in rated:
        raise invalid("rater", f"Name the rater whose grade is set aside: {', '.join(rated)}.")
    rated[letter].set_aside = True
    if all(task.set_aside for task in rated.values()):
        raise invalid("rater", "One grade at least has to count. Ask another rater first, or keep this one.")
    rated[letter].save(update_fields=["set_aside"])


def _ask(actor: Actor, item: PanelItem, tasks: Sequence[PanelTask], email: str | None) -> None:
    person = _member(actor, email)
    if any(task.person_id == person.pk for task in tasks):
        raise invalid("to", f"{email} was asked to grade this answer before. Name somebody else.")
    if actor.person == person:
        raise invalid("to", "You have seen the grades of others, so somebody else has to grade this answer.")
    own = PanelTask.objects.filter(panel=item.panel, person=person)
    last = own.aggregate(last=Max("place"))["last"] or 0
    PanelTask.objects.create(panel=item.panel, item=item, person=person, rater=person.pk, place=last + 1)


def _member(actor: Actor, email: str | None) -> Person:
    rows = Membership.objects.filter(organization=actor.organization, person__is_active=True)
    row = rows.filter(person__email__iexact=(email or "").strip()).select_related("person").first()
    if row is None:
        raise invalid("to", "Name a member of this organization by her address.")
    return row.person
