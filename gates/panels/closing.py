"""The end of a panel: closed, its grades become ratings of the suite; cancelled, they stay where they are.

One transaction with the ratings' receipt: a process that is killed leaves an open panel or a closed one.
"""

from collections.abc import Sequence

from django.db import transaction

from gates.models import Suite
from gates.panel_models import Panel, PanelTask
from gates.panels import access
from gates.panels.receipts import record
from gates.panels.rules import checked_reason
from gates.panels.selectors import Tally, tallies
from gates.ratings import NewRating, record_ratings, write_ratings
from gates.runs.gathering import grades_in
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.errors import Conflict


@transaction.atomic
def close_panel(*, actor: Actor, panel: Panel, anyway: bool = False) -> Panel:
    """Close a panel. With grades missing this takes `anyway`: what is missing then stays missing."""
    row = access.locked_panel(actor, panel)
    access.require(access.may_manage(actor, row))
    access.require_open(row)
    tally = tallies([row]).get(row.pk, Tally())
    _require_grades(row, tally, anyway)
    grades = list(_counting(row))
    added = _add_to_suite(actor, row, grades)
    _end(actor, row, Panel.State.CLOSED)
    facts = {
        "grades": len(grades),
        "ratings_added": added,
        "set_aside": tally.rated - len(grades),
        "missing": tally.missing,
    }
    row.receipt_hash = record(actor, row, "closed", facts).receipt_hash
    row.save(update_fields=["state", "closed_by_label", "closed_at", "receipt_hash"])
    return row


@transaction.atomic
def cancel_panel(*, actor: Actor, panel: Panel, reason: str = "") -> Panel:
    """Give a panel up: nobody grades any more, and no grade counts. The receipt keeps the reason."""
    row = access.locked_panel(actor, panel)
    access.require(access.may_manage(actor, row))
    access.require_open(row)
    said = checked_reason(reason, "") if reason.strip() else ""
    _end(actor, row, Panel.State.CANCELLED)
    row.receipt_hash = record(actor, row, "cancelled", {"reason": said}).receipt_hash
    row.save(update_fields=["state", "closed_by_label", "closed_at", "receipt_hash"])
    return row


def _require_grades(panel: Panel, tally: Tally, anyway: bool) -> None:
    state = {"panel_id": panel.pk, "missing": tally.missing, "waiting": tally.waiting, "skipped": tally.skipped}
    if not tally.rated:
        raise Conflict("Nobody has graded anything here yet: cancel the panel.", code="no_grades", state=state)
    if tally.missing and not anyway:
        message = (
            f"{tally.missing:,} of {tally.of:,} grades are missing: {tally.waiting:,} are waited for, "
            f"{tally.skipped:,} were skipped. Wait for them, or close the panel anyway: then they stay missing."
        )
        raise Conflict(message, code="grades_missing", state=state)


def _counting(panel: Panel) -> Sequence[PanelTask]:
    rows = PanelTask.objects.filter(panel=panel, state=PanelTask.State.RATED, set_aside=False)
    return list(rows.select_related("item__case").order_by("item_id", "rater"))


def _add_to_suite(actor: Actor, panel: Panel, grades: Sequence[PanelTask]) -> int:
    """Write what the suite does not know yet. Where the same rater has graded an answer before, that grade stands."""
    if panel.suite is None:
        return 0
    suite = Suite.objects.select_for_update(no_key=True).get(pk=panel.suite_id)
    _set_scale(suite, panel)
    known = grades_in(suite)
    fresh = write_ratings(suite, [rating for rating in map(_rating, grades) if rating], known)
    if fresh:
        record_ratings(actor, suite, fresh, known)
    return len(fresh)


def _set_scale(suite: Suite, panel: Panel) -> None:
    if suite.grade_scale and list(map(float, suite.grade_scale)) != list(map(float, panel.scale)):
        low, high = suite.grade_scale
        message = (
            f"By now the grades of {suite.name} go from {low:g} to {high:g}, so those of this panel cannot be added. "
            "Cancel it, and make one with that scale."
        )
        raise Conflict(message, code="other_scale", state={"panel_id": panel.pk, "grade_scale": suite.grade_scale})
    if not suite.grade_scale:
        suite.grade_scale = panel.scale
        suite.save(update_fields=["grade_scale"])


def _rating(task: PanelTask) -> NewRating | None:
    item = task.item
    if item.case is None or task.grade is None:
        return None
    return NewRating(item.case.case_id, item.answer_id, task.rater, task.grade, item.output or None)


def _end(actor: Actor, panel: Panel, state: Panel.State) -> None:
    panel.state, panel.closed_by_label, panel.closed_at = state, actor.label, now()
