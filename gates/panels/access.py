"""Who may see and do what in a panel.

Managers hold the right to write gates. Somebody who grades in a panel stays blind while it is open: she manages it only
if she made it, and never sees where others disagree. Who rates is asked of the panel's tasks, not of roles.
"""

from gates.panel_models import Panel, PanelTask
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Person
from relcontrol.accounts.permissions import RATE_ANSWERS, WRITE_GATES, Allowed, Answer, Denied
from relcontrol.accounts.selectors import found
from relcontrol.errors import Conflict, Forbidden

RATES_HERE = "You grade answers in this panel, so until it is closed somebody else looks after it."


def rater_of(actor: Actor) -> Person:
    """The person who grades. Raises `Forbidden` for a service token: a grade is a person's own judgement."""
    actor.require(RATE_ANSWERS)
    if actor.person is None:
        raise Forbidden("A person grades answers: in the browser, or with her own token.", code="person_needed")
    return actor.person


def rates_in(actor: Actor, panel: Panel) -> bool:
    """Whether this actor was asked to grade here."""
    return actor.person is not None and PanelTask.objects.filter(panel=panel, person=actor.person).exists()


def may_manage(actor: Actor, panel: Panel) -> Answer:
    """Whether this actor may see the progress, bring grades, close and cancel; with the reason where not."""
    answer = actor.may(WRITE_GATES)
    blind = panel.state == Panel.State.OPEN and panel.created_by != actor.id and rates_in(actor, panel)
    return Denied(RATES_HERE) if isinstance(answer, Allowed) and blind else answer


def may_compare(actor: Actor, panel: Panel) -> Answer:
    """Whether this actor may see grades of others beside each other: nobody who grades here while it is open."""
    answer = actor.may(WRITE_GATES)
    blind = panel.state == Panel.State.OPEN and rates_in(actor, panel)
    return Denied(RATES_HERE) if isinstance(answer, Allowed) and blind else answer


def require(answer: Answer) -> None:
    """Raise `Forbidden` with the reason."""
    if isinstance(answer, Denied):
        raise Forbidden(answer.reason)


def locked_panel(actor: Actor, panel: Panel) -> Panel:
    """The panel's row, locked, as it is now: grades, imports and closing wait for each other."""
    rows = Panel.objects.filter(organization=actor.organization).select_for_update(no_key=True)
    return found(rows, "panel", pk=panel.pk)


def require_open(panel: Panel) -> None:
    """Raise `Conflict` where the panel is over."""
    if panel.state != Panel.State.OPEN:
        state = {"panel_id": panel.pk, "state": str(panel.state)}
        raise Conflict(f"This panel is {panel.state} already, so nothing was changed.", code="over", state=state)
