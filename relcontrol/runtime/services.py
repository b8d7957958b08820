"""The processes of `up`, each with its command and address (architecture.md, "Processes")."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.ports import DEMO_MODELS_OFFSET, EDGE_OFFSET, LOOPBACK
from relcontrol.runtime.processes import MARK

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what somebody may ask for, not what we choose


@dataclass(frozen=True, slots=True)
class Service:
    """One process: its name in the log, what it is reached by, and how it is started."""

    name: str
    address: str
    command: Sequence[str]


def services(host: str, port: int, *, with_demo: bool = False) -> list[Service]:
    """Everything that `up` starts beside the database."""
    demo = [_demo_models(port)] if with_demo else []
    python, edge_port = sys.executable, str(port + EDGE_OFFSET)
    celery = [python, "-m", "celery", "-A", "relcontrol", "--quiet"]
    worker = [*celery, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    gunicorn = [python, "-m", "gunicorn", "relcontrol.wsgi", "--bind", f"{_bracketed(host)}:{port}", "--workers", "2"]
    edge = [python, str(CHECKOUT / "manage.py"), "edge", "--host", host, "--port", edge_port]
    return [
        Service("web", base_url(host, port), [*gunicorn, "--threads", "4", "--timeout", "60", "--no-control-socket"]),
        Service("edge", base_url(host, port + EDGE_OFFSET), edge),
        Service("ticker", "queue ticks", [*worker, "-Q", "ticks", "-n", "ticker@%h"]),
        Service("worker", "queue work", [*worker, "-Q", "work", "-n", "worker@%h"]),
        Service("beat", "periodic ticks", [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]),
        *demo,
    ]


def _demo_models(port: int) -> Service:
    command = [sys.executable, str(CHECKOUT / "manage.py"), "demo-models", "--port", str(port + DEMO_MODELS_OFFSET)]
    return Service("demo-models", demo_models_url(port), [*command, "--host", LOOPBACK])


def demo_models_url(port: int) -> str:
    """Where the models of the demo answer, beside a web on this port."""
    return base_url(LOOPBACK, port + DEMO_MODELS_OFFSET)


def base_url(host: str, port: int) -> str:
    """The address that a browser on this machine opens."""
    return f"http://{_bracketed(EVERY_ADDRESS.get(host, host))}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def child_environment(data_folder: Path) -> dict[str, str]:
    """The environment of the children: same data folder, no second set-up, never the owner's role."""
    inherited = {name: value for name, value in os.environ.items() if name != "RELCONTROL_DATABASE_ROLE"}
    return {
        **inherited,
        MARK: str(data_folder),
        "RELCONTROL_DATA": str(data_folder),
        "RELCONTROL_NO_BOOTSTRAP": "1",
        "DJANGO_SETTINGS_MODULE": "relcontrol.settings",
        "PYTHONUNBUFFERED": "1",
        # As root, Celery advises another user; its messages here are names of rows, which no user can abuse.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
