"""A whole installation under load, parts of which are killed in the middle of rollouts (gateway.md, fail-static).

One installation for all tests here: it takes longer to start than to kill. The bench `chaos` does the same for longer.
"""

import random
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from relcontrol.bench.chaos import judged
from relcontrol.bench.chaos_cluster import HOST
from relcontrol.bench.chaos_findings import damages, trace_counts
from relcontrol.bench.chaos_start import running_system
from relcontrol.bench.chaos_system import GATEWAY, System
from relcontrol.bench.chaos_traffic import Outcome
from relcontrol.runtime.answering import says_ok
from tests.releases.rolling.ledger import rows_hold

SEEDS, KILLS = range(1, 3), 3
RATE = 80.0  # two thirds of the bench's: its requests take most of the processor, and steps need 110 of a candidate
GAP_S = (0.1, 1.0)  # shorter than the bench's: what is down of one kill is often down still at the next
SEEN = int(RATE) + 1  # requests without control plane, before and after the gateway's restart


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> Iterator[System]:
    """Everything runs, on a database of its own, and a release rolls out."""
    folder = tmp_path_factory.mktemp("chaos").resolve()
    with django_db_blocker.unblock(), running_system(folder, rate=RATE) as here:
        yield here


def passes(system: System, count: int) -> list[Outcome]:
    """The next requests that end, so many of them or a few more."""
    before = len(system.outcomes())
    system.until(lambda: len(system.outcomes()) >= before + count, f"{count} requests end")
    return system.outcomes()[before:]


def test_without_control_plane_and_database_no_request_fails_and_no_trace_is_lost(system: System) -> None:
    system.kill_control_plane()
    orphaned = passes(system, SEEN)
    system.fleet.end("clients")
    system.fleet.end(GATEWAY)
    system.fleet.again(GATEWAY)
    system.until(lambda: says_ok(f"http://{HOST}:{system.gateway_port}/readyz"), "the gateway serves from its disk")
    system.start_clients(RATE)
    from_disk = passes(system, SEEN)
    assert not system.cluster.answers()
    system.revive_control_plane()
    seen = {one.request_id for one in system.outcomes()}
    system.until(lambda: seen <= trace_counts(system.stage.organization).keys(), "every trace arrives")

    assert min(len(orphaned), len(from_disk)) >= SEEN
    traces = trace_counts(system.stage.organization)
    [damage] = damages([*orphaned, *from_disk], traces, [], system.director.failing).values()
    assert (damage.failed, damage.lost, damage.doubled) == ([], [], [])


def test_six_kills_at_random_moments_of_rollouts_lose_double_and_promote_nothing(system: System) -> None:
    for seed in SEEDS:
        before = len(system.kills)
        system.kill_at_random(random.Random(seed), KILLS, GAP_S)  # noqa: S311 - no secret
        assert len(system.kills) == before + KILLS
        assert not system.down()
    system.until(lambda: len(system.director.planned) > 1, "a failing and a healthy release have been rolled out")
    table = judged(system)

    assert table.problems == [], table.text()
    assert {one.end for one in system.director.planned} == {"halted", "completed"}
    rows_hold(system.stage.organization)
