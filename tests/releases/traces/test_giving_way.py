"""Who works on traces is never kept waiting by the ticker: making days gives way, and comes again."""

import logging
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection

from relcontrol import ticks

pytestmark = pytest.mark.django_db(transaction=True)
LATER = datetime(2040, 3, 1, tzinfo=UTC)  # its days are not there yet


def days_of_2040() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'releases_trace_2040%%'")
        (count,) = cursor.fetchone()
    return int(count)


def test_a_reader_of_traces_keeps_days_from_being_made_for_now(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ticks, "now", lambda: LATER)
    reader = connection.copy()
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor, caplog.at_level(logging.WARNING, "relcontrol.ticks"):
            cursor.execute("SELECT count(*) FROM releases_trace")
            ticks.partitions()
        assert "making days for traces gave way" in caplog.text
        assert days_of_2040() == 0
    finally:
        reader.close()


def test_another_failure_is_one() -> None:
    with pytest.raises(OperationalError, match="gone"), ticks.giving_way("this"):
        raise OperationalError("the server is gone")
