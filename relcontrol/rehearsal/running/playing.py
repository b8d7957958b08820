"""Acting the failures out against a running system, those that wait for traffic beside those that do not; the table."""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from django.db import connections

from relcontrol.rehearsal.at_roll import left_alone
from relcontrol.rehearsal.catalogue import BY_NUMBER, FAILURES, HEALTHY
from relcontrol.rehearsal.running.crowds import Crowds, crowds
from relcontrol.rehearsal.running.house import House, open_house
from relcontrol.rehearsal.running.live import Live
from relcontrol.rehearsal.running.processes import gateway, models
from relcontrol.rehearsal.stopping import Scenario, Stopped
from relcontrol.rehearsal.world import NotStoppedError

# The longest first: those that wait for traffic and windows go on beside those that only call.
SIDE_BY_SIDE: Final = ((0,), (9,), (10,), (2, 8), (1, 3, 4, 5, 6, 7))
SHOWN: Final = 12

Write = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class System:
    """Where the running system answers."""

    web: str
    edge: str


@dataclass(frozen=True, slots=True)
class Played:
    """One scenario: where it was stopped, or the sentence what happened in its place; seconds of the whole story."""

    scenario: Scenario
    stopped: Stopped | None
    problem: str
    took: float

    @property
    def is_well(self) -> bool:
        """Whether it ended as it must."""
        return self.stopped is not None and self.stopped.stage == self.scenario.stage and not self.problem

    @property
    def is_healthy(self) -> bool:
        """Whether it is the release that must come through, and did."""
        return self.is_well and self.scenario.number == HEALTHY.number


def rehearse(system: System, numbers: Sequence[int], write: Write) -> list[Played]:
    """Act these out in an organization of their own, which is closed afterwards; what came of each, by number."""
    with ExitStack() as stack:
        models_url = stack.enter_context(models())
        house = open_house(models_url)
        stack.callback(lambda: write(house.close()))
        write(f"organization {house.organization.slug} at {system.web}")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relcontrol-rehearsal-")))
        address = stack.enter_context(gateway(house.organization, house.gateway_token(), system.edge, folder))
        users = stack.enter_context(crowds(address))
        worlds = {number: _world(system, house, users, models_url, number) for number in numbers}
        played = _played(worlds, write)
        return [replace(each, problem=_since(worlds[0])) if each.is_healthy else each for each in played]


def table(played: Sequence[Played]) -> list[str]:
    """Lines for people: one for each, and the sum."""
    lines = [f"{'#':>2}  {'failure':<30} {'must stop':<10} {'stopped at':<10} {'after':>9}  receipt"]
    for each in played:
        stage, after, receipt = "not stopped", "", ""
        if each.stopped is not None:
            stage, after = each.stopped.stage, f"{each.stopped.seconds:.2f} s"
            receipt = f"{each.stopped.receipt[:SHOWN]} {each.stopped.event}"
        number = str(each.scenario.number or "")
        lines.append(
            f"{number:>2}  {each.scenario.title:<30} {each.scenario.stage:<10} {stage:<10} {after:>9}  {receipt}"
        )
    return lines


def summary(played: Sequence[Played]) -> str:
    """Ten of ten, and the healthy one."""
    failures = [each for each in played if each.scenario.number != HEALTHY.number]
    said = f"{sum(each.is_well for each in failures)} of {len(failures)} stopped at their stage"
    healthy = [each for each in played if each.scenario.number == HEALTHY.number]
    if not healthy:
        return said
    return f"{said}; the healthy release was {'untouched' if healthy[0].is_well else 'NOT left alone'}"


def _since(world: Live) -> str:
    """What became of the healthy release while the failures went on; empty where nothing did."""
    try:
        left_alone(world)
    except NotStoppedError as error:
        return str(error)
    return ""


def _world(system: System, house: House, users: Crowds, models_url: str, number: int) -> Live:
    room = house.room(f"failure-{number}" if number else "healthy")
    return Live(system.web, models_url, house, room, users.on(room.key))


def _played(worlds: dict[int, Live], write: Write) -> list[Played]:
    said = threading.Lock()
    lanes = [[number for number in lane if number in worlds] for lane in SIDE_BY_SIDE]
    with ThreadPoolExecutor(len(lanes)) as pool:
        found = pool.map(lambda lane: _lane(lane, worlds, write, said), lanes)
        played = {each.scenario.number: each for lane in found for each in lane}
    order = [scenario.number for scenario in (*FAILURES, HEALTHY)]
    return [played[number] for number in order if number in played]


def _lane(numbers: Sequence[int], worlds: dict[int, Live], write: Write, said: threading.Lock) -> list[Played]:
    try:
        return [_play(BY_NUMBER[number], worlds[number], write, said) for number in numbers]
    finally:
        connections.close_all()


def _play(scenario: Scenario, world: Live, write: Write, said: threading.Lock) -> Played:
    began, stopped, problem = time.monotonic(), None, ""
    try:
        stopped = scenario.play(world)
    except NotStoppedError as error:
        problem = str(error)
    except (OSError, LookupError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
    if scenario.number != HEALTHY.number:
        world.asks.crowd = None
    played = Played(scenario, stopped, problem, time.monotonic() - began)
    with said:
        for line in _told(played):
            write(line)
    return played


def _told(played: Played) -> list[str]:
    scenario, stopped = played.scenario, played.stopped
    head = f"#{scenario.number} {scenario.title}" if scenario.number else scenario.title.capitalize()
    if stopped is None:
        return [f"{head}: NOT as it must be, after {played.took:.0f} s", f"    {played.problem}"]
    return [
        f"{head}: {stopped.stage}",
        f"    tried    {stopped.tried}",
        f"    by       {stopped.by}",
        f"    after    {stopped.seconds:.2f} s (the whole story {played.took:.0f} s)",
        f"    receipt  {stopped.receipt} {stopped.event}",
    ]
