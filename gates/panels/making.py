"""Making a panel: its answers, its raters and who grades what are settled in one transaction, with a receipt.

A panel without raters takes its grades from files (`gates.panels.importing`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from gates.models import Suite
from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels import rules
from gates.panels.assigning import assign, shuffled
from gates.panels.collecting import Wanted, answers_for
from gates.panels.receipts import record
from gates.panels.sampling import TraceAnswer
from gates.panels.scales import require_scale_of
from gates.run_models import GateRun
from gates.slices.services import slices_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Organization, Person
from relcontrol.accounts.permissions import READ_AUDIT, WRITE_GATES
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

RATERS_PER_ANSWER = 2
INSERTED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Crew:
    """Who grades, and how many of them each answer."""

    people: tuple[Person, ...]
    per_answer: int


@transaction.atomic
def create_panel(
    *,
    actor: Actor,
    name: str,
    rubric: str,
    source: str,
    scale: Sequence[float],
    suite: Suite | None = None,
    run: GateRun | None = None,
    traces: Sequence[TraceAnswer] | None = None,
    slices: Sequence[str] = (),
    count: int | None = None,
    raters: Sequence[str] = (),
    raters_per_answer: int | None = None,
    seed: int | None = None,
) -> Panel:
    """Start a campaign. `raters` are addresses of members; `count` is per slice where `slices` are named.

    Of a suite all graded answers are taken where no count is given, of a run or of live traces thirty. `traces` that
    are not handed in are sampled.
    """
    actor.require(WRITE_GATES)
    if source == Panel.Source.TRACES:
        actor.require(READ_AUDIT)  # it takes the right to read traces to show them to others
    panel = _panel(actor, name, rubric, source, checked_seed(seed))
    panel.scale = list(rules.checked_scale(scale))
    panel.suite, panel.run = _origin(actor.organization, panel.source, suite, run)
    if panel.suite is not None:
        require_scale_of(panel.suite, panel)
    crew = _crew(actor.organization, raters, raters_per_answer)
    if not crew.people and panel.suite is None:
        raise invalid("raters", "Name who grades: grades of live answers come from people here, not from files.")
    panel.raters_per_answer = crew.per_answer
    _insert(panel)
    wanted = Wanted(groups_of(actor.organization, slices), _count(count), frozenset(each.pk for each in crew.people))
    items = _inserted_items(answers_for(panel, wanted, traces)) if crew.people else []
    if crew.people:
        _assign(panel, items, crew)
    _record(actor, panel, len(items), len(crew.people))
    return panel


def checked_seed(seed: int | None) -> int:
    """The seed that was given, or one by chance."""
    if seed is None:
        return secrets.randbelow(rules.HIGHEST_SEED)
    return rules.checked_number(seed, "seed", 0, rules.HIGHEST_SEED)


def groups_of(organization: Organization, slugs: Sequence[str]) -> tuple[frozenset[str], ...]:
    """For each of these slices its slug with those of all below it, each slug in the first group that has it."""
    parents = {row.slug: row.parent.slug if row.parent else None for row in slices_of(organization)}
    if unknown := [slug for slug in slugs if slug not in parents]:
        raise invalid("slices", f"There is no slice {unknown[0][:80]} here. Look it up in the list of slices.")
    taken: set[str] = set()
    groups = []
    for slug in dict.fromkeys(slugs):
        group = {slug}
        while more := {child for child, parent in parents.items() if parent in group} - group:
            group |= more
        groups.append(frozenset(group - taken))
        taken |= group
    return tuple(group for group in groups if group)


def _panel(actor: Actor, name: str, rubric: str, source: str, seed: int) -> Panel:
    if source not in Panel.Source.values:
        raise invalid("source", f"Use one of {', '.join(Panel.Source.values)}.")
    return Panel(
        organization=actor.organization,
        name=rules.checked_name(name),
        rubric=rules.checked_rubric(rubric),
        source=source,
        seed=seed,
        created_by=actor.id,
        created_by_label=actor.label,
        created_at=now(),
    )


def _origin(
    organization: Organization, source: str, suite: Suite | None, run: GateRun | None
) -> tuple[Suite | None, GateRun | None]:
    """The suite that the grades go to, and the run whose answers are graded."""
    if source == Panel.Source.TRACES:
        return None, None
    if source == Panel.Source.SUITE:
        if suite is None or suite.organization_id != organization.pk:
            raise invalid("suite", "Name the suite whose answers are to be graded.")
        return suite, None
    if run is None or run.organization_id != organization.pk:
        raise invalid("run", "Name the gate run whose answers are to be graded.")
    if run.state != GateRun.State.DONE:
        raise invalid("run", f"This gate run is {run.state}: its answers can be graded once it is done.")
    return run.suite, run


def _crew(organization: Organization, raters: Sequence[str], per_answer: int | None) -> Crew:
    emails = list(dict.fromkeys(each.strip().lower() for each in raters))
    if not emails:
        return Crew((), 0)
    rules.checked_number(len(emails), "raters", 1, rules.MOST_RATERS)
    rows = Membership.objects.filter(organization=organization, person__is_active=True).select_related("person")
    members = {row.person.email.lower(): row.person for row in rows}
    if unknown := [email for email in emails if email not in members]:
        raise invalid("raters", f"{unknown[0][:200]} is no member here. An administrator adds people under Settings.")
    wanted = min(RATERS_PER_ANSWER, len(emails)) if per_answer is None else per_answer
    if wanted > len(emails):
        message = f"{wanted} grades for an answer take {wanted} raters, not {len(emails)}: name more, or ask for fewer."
        raise invalid("raters_per_answer", message)
    rules.checked_number(wanted, "raters_per_answer", 1, rules.MOST_PER_ANSWER)
    return Crew(tuple(members[email] for email in emails), wanted)


def _count(count: int | None) -> int | None:
    return None if count is None else rules.checked_number(count, "count", 1, rules.MOST_ANSWERS)


def _insert(panel: Panel) -> None:
    try:
        with transaction.atomic():
            panel.save(force_insert=True)
    except IntegrityError as error:
        there = Panel.objects.filter(organization=panel.organization, name=panel.name).first()
        state = {"panel_id": there.pk, "state": str(there.state)} if there else {}
        message = f"There is a panel {panel.name} already. Give this one another name."
        raise Conflict(message, code="exists_already", state=state) from error


def _inserted_items(items: list[PanelItem]) -> list[PanelItem]:
    return PanelItem.objects.bulk_create(items, batch_size=INSERTED_AT_ONCE)


def _assign(panel: Panel, items: Sequence[PanelItem], crew: Crew) -> None:
    """Write the tasks. Within an item their order is by chance, as disagreements name raters A, B, C by it."""
    people = {person.pk: person for person in crew.people}
    # By their places, as keys of rows would let the same seed assign otherwise in another panel.
    places = {str(number): item for number, item in enumerate(items)}
    tasks = {}
    for each in assign(list(places), list(people), crew.per_answer, panel.seed):
        person, item = people[each.rater], places[each.item]
        tasks[f"{each.item} {each.rater}"] = PanelTask(
            panel=panel, item=item, person=person, rater=person.pk, place=each.place
        )
    mixed = shuffled(tasks, panel.seed, "letters")
    PanelTask.objects.bulk_create((tasks[key] for key in mixed), batch_size=INSERTED_AT_ONCE)


def _record(actor: Actor, panel: Panel, answers: int, raters: int) -> None:
    facts = {
        "answers": answers,
        "raters": raters,
        "raters_per_answer": panel.raters_per_answer,
        "rubric_sha256": sha256_hex(panel.rubric),
    }
    record(actor, panel, "created", facts)
