"""The two sides of the control plane together: a real edge process on a real database, and a worker of a gateway."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection, transaction

from audit.administration.applications import create_endpoint
from audit.trust import trust_document
from relcontrol.clock import now
from relcontrol.runtime.test_cluster import environment_for
from releases.models import Release
from releases.replica_models import Replica
from releases.routing.snapshot import signed_snapshot
from releases.traces.selectors import traces_of
from tests.factories import service_token
from tests.releases.edge.processes import edge_process
from tests.releases.gateway.control.fake_edge import Worker, worker
from tests.releases.routing.scene import add_release, bump
from tests.releases.scene import scene
from tests.waiting import until

SECONDS = 20


@contextmanager
def beside(loop: asyncio.AbstractEventLoop, one: Worker) -> Iterator[None]:
    """The worker's tasks on a loop of their own, drained at the end of the block."""
    thread = Thread(target=loop.run_until_complete, args=(one.plane.run(),))
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(one.plane.drain(10), loop).result(30)
        thread.join(30)
        loop.close()


@pytest.mark.django_db(transaction=True)
def test_a_worker_follows_a_real_edge_acknowledges_and_sends_its_traces(tmp_path: Path) -> None:
    northgate = scene("northgate")
    owner = northgate.organization
    create_endpoint(actor=northgate.actor, name="main-llm", base_url="http://127.0.0.1:9/v1")
    release = add_release(northgate, 1, Release.Delivery.STABLE)
    generation = signed_snapshot(owner).generation
    token = service_token(owner, "routing:read", "gateway:heartbeat", "traces:write")
    loop = asyncio.new_event_loop()
    trace = {
        "trace_id": secrets.token_hex(16),
        "started_at": now().isoformat(timespec="microseconds"),
        "request_id": "req-1",
        "release": release.manifest_sha256,
        "route": release.route_id,
        "arm": "stable",
        "subject": "user-42",
        "input": {"messages": [{"role": "user", "content": "May affiliates use it?"}]},
        "output": {"content": "They may."},
        "status": 200,
        "latency_ms": 12.5,
    }
    trust = json.loads(json.dumps(trust_document(owner)))

    with edge_process(environment_for(str(connection.settings_dict["NAME"]))) as edge:
        one = worker(edge.port, tmp_path, token=token, trust=trust)
        with beside(loop, one):
            until(lambda: one.generation == generation, SECONDS, "the snapshot of the edge serves")
            with transaction.atomic():
                later = bump(owner).generation
            until(lambda: one.generation == later, SECONDS, "the next generation serves")
            until(lambda: _acknowledged(later), SECONDS, "the swap is acknowledged in the database")
            loop.call_soon_threadsafe(one.queue.put, trace)
            until(lambda: traces_of(owner, request_id="req-1").exists(), SECONDS, "the trace is in the database")

    assert one.metrics.counts["traces_rejected"] == 0
    assert Replica.objects.get().fingerprints == [release.bundle_sha256]
    assert one.queue.dropped == 0


def _acknowledged(generation: int) -> bool:
    return Replica.objects.filter(generation=generation, acknowledged_at__isnull=False).exists()
