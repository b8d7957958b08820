"""Reading panels: as lists, by id, what is left for a person, and how far everybody is.

While a panel is open nothing here gives away a grade to anybody but who gave it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Max, Q, QuerySet

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels import access
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization, Person
from relcontrol.accounts.selectors import found

State = PanelTask.State
LONGEST_KEY = 18
ANOTHER = "another"  # the finding of an item that waits for one more rater


@dataclass(frozen=True, slots=True)
class Tally:
    """How many answers were graded and skipped, of how many that were to be."""

    rated: int = 0
    skipped: int = 0
    of: int = 0

    @property
    def waiting(self) -> int:
        """How many are still to be graded."""
        return self.of - self.rated - self.skipped

    @property
    def missing(self) -> int:
        """How many grades there will not be if nobody gives them: those that wait, and those that were skipped."""
        return self.of - self.rated


@dataclass(frozen=True, slots=True)
class RaterProgress:
    """How far one rater is; `imported` where her grades came with a file."""

    key: str
    label: str
    tally: Tally
    imported: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a panel is. `complete` when nobody has anything left to do but those asked for one more grade."""

    raters: tuple[RaterProgress, ...]
    answers: int
    tally: Tally
    complete: bool


def panels_of(organization: Organization) -> QuerySet[Panel]:
    """Panels of an organization, newest first."""
    rows = Panel.objects.filter(organization=organization).select_related("organization", "suite", "run")
    return rows.defer("run__body", "run__document").order_by("-pk")


def panel_named(organization: Organization, key: str) -> Panel:
    """One panel."""
    return found(panels_of(organization), "panel", pk=key)


def tasks_of(panel: Panel, person: Person) -> QuerySet[PanelTask]:
    """What one person is asked to grade, in her order, with the texts."""
    rows = PanelTask.objects.filter(panel=panel, person=person)
    return rows.select_related("item__case", "item__panel", "panel").order_by("place")


def task_named(panel: Panel, key: str) -> PanelTask:
    """One task of a panel, whoever's it is: the services refuse everybody else."""
    rows = PanelTask.objects.filter(panel=panel).select_related("item__case", "panel")
    return found(rows, "task", pk=_number(key))


def item_named(panel: Panel, key: str | int) -> PanelItem:
    """One answer of a panel."""
    rows = PanelItem.objects.filter(panel=panel).select_related("case", "slice", "panel")
    return found(rows, "answer", pk=_number(key))


def own_tally(panel: Panel, person: Person) -> Tally:
    """How far one person is."""
    return own_tallies([panel], person).get(panel.pk, Tally())


def own_tallies(panels: Iterable[Panel], person: Person) -> dict[str, Tally]:
    """How far one person is in those of these panels in which she grades."""
    return _tallies(PanelTask.objects.filter(panel__in=list(panels), person=person))


def tallies(panels: Iterable[Panel]) -> dict[str, Tally]:
    """How far these panels are as a whole."""
    return _tallies(PanelTask.objects.filter(panel__in=list(panels)))


def waiting_for(actor: Actor) -> list[tuple[Panel, int]]:
    """Open panels in which answers wait for this person's grade, with how many; oldest first."""
    if actor.person is None:
        return []
    waiting = Count("tasks", filter=Q(tasks__person=actor.person, tasks__state=State.WAITING))
    rows = Panel.objects.filter(organization=actor.organization, state=Panel.State.OPEN, tasks__person=actor.person)
    return [(row, row.left) for row in rows.annotate(left=waiting).filter(left__gt=0).order_by("pk")]


def progress(*, actor: Actor, panel: Panel) -> Progress:
    """How far everybody is, for those who manage the panel."""
    access.require(access.may_manage(actor, panel))
    columns = {**_COUNTS, "name": Max("person__name"), "email": Max("person__email")}
    rows = PanelTask.objects.filter(panel=panel).values("rater", "person").annotate(**columns).order_by("rater")
    raters = tuple(
        RaterProgress(
            key=row["rater"],
            label=row["name"] or row["email"] or row["rater"],
            tally=Tally(row["rated"], row["skipped"], row["of"]),
            imported=row["person"] is None,
        )
        for row in rows
    )
    whole = Tally(*(sum(getattr(each.tally, name) for each in raters) for name in ("rated", "skipped", "of")))
    return Progress(raters, PanelItem.objects.filter(panel=panel).count(), whole, is_complete(panel))


def is_complete(panel: Panel) -> bool:
    """Whether everybody has decided everything, so that disagreements may be looked at.

    Answers that were given to one more rater may still wait: else the first such decision would close the view.
    """
    tasks = PanelTask.objects.filter(panel=panel)
    waits = tasks.filter(state=State.WAITING).exclude(item__finding=ANOTHER)
    return tasks.exists() and not waits.exists()


def _number(key: str | int) -> int:
    """The number of a row; 0, which no row has, for anything else."""
    text = str(key)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_KEY else 0


_COUNTS = {
    "rated": Count("pk", filter=Q(state=State.RATED)),
    "skipped": Count("pk", filter=Q(state=State.SKIPPED)),
    "of": Count("pk"),
}


def _tallies(tasks: QuerySet[PanelTask]) -> dict[str, Tally]:
    rows = tasks.order_by().values("panel").annotate(**_COUNTS)
    return {row["panel"]: Tally(row["rated"], row["skipped"], row["of"]) for row in rows}
