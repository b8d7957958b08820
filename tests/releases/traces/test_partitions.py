"""Days of traces are made ahead and dropped after retention, by rc_app."""

from datetime import datetime, timedelta
from importlib import import_module
from threading import Barrier, Thread

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import override_settings

from relcontrol.accounts.models import Organization
from releases.privacy import sayings
from releases.trace_models import Feedback, SubjectKey, Trace
from releases.traces.partitions import Expired, ensure_partitions, expire
from tests.factories import organization
from tests.releases.traces.samples import NOW, days_made, only_trace, place_of, stored, trace_row
from tests.waiting import until

TODAY = f"{NOW:%Y%m%d}"


def started(at: datetime, number: int = 1) -> dict[str, object]:
    return trace_row(number, started_at=at.isoformat())


def identity(number: int) -> str:
    return str(trace_row(number)["trace_id"])


def said(owner: Organization, at: datetime) -> Feedback:
    """A thumb, said then."""
    return Feedback.objects.create(
        organization=owner, request_id="req_1", kind=Feedback.Kind.THUMB, value=1, created_by="tok_1", created_at=at
    )


@pytest.fixture
def without_days(db: None) -> None:
    """What a test that commits may have left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relcontrol_drop_trace_partitions('2900-01-01')")


@pytest.mark.usefixtures("without_days")
def test_days_are_made_from_yesterday_to_a_week_ahead() -> None:
    assert ensure_partitions(NOW) == 9
    assert days_made() == {f"{NOW + timedelta(days=day):%Y%m%d}" for day in range(-1, 8)}


@pytest.mark.usefixtures("without_days")
def test_only_the_days_that_are_missing_are_made() -> None:
    ensure_partitions(NOW)
    assert ensure_partitions(NOW) == 0
    assert ensure_partitions(NOW + timedelta(days=2)) == 2


@pytest.mark.usefixtures("without_days")
def test_a_trace_lies_in_the_day_on_which_it_started_in_utc(owner: Organization) -> None:
    ensure_partitions(NOW)
    stored(owner, trace_row(started_at="2026-11-21T00:30:00+02:00"))
    assert place_of(identity(1)) == "releases_trace_20261120"


@pytest.mark.usefixtures("without_days")
def test_days_begin_at_midnight_utc_whatever_the_session_says(owner: Organization) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Europe/Brussels'")
        ensure_partitions(NOW)
        cursor.execute("SET LOCAL TIME ZONE 'UTC'")
    midnight = NOW.replace(hour=0)
    stored(owner, started(midnight, 1), started(midnight - timedelta(microseconds=1), 2))
    assert place_of(identity(1)) == f"releases_trace_{TODAY}"
    assert place_of(identity(2)) == "releases_trace_20261120"


@pytest.mark.usefixtures("without_days")
def test_a_day_on_which_clocks_change_has_its_24_hours_of_utc(owner: Organization) -> None:
    sunday = datetime.fromisoformat("2026-10-25T00:00:00+00:00")
    ensure_partitions(sunday)
    last = sunday + timedelta(hours=23, minutes=59)
    stored(owner, started(sunday, 1), started(last, 2), now=last)
    assert {place_of(identity(number)) for number in (1, 2)} == {"releases_trace_20261025"}


@pytest.mark.usefixtures("without_days")
def test_what_came_before_its_day_was_made_is_moved_into_it_as_it_was(owner: Organization) -> None:
    stored(owner, started(NOW, 1), started(NOW - timedelta(days=5), 2))
    before = Trace.objects.filter(organization=owner).order_by("trace_id").values()
    assert place_of(identity(1)) == "releases_trace_default"
    kept = list(before)
    ensure_partitions(NOW)
    assert place_of(identity(1)) == f"releases_trace_{TODAY}"
    assert place_of(identity(2)) == "releases_trace_default"
    assert list(before.all()) == kept


@pytest.mark.usefixtures("without_days")
def test_a_day_that_is_over_for_as_long_as_retention_is_dropped(owner: Organization) -> None:
    ensure_partitions(NOW)
    stored(owner, started(NOW))
    assert expire(NOW + timedelta(days=30)).days == 1  # yesterday
    assert Trace.objects.filter(organization=owner).exists()
    assert expire(NOW + timedelta(days=31)).days == 1
    assert not Trace.objects.filter(organization=owner).exists()


@pytest.mark.usefixtures("without_days")
def test_retention_is_a_setting(owner: Organization) -> None:
    ensure_partitions(NOW)
    with override_settings(TRACE_RETENTION_DAYS=2):
        assert expire(NOW + timedelta(days=3)).days == 2
        refused = stored(owner, started(NOW - timedelta(days=2, seconds=1))).rejected
    assert [row.code for row in refused] == ["time_out_of_range"]


@pytest.mark.usefixtures("without_days")
def test_what_lies_in_the_default_partition_goes_by_whole_days_as_well(owner: Organization) -> None:
    midnight = (NOW - timedelta(days=10)).replace(hour=0)
    stored(owner, started(midnight, 1), started(midnight - timedelta(microseconds=1), 2))
    assert expire(midnight + timedelta(days=30, hours=23)).traces == 1
    assert only_trace(owner).trace_id == identity(1)


@pytest.mark.usefixtures("without_days")
def test_a_key_goes_with_the_last_trace_that_it_sealed(owner: Organization, other: Organization) -> None:
    later = NOW + timedelta(days=20)
    stored(owner, trace_row(1, subject="gone"), trace_row(2, subject="stays"))
    stored(owner, trace_row(3, subject="stays", started_at=later.isoformat()), now=later)
    stored(other, trace_row(4, subject="gone", started_at=later.isoformat()), now=later)
    assert expire(NOW + timedelta(days=31)) == Expired(days=0, traces=2, keys=1, answers=0, feedback=0)
    kept = SubjectKey.objects.filter(organization__in=[owner, other]).values_list("subject", flat=True)
    used = Trace.objects.filter(organization__in=[owner, other]).values_list("subject", flat=True)
    assert {bytes(subject) for subject in kept} == {bytes(subject) for subject in used}


@pytest.mark.usefixtures("without_days")
def test_nothing_goes_before_its_time(owner: Organization) -> None:
    ensure_partitions(NOW)
    stored(owner, started(NOW))
    said(owner, NOW - timedelta(days=30))
    assert expire(NOW) == Expired(0, 0, 0, 0, 0)


@pytest.mark.usefixtures("without_days")
def test_what_was_said_of_answers_goes_with_the_traces_of_its_day(owner: Organization) -> None:
    midnight = (NOW - timedelta(days=30)).replace(hour=0)
    young, old = said(owner, midnight), said(owner, midnight - timedelta(microseconds=1))
    assert expire(NOW).feedback == 1
    assert list(Feedback.objects.filter(pk__in=[young.pk, old.pk])) == [young]


@pytest.mark.usefixtures("without_days")
def test_a_great_deal_of_feedback_goes_at_once(owner: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sayings, "AT_ONCE", 2)
    for days in (31, 32, 31, 31, 33, 1):
        said(owner, NOW - timedelta(days=days))
    assert expire(NOW).feedback == 5
    assert Feedback.objects.get(organization=owner).created_at == NOW - timedelta(days=1)


@pytest.mark.parametrize("call", ["make_trace_partitions('2026-11-21', 401)", "make_trace_partitions(NULL, 0)"])
def test_a_number_of_days_that_makes_no_sense_is_refused(db: None, call: str) -> None:
    with pytest.raises(DatabaseError, match="days must be"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT relcontrol_{call}")


def test_rc_app_makes_and_drops_no_table_by_itself(db: None) -> None:
    for statement in ("CREATE TABLE own (n int)", "DROP TABLE releases_trace_default"):
        with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
            _execute(statement)


def test_nobody_else_may_call_the_functions(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_proc, aclexplode(proacl) WHERE proname LIKE 'relcontrol%%partitions'"
            " AND grantee = 0 AND privilege_type = 'EXECUTE'"
        )
        assert cursor.fetchone() == (0,)


def test_the_migration_goes_back_and_forth(db: None) -> None:
    migration = import_module("releases.migrations.0003_traces")
    _execute("SET LOCAL ROLE NONE")
    _execute(migration.GONE)
    _execute("DO $$ BEGIN ASSERT to_regclass('releases_trace_default') IS NULL; END $$")
    _execute(migration.TABLE + migration.PARTITIONS)
    _execute("SET LOCAL ROLE rc_app")
    assert ensure_partitions(NOW) == 9


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("without_days")
def test_a_day_can_be_made_while_its_traces_come_in() -> None:
    owner = organization("busy")
    ready = Barrier(2)

    def send() -> None:
        try:
            ready.wait(10)
            for number in range(20):
                stored(owner, *(started(NOW, number * 10 + row) for row in range(10)))
        finally:
            connection.close()

    sender = Thread(target=send)
    sender.start()
    ready.wait(10)
    until(_made, 20, "nobody waits for a lock")
    sender.join(30)
    assert Trace.objects.filter(organization=owner).count() == 200
    assert {place_of(identity(number)) for number in range(200)} == {f"releases_trace_{TODAY}"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("without_days")
def test_making_days_gives_up_where_it_would_have_to_wait() -> None:
    owner = organization("waiting")
    holding, done = Barrier(2), Barrier(2)

    def hold() -> None:
        try:
            with transaction.atomic():
                stored(owner, started(NOW))
                holding.wait(10)
                done.wait(30)
        finally:
            connection.close()

    holder = Thread(target=hold)
    holder.start()
    holding.wait(10)
    with pytest.raises(OperationalError, match="lock timeout"):
        ensure_partitions(NOW)
    done.wait(30)
    holder.join(30)
    assert ensure_partitions(NOW) == 9


def _made() -> bool:
    """As the ticker does: where a lock cannot be had, come again."""
    try:
        return ensure_partitions(NOW) == 9
    except OperationalError:
        return False


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
