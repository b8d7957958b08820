"""What is told of one failure: where it was stopped, by what, after how long, and the receipt that proves it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from relcontrol.rehearsal.world import PIPELINE, Row, World, expect, must

REGISTER, GATE, ROLL, OBSERVE = STAGES = ("Register", "Gate", "Roll", "Observe")
UNTOUCHED: Final = "untouched"


@dataclass(frozen=True, slots=True)
class Stopped:
    """`stage` is where it was stopped; `seconds` are those from the attempt until then, in the world's time."""

    stage: str
    tried: str
    by: str
    seconds: float
    event: str
    receipt: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One failure of ten-failures.md and where it must be stopped; number 0 is a release that must come through."""

    number: int
    title: str
    stage: str
    play: Callable[[World], Stopped]


def seconds_since(world: World, began: float) -> float:
    """Seconds of the world's time since a `world.now().timestamp()`."""
    return max(0.0, world.now().timestamp() - began)


def newest_receipt(world: World, event: str, **filters: str) -> Row:
    """The newest receipt of this event in the world's application."""
    query = {"event": event, "application": world.application, **filters}
    rows: list[Row] = expect(world.get(PIPELINE, "receipts", **query), 200).body["results"]
    must(rows, f"there is no receipt {event}")
    return rows[0]


def head(world: World) -> Row:
    """The newest receipt of the application but the observer's own: what a refused call must leave as it was."""
    rows: list[Row] = expect(world.get(PIPELINE, "receipts", application=world.application), 200).body["results"]
    found = [row for row in rows if not row["event"].startswith("observer.")]
    must(found, "there are no receipts yet")
    return found[0]
