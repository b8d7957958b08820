"""The two processes that a rehearsal starts beside the running system: its models, and a gateway of its organization.

One gateway serves one organization, so that of the running system cannot serve a throw-away one; everything else of it
does the work. Both end with the rehearsal, however it ends.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from audit.trust import trust_document
from relcontrol.accounts.models import Organization
from relcontrol.rehearsal.world import NotStoppedError
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.ports import LOOPBACK
from relcontrol.runtime.private_files import write_private
from relcontrol.runtime.processes import die_with_parent

START_S: Final = 60.0
END_S: Final = 40.0
LOOK_S: Final = 0.1


@contextmanager
def models() -> Iterator[str]:
    """The models of the rehearsal; where they answer."""
    port = free_port()
    with _running([sys.executable, "-m", "relcontrol.rehearsal.running.models", str(port)]):
        _await(f"http://{LOOPBACK}:{port}/healthz", "the models of the rehearsal")
        yield f"http://{LOOPBACK}:{port}"


@contextmanager
def gateway(organization: Organization, token: str, edge: str, folder: Path) -> Iterator[str]:
    """A gateway of this organization below an edge that runs; where it answers. It keeps its things in `folder`."""
    write_private(folder / "token", token)
    write_private(folder / "trust.json", json.dumps(trust_document(organization)))
    port = free_port()
    options = {
        "host": LOOPBACK,
        "port": str(port),
        "control": edge,
        "token-file": str(folder / "token"),
        "trust": str(folder / "trust.json"),
        "data": str(folder / "data"),
        "replica": "rehearsal",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    with _running([sys.executable, str(CHECKOUT / "manage.py"), "gateway", *given]):
        _await(f"http://{LOOPBACK}:{port}/readyz", "the gateway of the rehearsal")
        yield f"http://{LOOPBACK}:{port}"


def free_port() -> int:
    """A port of loopback on which nobody listens now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        return int(listener.getsockname()[1])


@contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
        command,
        cwd=CHECKOUT,
        env={**os.environ, "RELCONTROL_NO_BOOTSTRAP": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - started while there is one thread
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, what: str) -> None:
    deadline = time.monotonic() + START_S
    while not says_ok(url):
        if time.monotonic() > deadline:
            raise NotStoppedError(f"{what} did not answer within {START_S:.0f} s")
        time.sleep(LOOK_S)
