"""Storing batches: row by row, once, by several at a time."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcontrol.accounts.models import Organization
from releases.trace_models import SubjectKey, Trace
from releases.traces.ingest import store
from releases.traces.rows import Rejection
from releases.traces.subjects import subject_digest
from tests.factories import organization
from tests.releases.traces.samples import NOW, only_trace, stored, trace_row
from tests.releases.traces.test_rows import FIELDS, JSON


def test_every_field_of_a_row_finds_its_column(owner: Organization) -> None:
    assert stored(owner, trace_row(error="timeout")).accepted == 1
    trace = only_trace(owner)
    sent = trace_row(error="timeout")
    same = ["trace_id", "request_id", "release", "arm", "generation", "status", "error", "ttft_ms", "latency_ms"]
    same += ["input_tokens", "output_tokens", "fingerprint", "model", "replica"]
    assert {name: getattr(trace, name) for name in same} == {name: sent[name] for name in same}
    assert (trace.route_id, trace.rollout_id) == (sent["route"], sent["rollout"])
    assert (trace.started_at.isoformat(), trace.received_at) == (sent["started_at"], NOW)
    assert bytes(trace.subject) == subject_digest(owner.pk, "user-42")


def test_a_row_carries_the_transaction_that_wrote_it(owner: Organization) -> None:
    stored(owner, trace_row())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        assert cursor.fetchone() == (only_trace(owner).xact,)


def test_a_wrong_row_is_turned_away_and_its_batch_is_stored(owner: Organization) -> None:
    result = stored(owner, trace_row(1), trace_row(2, arm="canary"), "no row", trace_row(3))
    assert result.accepted == 2
    assert [(row.row, row.code) for row in result.rejected] == [(1, "unknown_value"), (2, "wrong_type")]
    assert Trace.objects.filter(organization=owner).count() == 2


def test_an_empty_batch_is_stored(owner: Organization) -> None:
    assert stored(owner) == store(owner, [], now=NOW)
    assert not Trace.objects.filter(organization=owner).exists()


def test_a_batch_that_is_sent_twice_is_stored_once_and_accepted_twice(owner: Organization) -> None:
    rows = [trace_row(number) for number in range(5)]
    assert [stored(owner, *rows).accepted, stored(owner, *rows).accepted] == [5, 5]
    assert Trace.objects.filter(organization=owner).count() == 5


def test_a_row_that_is_twice_in_a_batch_is_stored_once(owner: Organization) -> None:
    assert stored(owner, trace_row(status=200), trace_row(status=500)).accepted == 2
    assert only_trace(owner).status == 200


def test_the_first_report_of_a_request_stands(owner: Organization) -> None:
    stored(owner, trace_row(status=200))
    stored(owner, trace_row(status=500))
    assert only_trace(owner).status == 200


def test_the_same_instant_in_another_time_zone_is_the_same_trace(owner: Organization) -> None:
    stored(owner, trace_row(started_at="2026-11-21T15:00:00.000001Z"))
    stored(owner, trace_row(started_at="2026-11-21T16:00:00.000001+01:00"))
    assert only_trace(owner).started_at.isoformat() == "2026-11-21T15:00:00.000001+00:00"


def test_the_same_trace_at_another_microsecond_is_another_one(owner: Organization) -> None:
    stored(owner, trace_row(started_at="2026-11-21T15:00:00.000001Z"))
    stored(owner, trace_row(started_at="2026-11-21T15:00:00.000002Z"))
    assert Trace.objects.filter(organization=owner).count() == 2


def test_two_organizations_may_have_the_same_trace(owner: Organization, other: Organization) -> None:
    stored(owner, trace_row())
    stored(other, trace_row())
    assert bytes(only_trace(owner).subject) != bytes(only_trace(other).subject)


def test_a_release_that_nobody_knows_is_stored(owner: Organization) -> None:
    assert stored(owner, trace_row(release="2026.11", route=None, rollout=None)).rejected == []
    assert only_trace(owner).release == "2026.11"


def test_a_row_without_input_output_and_metadata_has_no_body(owner: Organization) -> None:
    stored(owner, trace_row(input=None, output=None, metadata=None))
    assert only_trace(owner).body is None


def test_one_key_serves_all_rows_of_a_subject(owner: Organization) -> None:
    stored(owner, trace_row(1), trace_row(2), trace_row(3, subject="user-43"))
    stored(owner, trace_row(4))
    assert SubjectKey.objects.filter(organization=owner).count() == 2


def test_what_the_caller_undoes_is_not_stored(owner: Organization) -> None:
    with transaction.atomic():
        stored(owner, trace_row())
        transaction.set_rollback(True)
    stored(owner, trace_row(2))
    assert only_trace(owner).trace_id == trace_row(2)["trace_id"]


def test_storing_takes_the_same_few_queries_for_one_row_and_for_many(
    owner: Organization, django_assert_num_queries: Any
) -> None:
    stored(owner, trace_row(1))
    with django_assert_num_queries(7):  # a savepoint and its end, lock, keys; COPY with a savepoint of its own
        stored(owner, *(trace_row(number) for number in range(2, 100)))


def test_a_row_that_is_there_already_costs_the_same_few_more_queries_for_one_and_for_many(
    owner: Organization, django_assert_num_queries: Any
) -> None:
    stored(owner, trace_row(1))
    with django_assert_num_queries(12):  # beside the seven: undoing, staging, COPY, insert, emptying
        stored(owner, *(trace_row(number) for number in range(100)))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(FIELDS), JSON)
def test_the_database_takes_every_row_that_was_found_right(owner: Organization, field: str, value: Any) -> None:
    with transaction.atomic():
        result = stored(owner, trace_row(**{field: value}))
        assert result.accepted == Trace.objects.filter(organization=owner).count()
        Trace.objects.filter(organization=owner).delete()


@pytest.mark.django_db(transaction=True)
def test_batches_with_the_same_rows_at_once_are_stored_once_without_waiting_for_each_other() -> None:
    owner = organization("together")
    rows = [trace_row(number, subject=f"user-{number % 40}") for number in range(300)]

    def send(order: int) -> int:
        try:
            return store(owner, rows[order:] + rows[:order], now=NOW).accepted
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as senders:
        assert list(senders.map(send, [0, 150, 20, 270])) == [300] * 4
    assert Trace.objects.filter(organization=owner).count() == 300
    assert SubjectKey.objects.filter(organization=owner).count() == 40


def test_a_rejection_names_row_code_and_what_to_do(owner: Organization) -> None:
    assert stored(owner, trace_row(status=20)).rejected == [
        Rejection(0, "out_of_range", "status: Must be from 100 to 599.")
    ]
