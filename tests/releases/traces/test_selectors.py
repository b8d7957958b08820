"""Reading traces: by what they name, of one organization, newest first; and up to where monitors may count."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from relcontrol.accounts.models import Organization
from relcontrol.runtime.database import APP_ROLE
from releases.trace_models import Trace
from releases.traces.selectors import lineage_row, traces_of, xact_horizon
from tests.factories import organization
from tests.releases.traces.samples import NOW, stored, trace_row
from tests.waiting import until


def numbers(found: object) -> list[int]:
    """Which rows these are."""
    assert hasattr(found, "__iter__")
    return [int(row.trace_id, 16) for row in found]


def test_newest_first(owner: Organization) -> None:
    for number, minutes in ((1, 5), (2, 1), (3, 9)):
        stored(owner, trace_row(number, started_at=(NOW - timedelta(minutes=minutes)).isoformat()))
    assert numbers(traces_of(owner)) == [2, 1, 3]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("release", "c" * 64),
        ("route", "rte_2"),
        ("rollout", "rol_2"),
        ("arm", "stable"),
        ("request_id", "req-other"),
    ],
)
def test_traces_are_found_by_what_they_name(owner: Organization, field: str, value: str) -> None:
    stored(owner, trace_row(1), trace_row(2, **{field: value}))
    assert numbers(traces_of(owner, **{field: value})) == [2]  # type: ignore[arg-type]  # each is a text


def test_those_of_a_release_that_was_replaced_are_found_without_reading_what_came_later(owner: Organization) -> None:
    stored(owner, trace_row(1, release="c" * 64), *(trace_row(number) for number in range(2, 400)))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")  # rc_app is not the owner
        cursor.execute("ANALYZE releases_trace")
        cursor.execute(f"SET LOCAL ROLE {APP_ROLE}")
        cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small, in life it is not
    plan = traces_of(owner, release="c" * 64)[:50].explain()
    assert "release_started_at_idx" in plan, plan


def test_traces_are_found_by_their_slice(owner: Organization) -> None:
    stored(owner, trace_row(1))
    assert numbers(traces_of(owner, slice="legal")) == []


def test_since_is_included_and_until_is_not(owner: Organization) -> None:
    times = [NOW - timedelta(minutes=minutes) for minutes in (3, 2, 1)]
    stored(owner, *(trace_row(number, started_at=at.isoformat()) for number, at in enumerate(times)))
    assert numbers(traces_of(owner, since=times[1])) == [2, 1]
    assert numbers(traces_of(owner, until=times[1])) == [0]


def test_nobody_reads_what_is_another_organizations(owner: Organization, other: Organization) -> None:
    stored(other, trace_row())
    assert numbers(traces_of(owner)) == []
    assert lineage_row(owner, "req-1") is None


def test_the_lineage_of_a_request_is_that_of_the_answer_and_not_of_its_shadow(owner: Organization) -> None:
    later = (NOW + timedelta(seconds=1)).isoformat()
    stored(owner, trace_row(1), trace_row(2, request_id="req-1", arm="shadow", started_at=later))
    found = lineage_row(owner, "req-1")
    assert found is not None
    assert numbers([found]) == [1]


def test_the_lineage_of_a_request_that_only_a_shadow_tells_of_is_that(owner: Organization) -> None:
    stored(owner, trace_row(arm="shadow"))
    assert lineage_row(owner, "req-1") is not None


@pytest.mark.django_db(transaction=True)
def test_what_is_below_the_horizon_is_visible_and_what_is_being_written_is_not_below_it() -> None:
    owner = organization("horizon")
    stored(owner, trace_row(1))
    written, read = Barrier(2), Barrier(2)

    def write() -> None:
        try:
            with transaction.atomic():
                stored(owner, trace_row(2))
                written.wait(10)
                read.wait(10)
        finally:
            connection.close()

    writer = Thread(target=write)
    writer.start()
    written.wait(10)
    during = xact_horizon()
    stored(owner, trace_row(3))  # commits before the older one does
    read.wait(10)
    writer.join(10)
    xacts = {int(row.trace_id, 16): row.xact for row in Trace.objects.filter(organization=owner)}
    assert xacts[1] < xacts[2] < xacts[3]
    assert during <= xacts[2]
    # Other databases of the server count as well: theirs may take a moment.
    until(lambda: xact_horizon() > xacts[3], 30, "the horizon passes what is committed")
