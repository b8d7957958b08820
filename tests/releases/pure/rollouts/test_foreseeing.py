"""What is said of a plan before it begins: whether 100 % will have something to be compared with (R13)."""

import pytest

from releases.checkpoints import DEFAULT_PLAN, Checkpoint
from releases.rollouts.foreseeing import foreseen


def plan(*requests: int) -> list[Checkpoint]:
    """5, 25 and 100 % with these requests."""
    return [Checkpoint(percent, 60, count) for percent, count in zip((5, 25, 100), requests, strict=True)]


@pytest.mark.parametrize(("requests", "about"), [((50, 50, 50), "1,100"), ((20, 100, 1), "680"), ((1, 1, 9_999), "22")])
def test_a_plan_that_counts_too_little_of_stable_is_said(requests: tuple[int, ...], about: str) -> None:
    (said,) = foreseen(plan(*requests))
    assert f"about {about} requests. With fewer than 1,000 they only hold" in said


@pytest.mark.parametrize("steps", [DEFAULT_PLAN, plan(100, 100, 1), plan(1, 700, 1)])
def test_nothing_is_said_of_others(steps: list[Checkpoint]) -> None:
    assert list(foreseen(steps)) == []
