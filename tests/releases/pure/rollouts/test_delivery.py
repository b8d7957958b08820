"""The delivery of a release (contracts.md): these ways and no others."""

import itertools

import pytest

from relcontrol.errors import Conflict
from releases.models import Release
from releases.rollouts.decisions import Act
from releases.rollouts.delivery import DELIVERY, MOVE_OF, Move, delivery_after

WAYS = [
    ("registered", Move.START, "rolling"),
    ("halted", Move.START, "rolling"),
    ("rolled_back", Move.START, "rolling"),
    ("rolling", Move.COMPLETE, "stable"),
    ("rolling", Move.HALT, "halted"),
    ("rolling", Move.ABORT, "registered"),
    ("stable", Move.REPLACE, "superseded"),
    ("stable", Move.ROLL_BACK, "rolled_back"),
    ("superseded", Move.RETURN, "stable"),
    ("halted", Move.ARCHIVE, "archived"),
    ("rolled_back", Move.ARCHIVE, "archived"),
]
REFUSED = sorted(set(itertools.product(Release.Delivery.values, Move)) - {(before, move) for before, move, _ in WAYS})


@pytest.mark.parametrize(("before", "move", "expected"), WAYS)
def test_a_release_goes_the_ways_of_the_contract(before: str, move: Move, expected: str) -> None:
    assert delivery_after(before, move) == expected


@pytest.mark.parametrize(("before", "move"), REFUSED)
def test_there_is_no_other_way(before: str, move: Move) -> None:
    with pytest.raises(Conflict) as caught:
        delivery_after(before, move)
    assert caught.value.state == {"delivery": before}


def test_every_state_is_one_that_a_release_can_store() -> None:
    named = {state for (before, _), later in DELIVERY.items() for state in (before, later)}
    assert named == set(Release.Delivery.values)


def test_every_end_and_the_beginning_of_a_rollout_move_its_release() -> None:
    assert set(MOVE_OF) == {Act.STARTED, Act.COMPLETED, Act.HALTED, Act.ABORTED}


def test_a_refusal_says_what_would_be_possible() -> None:
    with pytest.raises(Conflict, match="that is registered cannot be archived; one that is halted or rolled back can"):
        delivery_after("registered", Move.ARCHIVE)
