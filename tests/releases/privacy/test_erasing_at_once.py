"""Erasing while others write: no batch that is on its way in, and no second erasure, gets past it."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from audit.models import Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from releases.privacy.erasing import erase
from releases.trace_models import Erasure, Trace
from tests.factories import organization
from tests.releases.traces.samples import stored, trace_row
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "Asked for by letter."


def in_thread(act: Callable[[], object]) -> Thread:
    """Run it with a connection of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


def sent(owner: Organization, *numbers: int) -> None:
    rows = [trace_row(number, started_at=now().isoformat()) for number in numbers]
    assert stored(owner, *rows, now=now()).accepted == len(rows)


def erased(owner: Organization) -> Erasure:
    return erase(actor=command_actor(owner), subject="user-42", reason=REASON)


def test_a_batch_that_was_on_its_way_in_is_waited_for_and_emptied() -> None:
    owner = organization("busy")
    sent(owner, 1)
    written, may_commit = Barrier(2), Barrier(2)

    def send() -> None:
        with transaction.atomic():
            sent(owner, 2)
            written.wait(10)
            may_commit.wait(30)

    sender = in_thread(send)
    written.wait(10)
    eraser = in_thread(lambda: erased(owner))
    until(_somebody_waits, 10, "the erasure waits for the batch")
    may_commit.wait(10)
    sender.join(30)
    eraser.join(30)
    assert Erasure.objects.get().gone["traces"] == 2
    assert not Trace.objects.filter(organization=owner, body__isnull=False).exists()


def test_two_erasures_at_once_are_one() -> None:
    owner = organization("twice")
    sent(owner, 1)
    threads = [in_thread(lambda: erased(owner)) for _ in range(3)]
    for thread in threads:
        thread.join(30)
    assert Erasure.objects.count() == 1
    assert Receipt.objects.filter(organization=owner, event="disclosure.erased").count() == 1


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
