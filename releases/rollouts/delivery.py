"""The delivery of a release: which state follows which, and on what (contracts.md "Delivery").

`archived` of a failed release is derived (`releases.deployability`); here it is what a person stored, which is final.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from relcontrol.errors import Conflict
from releases.rollouts.decisions import Act


class Move(StrEnum):
    """What moves a release."""

    START = "start"
    COMPLETE = "complete"
    HALT = "halt"
    ABORT = "abort"
    REPLACE = "replace"
    ROLL_BACK = "roll_back"
    RETURN = "return"
    ARCHIVE = "archive"


DELIVERY: Final[Mapping[tuple[str, Move], str]] = {
    ("registered", Move.START): "rolling",
    ("halted", Move.START): "rolling",
    ("rolled_back", Move.START): "rolling",
    ("rolling", Move.COMPLETE): "stable",
    ("rolling", Move.HALT): "halted",
    ("rolling", Move.ABORT): "registered",
    ("stable", Move.REPLACE): "superseded",
    ("stable", Move.ROLL_BACK): "rolled_back",
    ("superseded", Move.RETURN): "stable",
    ("halted", Move.ARCHIVE): "archived",
    ("rolled_back", Move.ARCHIVE): "archived",
}
MOVE_OF: Final = {Act.STARTED: Move.START, Act.COMPLETED: Move.COMPLETE, Act.HALTED: Move.HALT, Act.ABORTED: Move.ABORT}
WORDS: Final = {
    Move.START: "be rolled out",
    Move.COMPLETE: "become what its route serves",
    Move.HALT: "be halted",
    Move.ABORT: "be taken back from its rollout",
    Move.REPLACE: "be replaced by a later release",
    Move.ROLL_BACK: "be rolled back",
    Move.RETURN: "come back by a rollback",
    Move.ARCHIVE: "be archived",
}


def delivery_after(delivery: str, move: Move) -> str:
    """The next state of a release; `Conflict` with the present one where there is no such way."""
    after = DELIVERY.get((delivery, move))
    if after is None:
        begins = sorted(before for before, possible in DELIVERY if possible is move)
        raise Conflict(
            f"A release that is {_said(delivery)} cannot {WORDS[move]}; one that is {_one_of(begins)} can.",
            code="delivery",
            state={"delivery": delivery},
        )
    return after


def _one_of(states: list[str]) -> str:
    return " or ".join(", ".join(map(_said, part)) for part in (states[:-1], states[-1:]) if part)


def _said(state: str) -> str:
    return state.replace("_", " ")
