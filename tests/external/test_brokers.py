"""A job's wake-up travels through each broker to a real worker: a folder, Redis, RabbitMQ."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import pytest
from celery import Celery, current_app
from django.conf import settings
from kombu import Connection, Queue

from audit.exporting.exports import request_export
from audit.models import Export
from relcontrol.jobs.wake import WORK, wake
from tests.chaos.evidence import events
from tests.chaos.processes import worker_process
from tests.gates.scene import Scene, scene
from tests.waiting import until

REDIS, RABBITMQ = "redis://127.0.0.1:6379/13", "amqp://guest:guest@127.0.0.1:5672//"
PATIENCE = 40.0


@pytest.fixture
def northgate(transactional_db: None) -> Scene:
    """An organization that other processes see."""
    return scene()


@pytest.fixture
def queue() -> Iterator[str]:
    """A queue of this test alone, removed after it."""
    name = f"relcontrol-test-{uuid4().hex}"
    yield name
    for url in (REDIS, RABBITMQ):
        broker = Connection(url, connect_timeout=1)
        with suppress(*broker.connection_errors, *broker.channel_errors):  # not the broker of this test
            Queue(name, channel=broker.channel()).delete()
        broker.release()


def _is_done(job: Export) -> bool:
    return Export.objects.filter(pk=job.pk, state=Export.State.DONE).exists()


@pytest.mark.parametrize(
    "broker",
    [
        pytest.param(REDIS, marks=pytest.mark.external("redis"), id="redis"),
        pytest.param(RABBITMQ, marks=pytest.mark.external("rabbitmq"), id="rabbitmq"),
    ],
)
def test_a_job_is_done_by_a_worker_that_a_broker_woke(
    northgate: Scene, process_environment: dict[str, str], broker: str, queue: str
) -> None:
    job = request_export(actor=northgate.actor, scope={"organization": True})
    with worker_process({**process_environment, "CELERY_BROKER_URL": broker}, queue) as worker:
        Celery("sender", broker=broker, set_as_current=False).send_task(WORK, args=["export", job.pk], queue=queue)
        until(lambda: _is_done(job) or worker.poll() is not None, PATIENCE, "the worker has done the export")
        assert worker.poll() is None, "the worker ended by itself"
    assert events(northgate.organization, "export.issued") == 1


def test_every_thread_of_every_process_sends_to_the_configured_broker() -> None:
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(lambda: (current_app.main, current_app.conf.broker_url)).result()
    assert found == ("relcontrol", settings.CELERY_BROKER_URL)


def test_a_job_is_done_by_a_worker_that_a_file_woke(northgate: Scene, process_environment: dict[str, str]) -> None:
    job = request_export(actor=northgate.actor, scope={"organization": True})
    with worker_process(process_environment, "work") as worker:
        wake("export", job.pk)
        until(lambda: _is_done(job) or worker.poll() is not None, PATIENCE, "the worker has done the export")
        assert worker.poll() is None, "the worker ended by itself"
    assert events(northgate.organization, "export.issued") == 1
