"""Panels with their people: a suite of six graded answers on two slices, three experts and a manager."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from gates.models import Rating, Suite
from gates.panel_models import Panel, PanelTask
from gates.panels.making import create_panel
from gates.panels.rating import next_task, rate
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Membership, Organization, Person
from relcontrol.accounts.permissions import SCOPES
from relcontrol.clock import now
from tests import factories
from tests.gates.scene import Scene, lines

RUBRIC = "5: right and complete. 1: wrong, or no answer."
LOW_AND_HIGH = (1.0, 5.0)
ANSWERS = 6
SEED = 7_000_000_019
EXPERTS = ("ada", "bea", "cyd")


def rows(count: int = ANSWERS) -> list[dict[str, Any]]:
    """Cases with one graded answer each, by turns on the two slices."""
    slugs = ("ip-licensing", "contract-drafting")
    return [
        {
            "case_id": f"c{number}",
            "slice": slugs[number % 2],
            "input": f"Question {number}?",
            "reference": f"Reference {number}.",
            "answers": [
                {
                    "answer_id": f"r127-{number}",
                    "output": f"Answer {number}.",
                    "system": "r127",
                    "human_scores": [3],
                    "raters": ["earlier"],
                }
            ],
        }
        for number in range(count)
    ]


def suite_of(scene: Scene, cases: Sequence[Any], name: str = "legal-v3") -> Suite:
    """A suite of these cases with grades from 1 to 5."""
    job = carry_out(
        request_import(actor=scene.actor, name=name, body=lines(cases), file_format="jsonl", scale=LOW_AND_HIGH)
    )
    assert job.suite, job.problem
    return job.suite


@dataclass(frozen=True)
class Campaign:
    """A scene with a suite, three experts who are viewers, and a domain owner who manages."""

    scene: Scene
    suite: Suite
    manager: Actor
    experts: tuple[Actor, ...]

    @property
    def organization(self) -> Organization:
        """Whose it is."""
        return self.scene.organization

    @property
    def emails(self) -> list[str]:
        """The addresses of the experts."""
        return [each.person.email for each in self.experts if each.person]

    def panel(self, **changes: Any) -> Panel:
        """A panel of the suite's answers, every answer for two of the experts."""
        order = {
            "actor": self.manager,
            "name": f"Legal answers {Panel.objects.count()}",
            "rubric": RUBRIC,
            "source": "suite",
            "suite": self.suite,
            "raters": self.emails,
            "raters_per_answer": 2,
            "scale": LOW_AND_HIGH,
            "seed": SEED,
        }
        return create_panel(**{**order, **changes})

    def ratings(self) -> QuerySet[Rating]:
        """Grades of the suite that panels have brought."""
        return Rating.objects.filter(answer__case__suite=self.suite).exclude(rater="earlier")


def campaign(scene: Scene) -> Campaign:
    """The scene's panels can begin."""
    manager = factories.person_actor(scene.organization, "domain-owner")
    experts = tuple(expert(scene.organization, name) for name in EXPERTS)
    return Campaign(scene, suite_of(scene, rows()), manager, experts)


def expert(owner: Organization, name: str, *roles: str) -> Actor:
    """A member of this name in a browser; without a role she may only look."""
    member = factories.person(owner, *(roles or ("viewer",)), email=f"{name}@{owner.slug}.example")
    return acting(owner, member)


def acting(owner: Organization, member: Person) -> Actor:
    """This person, who has just proved who she is."""
    roles = Membership.objects.get(organization=owner, person=member).roles
    return Actor(organization=owner, kind="person", auth="session", person=member, roles=roles, proved_at=now())


def service(scene: Scene, *scopes: str) -> Actor:
    """A service token with these scopes, or every one."""
    from relcontrol.accounts.models import Token  # noqa: PLC0415 - only here

    text = factories.service_token(scene.organization, *(scopes or SCOPES))
    token = Token.objects.get(public=text.removeprefix("rc_").partition(".")[0])
    return Actor(organization=scene.organization, kind="service", auth="token", token=token)


def own(panel: Panel, actor: Actor) -> QuerySet[PanelTask]:
    """This person's tasks, in her order."""
    return PanelTask.objects.filter(panel=panel, person=actor.person).order_by("place")


def graded_by(panel: Panel, actor: Actor, *grades: float) -> None:
    """Grade as many answers as there are grades; the last one holds for all that are left then."""
    assert actor.person
    given = list(grades)
    while task := next_task(panel, actor.person):
        rate(actor=actor, task=task, grade=given.pop(0) if len(given) > 1 else given[0])


def all_graded(here: Campaign, panel: Panel, *grades: float) -> None:
    """Every expert gives one grade to everything: the first the first, and so on."""
    for each, grade in zip(here.experts, grades, strict=True):
        graded_by(panel, each, grade)


def with_roles(actor: Actor, *roles: str) -> Actor:
    """The same person as she would be with these roles."""
    return replace(actor, roles=roles)
