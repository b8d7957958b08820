"""The processes of `up`, each with its command and address (architecture.md, "Processes")."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.ports import DEMO_MODELS_OFFSET, DEMO_WITNESS_OFFSET, EDGE_OFFSET, GATEWAY_OFFSET, LOOPBACK
from relcontrol.runtime.processes import MARK

# Replays, evaluations and calibrations wait for model servers most of their time, some for many minutes: nothing else
# of their queue, the heartbeat least of all, may wait behind one of them.
THREADS = ("--pool", "threads", "--concurrency", "4")
REQUEST_LINE = b'"event": "request"'  # in the gateway's log
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what somebody may ask for, not what we choose


@dataclass(frozen=True, slots=True)
class Service:
    """One process: its name in the log, what it is reached by, and how it is started.

    One that is there `once` is not started again after it has ended well. Lines of its log with `left_out` in them are
    not shown.
    """

    name: str
    address: str
    command: Sequence[str]
    once: bool = False
    left_out: bytes | None = None


@dataclass(frozen=True, slots=True)
class GatewayFiles:
    """Token and trust file of the gateway, and the folder for what it keeps itself, such as its last routing."""

    token: Path
    trust: Path
    data: Path


@dataclass(frozen=True, slots=True)
class DemoWitness:
    """The folder of the demo's witness, the name of its key, and the verifier keys of the log that it cosigns."""

    folder: Path
    name: str
    logs: Sequence[str]


def services(
    host: str,
    port: int,
    *,
    with_demo: bool = False,
    gateway: GatewayFiles | None = None,
    traffic_key: Path | None = None,
    witness: DemoWitness | None = None,
) -> list[Service]:
    """Everything that `up` starts beside the database; traffic of the demo where it has a key and a gateway."""
    python, edge_port = sys.executable, str(port + EDGE_OFFSET)
    celery = [python, "-m", "celery", "-A", "relcontrol", "--quiet"]
    gunicorn = [python, "-m", "gunicorn", "relcontrol.wsgi", "--bind", f"{_bracketed(host)}:{port}", "--workers", "2"]
    edge = [python, str(CHECKOUT / "manage.py"), "edge", "--host", host, "--port", edge_port]
    return [
        Service("web", base_url(host, port), [*gunicorn, "--threads", "4", "--timeout", "60", "--no-control-socket"]),
        Service("edge", base_url(host, port + EDGE_OFFSET), edge),
        *([_gateway(host, port, gateway, quiet=bool(traffic_key))] if gateway else []),
        Service("ticker", "queue ticks", _worker(celery, "ticker", "ticks")),
        Service("worker", "queue work", _worker(celery, "worker", "work", *THREADS)),
        Service("replayer", "queue replays", _worker(celery, "replayer", "replays", *THREADS)),
        Service("beat", "periodic ticks", [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]),
        *([_demo_models(port)] if with_demo else []),
        *([_demo_witness(port, witness)] if with_demo and witness else []),
        *(_demo_life(host, port, traffic_key) if with_demo and gateway and traffic_key else []),
    ]


def _worker(celery: list[str], name: str, queue: str, *pool: str) -> list[str]:
    """One Celery worker of one queue, one job at a time unless its pool says otherwise."""
    options = ["--without-gossip", "--without-mingle", "--loglevel", "WARNING"]
    return [*celery, "worker", *(pool or ("--concurrency", "1")), *options, "-Q", queue, "-n", f"{name}@%h"]


def _gateway(host: str, port: int, files: GatewayFiles, *, quiet: bool) -> Service:
    """A line for each request of the demo's traffic would hide every other line."""
    options = {
        "host": host,
        "port": str(port + GATEWAY_OFFSET),
        "control": base_url(host, port + EDGE_OFFSET),
        "token-file": str(files.token),
        "trust": str(files.trust),
        "data": str(files.data),
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    left_out = REQUEST_LINE if quiet else None
    return Service("gateway", gateway_url(host, port), [*_manage("gateway"), *given], left_out=left_out)


def _demo_models(port: int) -> Service:
    command = [*_manage("demo-models"), "--port", str(port + DEMO_MODELS_OFFSET), "--host", LOOPBACK]
    return Service("demo-models", demo_models_url(port), command)


def _demo_witness(port: int, witness: DemoWitness) -> Service:
    command = [*_manage("witness"), "--listen", f"{LOOPBACK}:{port + DEMO_WITNESS_OFFSET}"]
    command += ["--folder", str(witness.folder), "--name", witness.name]
    logs = [f"--log={log}" for log in witness.logs]
    return Service("demo-witness", demo_witness_url(port), [*command, *logs])


def _demo_life(host: str, port: int, key: Path) -> list[Service]:
    """The demo's users, and the people who roll its first two releases out."""
    url = gateway_url(host, port)
    traffic = [*_manage("demo-traffic"), "--gateway", url, "--key-file", str(key)]
    return [
        Service("demo-traffic", f"made-up users of {url}", traffic),
        Service(
            "demo-director", "rolls r1 and r2 out and has the judge measured, once", _manage("demo-director"), once=True
        ),
    ]


def _manage(command: str) -> list[str]:
    return [sys.executable, str(CHECKOUT / "manage.py"), command]


def gateway_url(host: str, port: int) -> str:
    """Where the gateway answers, beside a web on this port."""
    return base_url(host, port + GATEWAY_OFFSET)


def demo_models_url(port: int) -> str:
    """Where the models of the demo answer, beside a web on this port."""
    return base_url(LOOPBACK, port + DEMO_MODELS_OFFSET)


def demo_witness_url(port: int) -> str:
    """Where the witness of the demo answers, beside a web on this port."""
    return base_url(LOOPBACK, port + DEMO_WITNESS_OFFSET)


def base_url(host: str, port: int) -> str:
    """The address that a browser on this machine opens."""
    return f"http://{_bracketed(EVERY_ADDRESS.get(host, host))}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def child_environment(data_folder: Path, defaults: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of the children: same data folder, no second set-up, never the owner's role.

    `defaults` hold where nobody has set anything else.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "RELCONTROL_DATABASE_ROLE"}
    return {
        **(defaults or {}),
        **inherited,
        MARK: str(data_folder),
        "RELCONTROL_DATA": str(data_folder),
        "RELCONTROL_NO_BOOTSTRAP": "1",
        "DJANGO_SETTINGS_MODULE": "relcontrol.settings",
        "PYTHONUNBUFFERED": "1",
        # As root, Celery advises another user; its messages here are names of rows, which no user can abuse.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
