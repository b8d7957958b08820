"""The overview: what runs, what was halted and what is held, for those who can do something about it."""

from datetime import timedelta

from django.test import Client

from relcontrol.clock import now
from releases.rollout_models import Rollout
from tests.releases.canary import Canary
from tests.releases.page_visitors import visitor
from tests.releases.pure.rollouts.scene import BREACH, TOXIC
from tests.releases.rolling.readings import Readings, ticked


def overview(here: Canary, *roles: str) -> str:
    client: Client = visitor(here.organization, *roles, email=f"{'-'.join(roles)}@visitor.example")
    answer = client.get(f"/o/{here.organization.slug}/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_running_canary_is_on_the_overview_with_its_share(here: Canary, readings: Readings) -> None:
    assert "Running canaries" not in overview(here, "viewer")
    row = here.start()
    page = overview(here, "auditor")
    assert "Running canaries" in page
    assert "answers 5&nbsp;% of" in page
    assert row.pk in page


def test_a_halt_asks_a_release_manager_to_look_for_a_day(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"errors": BREACH}
    ticked(row, 1)
    assert "was halted" in overview(here, "release-manager")
    assert "was halted" not in overview(here, "viewer")
    Rollout.objects.filter(pk=row.pk).update(ended_at=now() - timedelta(days=2))
    assert "was halted" not in overview(here, "release-manager", "auditor")


def test_a_rollout_that_waits_for_a_person_says_when_it_halts(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"policies": (TOXIC,)}
    ticked(row, 1)
    page = overview(here, "release-manager")
    assert "Decide how the rollout of" in page
    assert "Toxicity is at 0.3." in page
