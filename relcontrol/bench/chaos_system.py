"""Everything of a small installation under load, each part of which may be killed: who is a victim, and who is well."""

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.db import Error, connection

from relcontrol.bench.chaos_cluster import HOST, Cluster
from relcontrol.bench.chaos_director import Director
from relcontrol.bench.chaos_fleet import Fleet
from relcontrol.bench.chaos_stage import Stage
from relcontrol.bench.chaos_traffic import KEY_VARIABLE, Outcome, read_outcomes
from relcontrol.jobs.models import ProcessHeartbeat
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.ports import EDGE_OFFSET
from relcontrol.runtime.services import base_url
from releases.replica_models import Replica
from releases.rolling.selectors import open_rollout

POSTGRES: Final = "postgres"
GATEWAY: Final = "gateway"
CONTROL_PLANE: Final = ("web", "edge", "ticker", "worker", "replayer", "beat")
VICTIMS: Final = (*CONTROL_PLANE, GATEWAY, POSTGRES)
BEATING: Final = {"ticker": "ticker", "worker": "worker", "replayer": "replayer", "beat": "ticker"}
REPLICA: Final = "chaos"
WORKERS: Final = 2
LOOK_S: Final = 0.1
PATIENCE_S: Final = 240.0


@dataclass(slots=True)
class Kill:
    """One SIGKILL, and how long it took until what was killed did its work again."""

    victim: str
    at: float
    worker: int | None = None
    healthy_at: float | None = None

    @property
    def down_s(self) -> float:
        """Seconds until it was well."""
        return (self.healthy_at or time.time()) - self.at


@dataclass(slots=True)
class System:
    """The processes, the database, and what was done to them."""

    cluster: Cluster
    fleet: Fleet
    stage: Stage
    director: Director
    port: int
    kills: list[Kill] = field(default_factory=list)
    revive_at: float | None = None

    @property
    def gateway_port(self) -> int:
        return self.port + 1

    @property
    def spool(self) -> Path:
        """Where the gateway keeps traces that it cannot deliver."""
        return self.cluster.folder / GATEWAY / "spool"

    def outcomes(self) -> list[Outcome]:
        """What the clients saw until now."""
        return read_outcomes(self.cluster.folder / "outcomes.jsonl")

    def start_clients(self, rate: float) -> None:
        """Let the clients ask, with numbers that none has used yet."""
        said, key = self.cluster.folder / "outcomes.jsonl", {KEY_VARIABLE: self.stage.application_key}
        first = max((one.number + 1 for one in self.outcomes()), default=0)
        given = [f"http://{HOST}:{self.gateway_port}", str(rate), str(said), str(first)]
        command = [sys.executable, "-m", "relcontrol.bench.chaos_traffic", *given]
        self.fleet.start("clients", command, self.cluster.environment() | key)

    def kill_control_plane(self) -> None:
        """Kill everything but the gateway, the database too, and leave it so."""
        for name in CONTROL_PLANE:
            self.fleet.keep_down(name)
        self.cluster.kill()

    def revive_control_plane(self) -> None:
        """Start it again, and wait until all of it is well."""
        at = time.time()
        self.cluster.revive()
        for name in CONTROL_PLANE:
            self.fleet.again(name)
        again = [Kill(name, at) for name in CONTROL_PLANE]
        self.until(lambda: all(map(self.is_well, again)), "the control plane is well again")

    def kill(self, victim: str, place: int = 0) -> None:
        """Kill it now."""
        kill = Kill(victim, time.time())
        if victim == POSTGRES:
            self.cluster.kill()
            self.revive_at = time.monotonic() + LOOK_S
        elif victim == GATEWAY:
            kill.worker = self.fleet.kill_worker(GATEWAY, place)
            if kill.worker is None:
                return
        else:
            self.fleet.kill(victim)
        self.kills.append(kill)

    def attend(self) -> None:
        """What the supervisor does in one of its steps, and a look at who is well again."""
        self.fleet.attend()
        if self.revive_at is not None and time.monotonic() >= self.revive_at:
            self.cluster.revive()
            self.revive_at = None
        for kill in self.down():
            if self.is_well(kill):
                kill.healthy_at = time.time()

    def down(self) -> list[Kill]:
        """Kills whose victims are not back yet."""
        return [kill for kill in self.kills if kill.healthy_at is None]

    def is_well(self, kill: Kill) -> bool:
        """Whether the victim does its work again; not while that cannot be known."""
        since = datetime.fromtimestamp(kill.at, UTC)
        try:
            if kill.victim in BEATING:
                return ProcessHeartbeat.objects.filter(name=BEATING[kill.victim], at__gt=since).exists()
            if kill.victim == GATEWAY:
                return Replica.objects.filter(name=f"{REPLICA}/{kill.worker}", seen_at__gt=since).exists()
            if kill.victim == POSTGRES:
                return self.revive_at is None and self.cluster.answers()
        except Error:
            connection.close()
            return False
        if kill.victim == "web":
            return says_ok(
                base_url(HOST, self.port) + "/healthz"
            )  # ready is more: it speaks for the other processes, too
        return says_ok(base_url(HOST, self.port + EDGE_OFFSET) + "/readyz")

    def is_rolling(self) -> bool:
        """Whether a rollout runs; not while that cannot be known."""
        try:
            return open_rollout(self.stage.route) is not None
        except Error:
            connection.close()
            return False

    def may_kill(self, victim: str) -> bool:
        """Whether it is up, and a worker of the gateway only where its last traces were delivered or are on disk."""
        down = {kill.victim for kill in self.down()}
        if victim == GATEWAY and (down & {"edge", POSTGRES} or any(self.spool.iterdir())):
            return False
        return victim not in down

    def until(self, condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
        """Attend to everything until a condition holds."""
        deadline = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {patience_s:g} s: {what}")
            self.attend()
            time.sleep(LOOK_S)

    def kill_at_random(self, chance: random.Random, runs: int, gap_s: tuple[float, float]) -> None:
        """So many kills of victims and at moments of chance, all while a rollout runs; returns when all are well."""
        for _ in range(runs):
            moment = time.monotonic() + chance.uniform(*gap_s)
            victim, place = chance.choice(VICTIMS), chance.randrange(WORKERS)
            self.until(lambda moment=moment: time.monotonic() >= moment, "time passes")  # type: ignore[misc]
            self.until(
                lambda victim=victim: self.may_kill(victim) and self.is_rolling(),  # type: ignore[misc]
                f"a rollout runs and the {victim} is up",
            )
            self.kill(victim, place)
        self.until(lambda: not self.down(), "everything is well again")
