"""The whole of Roll as it runs: edge, gateway and demo models as processes, ticker and replayer beside the test.

Nothing is made by hand that the product would make: releases come in by the API, gates judge, gateways serve, monitors
read what the gateways sent. Only time is moved: a dwell ends when its evidence is there, however slow the machine is.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, connections

from audit.administration.application_keys import create_application_key
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Organization
from relcontrol.clock import now
from relcontrol.jobs.leases import claimable
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.test_cluster import environment_for
from relcontrol.ticks import work
from releases.rolling.looking import look_at
from releases.rolling.ticking import tick_rollouts
from releases.rollout_models import ReplayJob, Rollout
from releases.rollouts.deciding import missing
from tests.chaos.processes import free_port
from tests.factories import service_token
from tests.releases.edge.processes import edge_process
from tests.waiting import until

SECONDS_TO_START = 60
LATENCY = "0.5"  # of the demo models: slow enough that this machine's own noise is small beside it
TICK_S = 0.5
SCOPES = ("routing:read", "gateway:heartbeat", "traces:write")


@dataclass(frozen=True)
class System:
    """Where clients find the gateway, and with which key."""

    gateway: str
    key: str

    def tick_until(
        self,
        row: Rollout,
        condition: Callable[[Rollout], object],
        seconds: float,
        what: str,
        *,
        until_then: Callable[[Rollout], bool] = lambda _: False,
    ) -> Rollout:
        """Look at the rollouts again and again, as the ticker does, until this one is as it should be.

        Where nothing but its dwell keeps it, the dwell passes at once, unless it is to last while `until_then` holds;
        a move that needs a person ends the test.
        """
        deadline, ahead = time.monotonic() + seconds, max(timedelta(0), row.entered_at - now())
        while True:
            tick_rollouts(now() + ahead)
            row = Rollout.objects.get(pk=row.pk)
            if condition(row):
                return row
            if row.state == Rollout.State.WAITING_REVIEW or time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {what}; {row.state} {row.checkpoint} {row.reasons}")
            look = look_at(row, now() + ahead)
            if not row.is_over and not missing(look.value, look.measured) and not until_then(row):
                ahead += look.value.dwell
            threading.Event().wait(TICK_S)


@contextmanager
def models_process() -> Iterator[str]:
    """`manage.py demo-models`; its address."""
    port = free_port()
    with _process(["demo-models", "--port", str(port), "--latency", LATENCY], dict(os.environ)):
        url = f"http://127.0.0.1:{port}"
        until(lambda: says_ok(f"{url}/healthz"), SECONDS_TO_START, "the demo models answer")
        yield f"{url}/v1"


@contextmanager
def running(organization: Organization, application: Application, folder: Path) -> Iterator[System]:
    """Edge and gateway of an organization, a replayer, and a key for its clients."""
    environment, port = environment_for(str(connection.settings_dict["NAME"])), free_port()
    actor = command_actor(organization)
    (folder / "token").write_text(service_token(organization, *SCOPES))
    (folder / "trust.json").write_text(json.dumps(trust_document(organization)))
    _, key = create_application_key(actor=actor, application=application, name="clients")
    with ExitStack() as stack:
        edge = stack.enter_context(edge_process(environment))
        options = {"port": port, "control": f"http://127.0.0.1:{edge.port}", "replica": "acceptance"}
        options |= {"token-file": folder / "token", "trust": folder / "trust.json", "data": folder / "data"}
        stack.enter_context(
            _process(["gateway", *(f"--{name}={value}" for name, value in options.items())], environment)
        )
        url = f"http://127.0.0.1:{port}"
        until(lambda: says_ok(f"{url}/readyz"), SECONDS_TO_START, "the gateway is ready")
        stack.enter_context(_replayer())
        yield System(url, key)


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(
        [sys.executable, str(CHECKOUT / "manage.py"), *command],
        cwd=CHECKOUT,
        env={**environment, "RELCONTROL_NO_BOOTSTRAP": "1"},
        **quiet,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _replayer() -> Iterator[None]:
    """Does the jobs of replays as they come, in a thread with a connection of its own."""
    ended = threading.Event()
    thread = threading.Thread(target=_replay, args=(ended,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(60)


def _replay(ended: threading.Event) -> None:
    while not ended.wait(TICK_S):
        for key in claimable(ReplayJob.objects.all(), now()).values_list("pk", flat=True)[:5]:
            work("replay", key)
    connections.close_all()
