"""`manage.py edge --workers 2`: two processes on one port, replaced when they die, gone with their supervisor."""

import os
import re
import signal
from collections.abc import Iterator

import pytest

from relcontrol.bench.gateway_processes import family
from relcontrol.runtime.processes import is_alive
from tests.releases.edge.conftest import Gateways
from tests.releases.edge.processes import EdgeProcess, edge_process
from tests.releases.edge.test_reports import HEARTBEAT
from tests.waiting import until

HEARTBEATS = re.compile(r"^relcontrol_edge_heartbeats_total (\S+)$", re.MULTILINE)


@pytest.fixture
def edges(process_environment: dict[str, str], northgate: Gateways) -> Iterator[EdgeProcess]:
    with edge_process(process_environment, workers=2) as started:
        yield started


def workers_of(edges: EdgeProcess) -> list[int]:
    return family(edges.process.pid)[1:]


def all_answer(edges: EdgeProcess) -> bool:
    """Each connection goes to one of them, as the kernel shares them out."""
    return len(workers_of(edges)) == 2 and all(edges.call("/readyz").status == 200 for _ in range(20))


def test_two_processes_share_the_port_count_together_and_are_replaced(edges: EdgeProcess, northgate: Gateways) -> None:
    until(lambda: all_answer(edges), 60, "both answer")
    first = workers_of(edges)
    statuses = [edges.call("/v1/gateways/heartbeat", northgate.token, HEARTBEAT).status for _ in range(30)]
    assert statuses == [204] * 30
    counted = HEARTBEATS.findall(edges.call("/metrics").body.decode())
    assert [float(one) for one in counted] == [30.0]
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(set(workers_of(edges)) - {first[0]}) == 2, 60, "another one is started")
    until(lambda: all_answer(edges), 60, "both answer again")


def test_none_outlives_its_supervisor(edges: EdgeProcess) -> None:
    until(lambda: len(workers_of(edges)) == 2, 60, "both are started")
    workers = workers_of(edges)
    edges.process.kill()
    edges.process.wait()
    until(lambda: not any(is_alive(pid) for pid in workers), 60, "the workers end")
