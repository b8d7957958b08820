"""How a rollout begins, and everything that stands against it."""

from dataclasses import replace

import pytest

from audit.events import Event
from releases.checkpoints import DEFAULT_PLAN
from releases.rollouts.decisions import Act, Decision, Refusal
from releases.rollouts.evidence import StartFacts
from releases.rollouts.starting import shadow_like, start
from releases.rollouts.states import COLD_START_SHADOW, State
from tests.releases.pure.rollouts.scene import ORDER, OTHER, STABLE, T0, after, begun

READY = StartFacts(STABLE)


def _start(facts: StartFacts, previous: str | None = STABLE) -> Decision:
    return start(plan=DEFAULT_PLAN, previous=previous, now=T0, order=ORDER, facts=facts)


def test_a_rollout_begins_at_its_first_checkpoint() -> None:
    decision = _start(READY)
    rollout = after(decision)
    assert (decision.act, decision.event) == (Act.STARTED, Event.ROLLOUT_STARTED)
    assert (rollout.state, rollout.checkpoint, rollout.basis_points, rollout.version) == (State.CHECKPOINT, 1, 500, 1)


def test_a_shadow_that_is_asked_for_comes_before_the_first_checkpoint() -> None:
    rollout = begun(shadow=shadow_like(DEFAULT_PLAN[0]))
    assert (rollout.state, rollout.checkpoint, rollout.basis_points) == (State.SHADOWING, 0, 0)


def test_a_cold_start_is_in_shadow_for_a_day_whatever_was_asked() -> None:
    rollout = after(_start(StartFacts(None), previous=None))
    assert (rollout.state, rollout.step, rollout.cold_start) == (State.SHADOWING, COLD_START_SHADOW, True)


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        (replace(READY, why_not=("The gate holds it.",)), Refusal.NOT_DEPLOYABLE),
        (replace(READY, stable=OTHER), Refusal.REBASE),
        (replace(READY, stable=None), Refusal.REBASE),
        (replace(READY, fingerprint="No gateway reports its bundle yet."), Refusal.NOT_READY),
        (replace(READY, target="The rollback target does not answer."), Refusal.NOT_READY),
        (replace(READY, route=("Another rollout runs on this route.",)), Refusal.NOT_READY),
    ],
)
def test_whatever_is_missing_refuses_the_start(facts: StartFacts, refusal: Refusal) -> None:
    decision = _start(facts)
    assert (decision.act, decision.rollout, decision.refusal) == (Act.NOTHING, None, refusal)
    conflict = decision.conflict()
    assert conflict is not None
    assert conflict.code == refusal.value


def test_a_refused_start_names_every_reason() -> None:
    decision = _start(StartFacts(OTHER, why_not=("One.",), fingerprint="Two.", target="Three.", route=("Four.",)))
    assert [decision.reasons[0], *decision.reasons[2:]] == ["One.", "Two.", "Three.", "Four."]
    assert "rebase" in decision.reasons[1]


def test_a_cold_start_needs_no_rollback_target() -> None:
    assert _start(StartFacts(None, target="There is none."), previous=None).act is Act.STARTED


def test_a_release_without_a_previous_one_does_not_start_beside_a_stable_one() -> None:
    assert _start(READY, previous=None).refusal is Refusal.REBASE
