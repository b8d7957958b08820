"""Starting a small installation for the chaos bench: what `up` starts, a gateway, a model server, and clients."""

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from json import dumps
from pathlib import Path
from typing import Final

from audit.trust import trust_document
from relcontrol.bench.chaos_cluster import HOST, own_cluster
from relcontrol.bench.chaos_director import Director
from relcontrol.bench.chaos_fleet import fleet
from relcontrol.bench.chaos_stage import Stage, set_stage
from relcontrol.bench.chaos_system import CONTROL_PLANE, GATEWAY, REPLICA, WORKERS, System
from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.ports import EDGE_OFFSET, ports_in_use
from relcontrol.runtime.services import base_url, services
from releases.replica_models import Replica
from releases.routing.snapshot import signed_snapshot

PORTS: Final = range(20_000, 32_000, 10)
UPSTREAM_OFFSET: Final = 3  # beside web, gateway and edge


@contextmanager
def running_system(
    folder: Path, *, rate: float, ground: Callable[[str], Stage] = set_stage, directed: bool = True
) -> Iterator[System]:
    """A whole installation with clients that ask `rate` times a second, and rollouts one after the other.

    `ground` makes its organization, given the model server's address; without a director nobody rolls anything out.
    """
    with ExitStack() as stack:
        cluster = stack.enter_context(own_cluster(folder))
        port = _free_ports()
        stage = ground(f"http://{HOST}:{port + UPSTREAM_OFFSET}/v1")
        here = stack.enter_context(fleet(folder / "logs"))
        system = System(cluster, here, stage, Director(stage, port), port)
        _start(system, rate)
        if directed:
            system.director.start()
            stack.callback(system.director.stop)
        yield system


def _start(system: System, rate: float) -> None:
    """Everything, then the clients."""
    here, port = system.fleet, system.port
    models = port + UPSTREAM_OFFSET
    environment = system.cluster.environment()
    wanted = {service.name: service.command for service in services(HOST, port)}
    here.start("upstream", [sys.executable, "-m", "relcontrol.bench.chaos_upstream", str(models)], environment)
    for name in CONTROL_PLANE:
        here.start(name, wanted[name], environment)
    here.start(GATEWAY, _gateway(system), environment)
    ready = (
        f"{base_url(HOST, port)}/healthz",
        f"{base_url(HOST, port + 1)}/readyz",
        f"{base_url(HOST, port + EDGE_OFFSET)}/readyz",
        f"{base_url(HOST, models)}/healthz",
    )
    system.until(lambda: all(map(says_ok, ready)), "every process answers")
    system.until(lambda: Replica.objects.count() == WORKERS, "both workers of the gateway report")
    system.start_clients(rate)


def _gateway(system: System) -> list[str]:
    folder = system.cluster.folder
    signed_snapshot(system.stage.organization)  # makes the key that the trust file names
    trust, token = folder / "trust.json", folder / "gateway-token"
    trust.write_text(dumps(trust_document(system.stage.organization)))
    token.write_text(system.stage.gateway_token)
    given = {
        "port": system.gateway_port,
        "workers": WORKERS,
        "control": f"http://{HOST}:{system.port + EDGE_OFFSET}",
        "trust": trust,
        "token-file": token,
        "data": folder / GATEWAY,
        "replica": REPLICA,
    }
    return [sys.executable, "-m", "releases.gateway", *(f"--{name}={value}" for name, value in given.items())]


def _free_ports() -> int:
    for port in random.sample(PORTS, len(PORTS)):
        if not ports_in_use(HOST, range(port, port + 4)):
            return port
    raise MisconfiguredError("No four ports in a row are free on this machine.")
