"""`up`: one run of the whole system, from an empty folder to the line that says it is ready, until it shall stop."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connections

from relcontrol.demo import making as demo
from relcontrol.demo.anchoring import witness
from relcontrol.demo.connecting import ENVIRONMENT, traffic_key_file
from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.connections import ensure_migrated, use_role
from relcontrol.runtime.console import say
from relcontrol.runtime.database import database_url
from relcontrol.runtime.embedded_postgres import ensure_answering, is_answering, running
from relcontrol.runtime.file_locks import FileLock
from relcontrol.runtime.folders import CHECKOUT, ensure_data_folder
from relcontrol.runtime.gateway_files import ensure_gateway_files
from relcontrol.runtime.log_follower import LogFollower
from relcontrol.runtime.ports import EDGE_OFFSET, require_free_ports
from relcontrol.runtime.postgres_cluster import ClusterFiles, cluster_files, read_credentials
from relcontrol.runtime.processes import MARK, end_processes, marked_processes
from relcontrol.runtime.services import (
    GatewayFiles,
    Service,
    base_url,
    child_environment,
    demo_models_url,
    demo_witness_url,
    gateway_url,
    services,
)
from relcontrol.runtime.static_files import ensure_collected
from relcontrol.runtime.supervisor import PrefixedLines, Supervisor, Write

STEP_S = 0.2
LOOK_EVERY_S = 1.0
FIRST_LOOKS_EVERY_S = 0.5
LEFTOVER_PATIENCE_S = 5.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_up(*, host: str, port: int, with_demo: bool, write: Write) -> None:
    """Set up, start everything, return after a stop signal."""
    data_folder = ensure_data_folder()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    try:
        with _only_run(data_folder):
            require_free_ports(host, port, with_demo=with_demo)
            with running():
                gateway = _prepare(port, data_folder, with_demo=with_demo)
                _Run(host, port, with_demo, gateway, write, data_folder).supervise()
    except KeyboardInterrupt:
        say("stopped")


@contextmanager
def _only_run(data_folder: Path) -> Iterator[None]:
    """One `up` for each data folder; ends what a killed one left."""
    with FileLock(data_folder / "up.lock") as lock:
        if not lock.exclusive(wait=False):
            raise MisconfiguredError(
                f"relcontrol is already up with the data folder {data_folder}. Stop it, or name another folder in "
                "RELCONTROL_DATA and another --port."
            )
        end_processes(lambda: marked_processes(MARK, str(data_folder)), patience_s=LEFTOVER_PATIENCE_S)
        yield


def _prepare(port: int, data_folder: Path, *, with_demo: bool) -> GatewayFiles | str:
    """Everything that must be there before the first process; what the gateway needs, or why there is none."""
    use_role("app")  # the settings were read before the server had its credentials
    ensure_migrated()
    ensure_collected()
    if with_demo:
        demo.ensure(f"{demo_models_url(port)}/v1", demo_witness_url(port))
    gateway = ensure_gateway_files(data_folder)
    connections.close_all()
    return gateway


@dataclass
class _Run:
    """The time between the start of the processes and their stop."""

    host: str
    port: int
    with_demo: bool
    gateway: GatewayFiles | str
    write: Write
    data_folder: Path
    is_ready: bool = False
    stop_asked: bool = False
    next_look: float = 0.0
    lines_of_postgres: Callable[[], None] = field(default=lambda: None)

    def supervise(self) -> None:
        """Keep everything running until a stop signal."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop_signal)
        wanted = self._services()
        environment = child_environment(self.data_folder, ENVIRONMENT if self.with_demo else {})
        supervisor = Supervisor(wanted, environment=environment, folder=CHECKOUT, write=self.write)
        files = None if database_url() else cluster_files(self.data_folder)
        if files is not None:
            self.write(f"{'postgres':<{supervisor.width}}   {read_credentials(files)[1]}")
            follow = LogFollower(files.log, PrefixedLines("postgres", supervisor.width, self.write))
            self.lines_of_postgres = follow.read
        for service in wanted:
            self.write(f"{service.name:<{supervisor.width}}   {service.address}")
        try:
            while not self.stop_asked:
                supervisor.step(STEP_S)
                self.lines_of_postgres()
                self._look(files)
        finally:
            say("stopping ...")
            supervisor.stop()
            self.lines_of_postgres()

    def _services(self) -> list[Service]:
        files = None if isinstance(self.gateway, str) else self.gateway
        if files is None:
            self.write(str(self.gateway))
        shown = demo.organization() if self.with_demo else None
        key, seer = (traffic_key_file(), witness(shown)) if shown else (None, None)
        connections.close_all()
        return services(self.host, self.port, with_demo=self.with_demo, gateway=files, traffic_key=key, witness=seer)

    def _on_stop_signal(self, *_: object) -> None:
        self.stop_asked = True

    def _look(self, files: ClusterFiles | None) -> None:
        """Once a second: does the database answer, and is everything ready for the first time?"""
        if time.monotonic() < self.next_look:
            return
        if files is not None and not is_answering(files):
            self.write("postgres does not answer; starting it again")
            ensure_answering(files)
        if not self.is_ready and self._all_answer():
            self.is_ready = True
            self._announce()
        self.next_look = time.monotonic() + (LOOK_EVERY_S if self.is_ready else FIRST_LOOKS_EVERY_S)

    def _all_answer(self) -> bool:
        web, edge = base_url(self.host, self.port), base_url(self.host, self.port + EDGE_OFFSET)
        looked_at = [f"{web}/readyz", f"{edge}/healthz"]
        if not isinstance(self.gateway, str):
            looked_at.append(f"{gateway_url(self.host, self.port)}/readyz")
        if self.with_demo:
            looked_at.append(f"{demo_models_url(self.port)}/healthz")
        return all(map(says_ok, looked_at))

    def _announce(self) -> None:
        self.write(f"relcontrol is ready: {base_url(self.host, self.port)}")
        if self.with_demo:
            for line in demo.sign_ins():
                self.write(line)
            connections.close_all()
