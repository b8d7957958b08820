"""Issue 4, "It must show", against real processes and real traffic: nobody acts after a rollout has begun.

The scenarios happen once, in this order, on one route; every test looks at what came of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import openai
import pytest
from django.core.management import call_command

from audit.models import Receipt
from relcontrol.accounts.models import Organization, RoutingState
from releases.measuring.checkpoint_sums import CheckpointSums
from releases.models import Release
from releases.monitors.frozen import FEWEST_REQUESTS
from releases.replica_models import Replica
from releases.rollout_models import Measurement, Rollout, RolloutStep
from releases.selectors import serving
from tests.acceptance.live.crowd import Crowd, asking
from tests.acceptance.live.scene import HEALTHY, Office, office
from tests.acceptance.live.system import System, models_process, running
from tests.waiting import until

pytestmark = pytest.mark.django_db

PLAN = ((5, 250), (25, 250), (100, 250))
SHADOW = ((5, 100), (25, 100), (100, 100))
BAD = "demo-failing-long"
# Candidates' users: requests come quickly, and from 30 users or more.
TALKATIVE = {5: 6, 25: 2, 100: 1}
DWELL = 120  # seconds, four times of which the evidence may take before a person is asked
PATIENCE = 120.0


@dataclass
class Told:
    """What happened, by the name of the scenario."""

    system: System
    office: Office
    first: Release
    healthy: Release
    rollouts: dict[str, Rollout] = field(default_factory=dict)
    releases_after: set[str] = field(default_factory=set)
    answers: dict[str, Any] = field(default_factory=dict)

    def steps(self, name: str) -> list[tuple[str, int]]:
        """Act and percent of every step of a rollout."""
        rows = RolloutStep.objects.filter(rollout=self.rollouts[name]).order_by("version")
        return list(rows.values_list("act", "percent"))


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """All scenarios, and an empty database after them."""
    with django_db_blocker.unblock():
        try:
            with models_process() as models_url:
                yield _told(office(models_url), tmp_path_factory)
        finally:
            call_command("flush", verbosity=0, interactive=False)


def _told(here: Office, folders: pytest.TempPathFactory) -> Told:
    stage = here.stage
    with running(stage.organization, stage.application, folders.mktemp("gateway")) as system, asking(system) as crowd:
        first = here.registered(HEALTHY, None)
        here.judged(first)
        here.overridden(first)
        cold = _until_over(system, here.rolling(first, *SHADOW, strategy="shadow"))
        value = {"kind": "prompt_template", "system": "You answer questions about the law.", "user": "{{ input }}"}
        changed = {"prompt_template_ref": "templates/legal-qa@v2"}
        stage.ci.post("artifacts", {"ref": changed["prompt_template_ref"], "value": value})
        healthy = here.registered(HEALTHY, first, **changed)
        story = Told(system, here, first, healthy, {"cold": cold})
        here.judged(healthy)
        story.answers["one step"] = here.roll(healthy, (100, 200))
        here.dwell = DWELL
        _roll_healthy(story, crowd)
        _roll_bad(story, crowd, changed)
        _ask_as_a_client(story)
    return story


def _until_over(system: System, row: Rollout) -> Rollout:
    return system.tick_until(row, lambda now: now.is_over, PATIENCE, f"the rollout of {row.release.name} is over")


def _roll_healthy(story: Told, crowd: Crowd) -> None:
    """Users are as talkative as it takes to be quick; all of them, once all are the candidate's."""
    row = story.office.rolling(story.healthy, *PLAN)
    for place, (percent, _) in enumerate(PLAN, start=1):
        crowd.watch(row, percent=percent, talkative=TALKATIVE[percent])
        what = f"{percent} % is over"
        row = story.system.tick_until(row, _past(place), PATIENCE, what, until_then=_stable_is_too_new)
    assert row.state == Rollout.State.COMPLETED, row.reasons
    story.rollouts["healthy"] = row


def _stable_is_too_new(row: Rollout) -> bool:
    """Stable has not answered as many streams as the monitors compare with once it answers nobody."""
    stored = Measurement.objects.filter(rollout=row).values_list("sums", flat=True)
    return sum(CheckpointSums.from_json(sums).ttft.stable.requests for sums in stored) < FEWEST_REQUESTS


