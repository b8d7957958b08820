"""Ten failures, #8: 0 % to 100 % at once is refused; a release that fails on long answers is halted at 5 %.

Here traces come in as a gateway sends them and time is moved; the same happens with processes in `live/`.
"""

from datetime import timedelta
from typing import Any

import pytest

from relcontrol.clock import now
from releases.models import Release
from releases.rolling.ticking import tick
from releases.rollout_models import Rollout, RolloutStep
from releases.rollouts.decisions import Act
from releases.traces.ingest import store
from tests.releases.canary import Canary, canary
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

STABLE_SUBJECTS, CANDIDATE_SUBJECTS = 760, 40
EACH = 5
LONG = 7  # every seventh question wants more than 2,400 tokens


@pytest.fixture
def here() -> Canary:
    return canary()


def roll(here: Canary, **body: Any) -> Any:
    return here.client("release-manager").post(f"releases/{here.candidate.pk}/roll", {"strategy": "canary", **body})


def step(percent: int) -> dict[str, int]:
    return {"percent": percent, "dwell_seconds": 60, "requests": 100}


@pytest.mark.parametrize("percents", [(100,), (5, 100), (25, 5, 100), (5, 25, 50), (5, 25, 25, 100)])
def test_8_a_plan_that_jumps_or_falls_short_is_refused_and_starts_nothing(
    here: Canary, percents: tuple[int, ...]
) -> None:
    answer = roll(here, checkpoints=[step(percent) for percent in percents])
    assert (answer.status_code, answer.json()["code"]) == (422, "rollout_plan")
    assert not Rollout.objects.exists()
    assert here.fresh(here.candidate).delivery == Release.Delivery.REGISTERED


@pytest.fixture
def halted(here: Canary) -> Rollout:
    """The candidate's rollout after one look at what the gateways sent."""
    row = here.start()
    rows = [*served(here, row, "stable", STABLE_SUBJECTS, 1), *served(here, row, "candidate", CANDIDATE_SUBJECTS, EACH)]
    assert store(here.organization, rows, now=now()).accepted == len(rows)
    # Traces count once no older transaction is open, here or in a test beside this one.
    until(lambda: tick(fresh(row), now() + timedelta(seconds=30)).act is Act.HALTED, 60, "the rollout is halted")
    return fresh(row)


def test_8_a_release_that_times_out_on_long_answers_is_halted_at_5_percent_with_nobody_acting(
    here: Canary, halted: Rollout
) -> None:
    assert (halted.state, halted.checkpoint) == ("halted", 1)
    assert "candidate requests failed" in halted.reasons[0]
    last = RolloutStep.objects.filter(rollout=halted).latest("version")
    assert (last.act, last.percent, last.actor) == ("halted", 5, "internal")
    assert here.fresh(here.candidate).delivery == Release.Delivery.HALTED
    assert here.fresh(here.stable).delivery == Release.Delivery.STABLE
    assert here.last_statement()["event"] == "rollout.halted"


def test_8_no_service_rolls_it_again(here: Canary, halted: Rollout) -> None:
    answer = here.service("rollouts:write").post(f"releases/{here.candidate.pk}/roll", {"strategy": "canary"})
    assert (answer.status_code, halted.state) == (409, "halted")
    assert "a person's decision" in answer.json()["detail"]


def fresh(row: Rollout) -> Rollout:
    rows = Rollout.objects.select_related("organization", "application", "route", "release", "previous")
    return rows.get(pk=row.pk)


def served(here: Canary, row: Rollout, arm: str, subjects: int, each: int) -> list[dict[str, Any]]:
    """Requests of an arm; on the candidate the long ones end with 504."""
    release = row.release if arm == "candidate" else here.stable
    return [
        {
            "trace_id": f"{arm == 'candidate':016x}{subject:08x}{place:08x}",
            "started_at": now().isoformat(),
            "request_id": f"req-{arm}-{subject}-{place}",
            "release": release.manifest_sha256,
            "route": row.route_id,
            "rollout": row.pk,
            "arm": arm,
            "generation": row.entered_generation,
            "subject": f"{arm}-{subject}",
            "input": {"messages": [{"role": "user", "content": f"Question {subject}?"}]},
            "output": None if failed else "An answer.",
            "status": 504 if failed else 200,
            "error": "upstream_5xx" if failed else None,
            "latency_ms": 900.0,
            "metadata": {"topic": "ip-licensing"},
            "fingerprint": release.bundle_sha256,
        }
        for subject in range(subjects)
        for place in range(each)
        for failed in [arm == "candidate" and (subject * each + place) % LONG == 0]
    ]
