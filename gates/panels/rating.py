"""Grading: one answer after the other, each by the person who was asked for it.

A decision stands until she takes it back herself; she can take back one after the other, newest first, while the panel
is open. Answers whose texts are gone are skipped for everybody.
"""

from typing import Final

from django.db import transaction

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels import access
from gates.panels.rules import checked_grade, checked_reason
from gates.panels.selectors import tasks_of
from gates.panels.texts import texts_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Person
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden

State = PanelTask.State
GONE: Final = "The texts were erased or have expired, so nobody can grade this answer any more."


def next_task(panel: Panel, person: Person) -> PanelTask | None:
    """The first answer that waits for this person, in her own order; None when she is through or it is over."""
    waiting = tasks_of(panel, person).filter(state=State.WAITING, panel__state=Panel.State.OPEN)
    while (task := waiting.first()) is not None and texts_of(task.item).gone:
        _skip_gone(task.item)
    return task


@transaction.atomic
def rate(*, actor: Actor, task: PanelTask, grade: float) -> PanelTask:
    """Grade an answer. The same grade again changes nothing; another one is refused until the first is taken back."""
    row = _own(actor, task)
    low, high = row.panel.scale
    given = checked_grade(grade, (low, high))
    if row.state == State.RATED and row.grade == given:
        return row
    _require_waiting(row)
    return _decided(row, State.RATED, grade=given)


@transaction.atomic
def skip(*, actor: Actor, task: PanelTask, reason: str) -> PanelTask:
    """Leave an answer out, and say why."""
    row = _own(actor, task)
    said = checked_reason(reason, "Say why you leave this answer out, such as: I do not know this area of law.")
    if row.state == State.SKIPPED and row.reason == said:
        return row
    _require_waiting(row)
    return _decided(row, State.SKIPPED, reason=said)


@transaction.atomic
def undo(*, actor: Actor, panel: Panel, task_id: int | None = None) -> PanelTask:
    """Take back this person's newest decision, if it is that on `task_id`; the answer waits for her again."""
    person = access.rater_of(actor)
    locked = access.locked_panel(actor, panel)
    access.require_open(locked)
    decided = tasks_of(locked, person).exclude(state=State.WAITING).exclude(reason=GONE)
    row = decided.order_by("-decided_at", "-pk").first()
    if row is None:
        raise Conflict("You have decided nothing here yet, so there is nothing to take back.", code="nothing_to_undo")
    if task_id not in (None, row.pk):
        state = {"panel_id": locked.pk, "newest": row.pk}
        raise Conflict("This is not your newest decision any more; only that can be taken back.", state=state)
    if row.item.finding_at and row.decided_at and row.decided_at <= row.item.finding_at:
        message = "Your newest decision was looked at since, together with others', and stays as it is."
        raise Conflict(message, code="looked_at", state={"panel_id": locked.pk})
    row.state, row.grade, row.reason, row.decided_at = State.WAITING, None, "", None
    row.save(update_fields=["state", "grade", "reason", "decided_at"])
    return row


def _own(actor: Actor, task: PanelTask) -> PanelTask:
    """The task as it is now, while nobody closes the panel; `Forbidden` where it is somebody else's."""
    person = access.rater_of(actor)
    panel = access.locked_panel(actor, task.panel)
    row = tasks_of(panel, person).filter(pk=task.pk).first()
    if row is None:
        raise Forbidden("Somebody else was asked to grade this answer.", code="not_yours")
    access.require_open(panel)
    return row


def _require_waiting(row: PanelTask) -> None:
    if row.state != State.WAITING:
        state = {"task_id": row.pk, "state": str(row.state), "grade": row.grade}
        message = f"You have {row.state} this answer already. Take that back first."
        raise Conflict(message, code="decided_already", state=state)


def _decided(row: PanelTask, state: State, *, grade: float | None = None, reason: str = "") -> PanelTask:
    row.state, row.grade, row.reason, row.decided_at = state, grade, reason, now()
    row.save(update_fields=["state", "grade", "reason", "decided_at"])
    return row


@transaction.atomic
def _skip_gone(item: PanelItem) -> None:
    panel = Panel.objects.select_for_update(no_key=True).get(pk=item.panel_id)
    if panel.state == Panel.State.OPEN:
        waiting = PanelTask.objects.filter(item=item, state=State.WAITING)
        waiting.update(state=State.SKIPPED, reason=GONE, decided_at=now())
