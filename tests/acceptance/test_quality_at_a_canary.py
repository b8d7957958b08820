"""What the pairs of a canary say of its answers: a model that hedges is halted, a drop that people accepted is not.

The stories happen once, in this order and with moved time, on one route; every test looks at what came of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command

from relcontrol.rehearsal.at_roll import STEPS, TALKATIVE
from relcontrol.rehearsal.lines import LEVEL, Line, first_served
from relcontrol.rehearsal.setting_up import judged, overridden, results_of
from relcontrol.rehearsal.world import PIPELINE, Row, expect
from releases.monitors.evidence import rollout_alarm
from releases.monitors.quality import CAP, judge_quality
from releases.monitors.quality_sums import TOLERANCE, QualitySums
from releases.monitors.verdict import Reading
from releases.rollout_models import ReplayPair, Rollout, RolloutStep
from tests.acceptance.moved import moving

LOST = 0.2
SOON = timedelta(minutes=4)


@dataclass(frozen=True)
class Told:
    """What came of the stories."""

    line: Line
    hedging: Rollout
    accepted: Rollout


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[Told]:
    """Both stories, and an empty database after them."""
    with django_db_blocker.unblock():
        try:
            with moving() as world:
                line = first_served(world)
                yield Told(line, _hedging(line), _accepted(line))
        finally:
            call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def db(told: Told) -> None:
    """In this file what the stories have left, in place of a transaction for each test: no test changes anything."""


def _hedging(line: Line) -> Rollout:
    release = line.next_release(model_ref=f"endpoint:{line.world.endpoint}/demo-hedging")
    line.pass_gate(release)
    found = line.until_over(_rolling(line, release))
    return Rollout.objects.get(pk=found["rollout_id"])


def _rolling(line: Line, release: Row) -> str:
    rollout = line.roll(release, STEPS)
    line.world.asking(replace(line.crowd, rollout=rollout, percent=5, times=TALKATIVE))
    return rollout


def _accepted(line: Line) -> Rollout:
    """A release that lost 0.2 at the gate, which two people accept; live it loses as much again, and no more."""
    release = line.next_release()
    parts = {line.slice: LEVEL.shifted(-LOST)}
    document = judged(line.world, release, results_of(parts, release["release_id"]))
    assert document["verdict"] == "gate_fail"
    overridden(line.world, release, accepted_levels={line.slice: "0.30"})
    rollout = _rolling(line, release)

    def scored() -> Rollout | None:
        _score(line, rollout)
        row = Rollout.objects.get(pk=rollout)
        return row if row.is_over or len(_differences(row)) >= CAP else None

    found: Rollout = line.world.until("all pairs of the slice are scored", scored, SOON)
    return found


def _score(line: Line, rollout: str) -> None:
    """What the slice's external judge says of pairs: the candidate is 0.2 worse."""
    fresh = ReplayPair.objects.filter(rollout=rollout, state=ReplayPair.State.SCORED, source__startswith="rules:")
    scores = [
        {"pair_id": pair.pk, "stable": 0.75, "candidate": 0.75 - LOST + 0.01 * (place % 3 - 1)}
        for place, pair in enumerate(fresh)
    ]
    if scores:
        expect(line.world.post(PIPELINE, f"rollouts/{rollout}/scores", {"scores": scores}), 200)


def _differences(row: Rollout) -> list[float]:
    scored = ReplayPair.objects.filter(rollout=row, source__startswith="external:").order_by("pk")
    return [(pair.candidate_score or 0.0) - (pair.stable_score or 0.0) for pair in scored]


def test_a_release_that_hedges_is_halted_at_a_checkpoint_with_nobody_acting(told: Told) -> None:
    row = told.hedging
    steps = RolloutStep.objects.filter(rollout=row).order_by("version")
    last = steps.latest("version")
    assert (row.state, row.checkpoint, last.act, last.percent) == ("halted", 1, "halted", 5)
    assert "quality" in row.reasons[0], row.reasons
    assert {step.actor for step in steps.exclude(act="started")} == {"internal"}


def test_what_hedges_is_as_quick_and_as_free_of_errors_as_stable(told: Told) -> None:
    assert not any("failed" in reason for reason in told.hedging.reasons)


def test_a_drop_that_an_override_accepted_is_not_halted_and_would_have_been_without_it(told: Told) -> None:
    row, slug = told.accepted, told.line.slice
    differences = _differences(row)[:CAP]
    assert len(differences) == CAP
    assert not row.is_over, row.reasons
    assert row.settings["tolerances"][slug] > LOST
    alarm = rollout_alarm(monitors=4, slices=1, checkpoints=len(STEPS))
    plain = judge_quality({slug: QualitySums.of(differences, tolerance=TOLERANCE)}, alarm=alarm)[slug]
    widened = QualitySums.of(differences, tolerance=row.settings["tolerances"][slug])
    accepted = judge_quality({slug: widened}, alarm=alarm)[slug]
    assert (plain.reading, accepted.reading) == (Reading.BREACH, Reading.OK)
