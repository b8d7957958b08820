"""The overview says to an expert, and to nobody else, what waits for her grade."""

from django.test import Client

from gates.panels.rating import rate
from relcontrol.accounts.actors import Actor
from tests.gates.panels.scene import Campaign, graded_by, own


def overview_of(here: Campaign, actor: Actor) -> str:
    """The page as this person sees it."""
    client = Client()
    assert actor.person
    client.force_login(actor.person)
    return client.get(f"/o/{here.organization.slug}/").content.decode()


def test_an_expert_is_told_how_many_answers_wait_for_her_until_she_is_through(here: Campaign) -> None:
    panel, ada = here.panel(name="Legal answers"), here.experts[0]
    assert "4 answers wait for your grade in panel Legal answers" in overview_of(here, ada)
    assert f"/panels/{panel.pk}/rate/" in overview_of(here, ada)
    for task in own(panel, ada)[:3]:
        rate(actor=ada, task=task, grade=4)
    assert "1 answer waits for your grade in panel Legal answers" in overview_of(here, ada)
    graded_by(panel, ada, 4)
    assert "your grade" not in overview_of(here, ada)


def test_who_grades_nothing_is_told_nothing(here: Campaign) -> None:
    here.panel()
    assert "your grade" not in overview_of(here, here.manager)
