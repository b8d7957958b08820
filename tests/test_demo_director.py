"""The demo's people: r1 first, then r2, each once, and nothing that anybody else has begun is touched."""

from typing import Any

import pytest

from relcontrol.demo import directing
from relcontrol.demo.directing import FIRST_ORDER, SECOND_ORDER, Step, direct, next_step
from relcontrol.errors import Conflict
from releases.models import Release
from releases.rollout_models import Rollout
from tests.releases.canary import Canary, canary

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Canary:
    """A route that serves r1, with r2 passed and gateways that have both."""
    made = canary()
    monkeypatch.setattr(directing, "organization", lambda: made.organization)
    monkeypatch.setattr(directing, "acting", lambda *_: made.manager)
    return made


def delivered(release: Release, delivery: str) -> None:
    Release.objects.filter(pk=release.pk).update(delivery=delivery)


def test_a_route_that_serves_nothing_gets_its_first_release_by_way_of_a_shadow(here: Canary) -> None:
    delivered(here.stable, Release.Delivery.REGISTERED)
    assert next_step() == Step(here.stable, FIRST_ORDER)


def test_when_the_first_one_serves_the_second_is_next(here: Canary) -> None:
    assert next_step() == Step(here.candidate, SECOND_ORDER)


def test_the_second_is_rolled_out_once_and_then_the_director_ends(here: Canary) -> None:
    said: list[str] = []
    direct(said.append, lambda _: None)
    row = Rollout.objects.get()
    assert (row.release_id, row.started_by_label) == (here.candidate.pk, here.manager.label)
    assert said == [f"rolling r2 out ({row.pk})", "nothing left to do: the demo's releases are the user's"]
    direct(said.append, lambda _: None)
    assert Rollout.objects.count() == 1


def test_what_somebody_else_has_put_on_the_route_is_left_alone(here: Canary) -> None:
    delivered(here.stable, Release.Delivery.SUPERSEDED)
    delivered(here.candidate, Release.Delivery.STABLE)
    assert next_step() is None


def test_a_first_release_that_was_stopped_is_a_persons_decision(here: Canary) -> None:
    here.start()
    Rollout.objects.update(release=here.stable, state="halted")
    delivered(here.stable, Release.Delivery.HALTED)
    assert next_step() is None


def test_while_the_first_one_rolls_it_is_waited_for(here: Canary) -> None:
    here.start()
    Rollout.objects.update(release=here.stable)
    assert next_step() == "waiting for r1, which is rolling out"


def test_without_a_demo_there_is_nothing_to_do(here: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directing, "organization", lambda: None)
    assert next_step() is None


def test_what_stands_against_a_start_is_said_once_and_tried_again(
    here: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    monkeypatch.setattr(directing, "prepare", lambda **_: None)

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    def not_yet(**_: Any) -> None:
        raise Conflict("Ask again in seconds.")

    monkeypatch.setattr(directing, "start_rollout", not_yet)
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        direct(said.append, pause)
    assert said == ["r2 cannot be rolled out yet: Ask again in seconds."]
