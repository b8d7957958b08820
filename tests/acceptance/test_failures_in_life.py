"""Ten failures, those that take live traffic: #2, #8, #9, #10, and a healthy release that nothing stops.

Each story is acted out by API and services with moved time, from a cold start on; the same happens with processes in
`live/` and in `manage.py rehearse`.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from audit.models import Receipt
from relcontrol.rehearsal import at_observe, at_register, at_roll
from relcontrol.rehearsal.at_roll import AT_ONCE
from relcontrol.rehearsal.lines import steps_of
from relcontrol.rehearsal.stopping import Stopped
from relcontrol.rehearsal.world import NotStoppedError
from releases.models import Release
from releases.rollout_models import Rollback, Rollout, RolloutStep
from releases.selectors import serving
from tests.acceptance.moved import Moved, moving
from tests.factories import api, service_token
from tests.releases.canary import canary

pytestmark = pytest.mark.django_db(transaction=True)

FIVE_MINUTES = 300


@pytest.fixture
def world() -> Iterator[Moved]:
    with moving() as made:
        yield made


def proof(stopped: Stopped) -> Receipt:
    """The receipt that the story names."""
    return Receipt.objects.get(receipt_hash=stopped.receipt)


def test_8_a_plan_that_jumps_or_falls_short_is_refused_and_starts_nothing() -> None:
    here = canary()
    client = here.client("release-manager")
    for percents in AT_ONCE:
        body = {"strategy": "canary", "checkpoints": steps_of(tuple((percent, 100) for percent in percents))}
        answer = client.post(f"releases/{here.candidate.pk}/roll", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "rollout_plan"), percents
        assert not Rollout.objects.exists(), percents
        assert here.fresh(here.candidate).delivery == Release.Delivery.REGISTERED, percents


def test_8_a_release_that_times_out_on_long_answers_is_halted_at_5_percent_with_nobody_acting(world: Moved) -> None:
    stopped = at_roll.at_once(world)
    assert (stopped.stage, proof(stopped).event) == ("Roll", "rollout.halted")
    halted = Rollout.objects.get(release__model_ref__endswith="demo-failing-long")
    assert (halted.state, halted.checkpoint) == ("halted", 1)
    assert "candidate requests failed" in halted.reasons[0]
    last = RolloutStep.objects.filter(rollout=halted).latest("version")
    assert (last.act, last.percent, last.actor) == ("halted", 5, "internal")
    assert halted.release.delivery == Release.Delivery.HALTED
    stable = serving(halted.route)
    assert stable is not None
    assert stable.pk == halted.previous_id
    service = api(service_token(world.stage.organization, "rollouts:write"))
    answer = service.post(f"releases/{halted.release_id}/roll", {"strategy": "canary"})
    assert (answer.status_code, "a person's decision" in answer.json()["detail"]) == (409, True)


def test_2_one_word_less_in_the_live_prompt_is_another_artifact_and_changes_nothing_live(world: Moved) -> None:
    stopped = at_register.edit_in_a_dashboard(world)
    assert (stopped.stage, proof(stopped).event) == ("Register", "artifact.created")
    assert "38 characters" in stopped.tried
    [first, edited] = Release.objects.order_by("number")
    assert (first.delivery, edited.delivery) == (Release.Delivery.STABLE, Release.Delivery.REGISTERED)


@pytest.mark.parametrize("story", [at_observe.silent_hedging, at_observe.impossible_dates], ids=["9", "10"])
def test_what_goes_bad_quietly_after_100_percent_is_rolled_back_at_the_third_window(
    world: Moved, story: at_observe.Story
) -> None:
    stopped = story(world)
    assert (stopped.stage, proof(stopped).event) == ("Observe", "rollback.auto")
    assert stopped.seconds < FIVE_MINUTES
    row = Rollback.objects.get()
    assert (row.trigger, row.decided_by) == (Rollback.Trigger.WINDOWS, "internal")
    windows = row.facts["windows"]
    assert [each["verdict"] for each in windows] == ["below"] * 3
    assert row.left.model_ref.endswith("-model")
    now = serving(row.route)
    assert now is not None
    assert now.pk == row.target_id
    assert now.previous_release is None
    assert row.left.delivery == Release.Delivery.ROLLED_BACK


def test_a_first_release_comes_by_shadow_and_override_and_a_healthy_one_passes_all_stages_untouched(
    world: Moved,
) -> None:
    stopped = at_roll.healthy_release(world)
    assert (stopped.stage, proof(stopped).event) == ("untouched", "rollout.completed")
    cold, healthy = Rollout.objects.order_by("started_at")
    assert [step.act for step in RolloutStep.objects.filter(rollout=cold).order_by("version")] == [
        "started",
        "completed",
    ]
    assert "in shadow" in cold.reasons[0]
    assert cold.override is not None
    assert healthy.settings["dry"] == cold.settings["dry"] == []
    assert {step.actor for step in RolloutStep.objects.filter(rollout=healthy).exclude(act="started")} == {"internal"}
    assert not Rollback.objects.exists()


def test_a_story_that_is_not_as_told_is_not_taken_for_stopped(world: Moved) -> None:
    with pytest.raises(NotStoppedError, match="not within"):
        world.until("nothing happens", lambda: None, timedelta(seconds=1))