def _past(checkpoint: int) -> Callable[[Rollout], bool]:
    return lambda row: row.is_over or row.checkpoint > checkpoint


def _roll_bad(story: Told, crowd: Crowd, changed: dict[str, str]) -> None:
    release = story.office.registered(BAD, story.healthy, **changed)
    assert story.office.judged(release) == "gate_pass"
    row = story.office.rolling(release, *PLAN)
    crowd.watch(row, percent=5, talkative=TALKATIVE[5], long=0.15)
    story.rollouts[BAD] = _until_over(story.system, row)
    until(lambda: _is_acknowledged(story.office.stage.organization), PATIENCE, "the gateway has taken the traffic back")
    story.releases_after = _answering(story.system, crowd.candidate_users(20))


def _is_acknowledged(organization: Organization) -> bool:
    """Whether the gateway serves by the present generation."""
    generation = RoutingState.objects.get(organization=organization).generation
    return not Replica.objects.filter(organization=organization, generation__lt=generation).exists()


def _answering(system: System, users: list[str]) -> set[str]:
    """The releases that answer these users now."""
    client = openai.OpenAI(base_url=f"{system.gateway}/v1", api_key=system.key, max_retries=0)
    with client:
        answers = [
            client.chat.completions.with_raw_response.create(
                model="any",
                messages=[{"role": "user", "content": "Answer in about 20 tokens."}],
                extra_headers={"x-relcontrol-subject": user},
            )
            for user in users
        ]
    return {answer.headers["x-relcontrol-release"] for answer in answers}


def _ask_as_a_client(story: Told) -> None:
    with openai.OpenAI(base_url=f"{story.system.gateway}/v1", api_key=story.system.key) as client:
        asked: Any = {"model": "any", "messages": [{"role": "user", "content": "May affiliates use the licence?"}]}
        whole = client.chat.completions.create(**asked)
        streamed = list(client.chat.completions.create(**asked, stream=True))
    story.answers["whole"] = whole.choices[0].message.content
    story.answers["streamed"] = "".join(piece.choices[0].delta.content or "" for piece in streamed if piece.choices)


def test_an_unmodified_openai_client_is_answered_in_one_piece_and_as_a_stream(told: Told) -> None:
    assert len(told.answers["whole"]) > 100
    assert len(told.answers["streamed"]) > 100


def test_a_first_release_is_tried_by_copies_while_nothing_serves_and_then_serves(told: Told) -> None:
    cold = told.rollouts["cold"]
    assert (cold.state, told.steps("cold")) == ("completed", [("started", 0), ("completed", 0)])
    assert "in shadow" in cold.reasons[0]


def test_a_plan_of_one_step_is_refused(told: Told) -> None:
    answer = told.answers["one step"]
    assert (answer.status_code, answer.json()["code"]) == (422, "rollout_plan")


def test_a_healthy_release_goes_from_5_to_25_to_100_percent_by_itself(told: Told) -> None:
    moved = [step for step in told.steps("healthy") if step[0] != "extended"]
    assert moved == [("started", 5), ("promoted", 25), ("promoted", 100), ("completed", 100)]
    assert told.rollouts["healthy"].state == "completed"
    now = serving(told.healthy.route)
    assert now is not None
    assert now.pk == told.healthy.pk


def test_a_release_that_fails_in_life_is_halted_at_a_checkpoint_with_nobody_acting(told: Told) -> None:
    row = told.rollouts[BAD]
    assert (row.state, row.checkpoint, told.steps(BAD)[-1]) == ("halted", 1, ("halted", 5))
    assert "requests failed" in row.reasons[0], row.reasons
    assert {step.actor for step in RolloutStep.objects.filter(rollout=row).exclude(act="started")} == {"internal"}


def test_the_candidates_users_are_answered_by_stable_again(told: Told) -> None:
    assert told.releases_after == {told.healthy.manifest_sha256[:12]}


def test_every_step_has_its_receipt(told: Told) -> None:
    for row in told.rollouts.values():
        hashes = list(RolloutStep.objects.filter(rollout=row).values_list("receipt_hash", flat=True))
        assert Receipt.objects.filter(receipt_hash__in=hashes).count() == len(hashes) == row.version
