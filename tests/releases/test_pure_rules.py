"""The pure rules of delivery: plans of rollouts, and who may roll."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.standing import Standing
from relcontrol.errors import Invalid
from releases.checkpoints import DEFAULT_PLAN, Checkpoint, plan_of
from releases.deployability import deployability
from releases.models import Release

STEP = st.fixed_dictionaries(
    {"percent": st.integers(1, 100), "dwell_seconds": st.integers(1, 99), "requests": st.integers(1, 99)}
)


def test_without_a_word_the_default_plan_holds() -> None:
    assert plan_of({"strategy": "canary"}) == DEFAULT_PLAN


def test_single_numbers_of_the_default_plan_can_be_changed() -> None:
    plan = plan_of({"dwell_5pct_seconds": 60, "requests_100pct": 7})
    assert plan == (Checkpoint(5, 60, 1_000), Checkpoint(25, 900, 10_000), Checkpoint(100, 240, 7))


@given(st.lists(STEP, max_size=6))
def test_a_plan_is_taken_exactly_if_it_grows_in_three_steps_to_all_traffic(steps: list[dict[str, Any]]) -> None:
    percents = [step["percent"] for step in steps]
    sound = len(percents) >= 3 and percents == sorted(set(percents)) and percents[-1] == 100
    if sound:
        assert [step.percent for step in plan_of({"checkpoints": steps})] == percents
    else:
        with pytest.raises(Invalid):
            plan_of({"checkpoints": steps})


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("delivery", Release.Delivery.values)
def test_a_release_is_deployable_exactly_with_a_pass_or_override_while_registered(
    standing: Standing, delivery: str
) -> None:
    state = deployability(standing=standing, delivery=delivery)
    assert state.deployable == (standing in {"pass", "overridden"} and delivery == "registered")
    assert all(reason.endswith(".") for reason in state.why_not)
