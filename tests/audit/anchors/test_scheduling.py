"""When a log is due, and how long a failing sink is left alone: pure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from audit.anchors.scheduling import Growth, Schedule, due, pause_after
from tests.audit.anchors.conftest import AT

HOURLY = Schedule(every_receipts=100, every_minutes=60)
QUIET = Growth(0, None, promoted=False, rolled_back=False, checkpoint_at=AT)
SOME = replace(QUIET, receipts=5, oldest_at=AT + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("growth", "after", "reason"),
    [
        (QUIET, 600, None),
        (SOME, 59, None),
        (SOME, 60, "time"),
        (replace(SOME, checkpoint_at=None), 60, None),
        (replace(SOME, checkpoint_at=None), 61, "time"),
        (replace(SOME, receipts=99), 1, None),
        (replace(SOME, receipts=100), 1, "receipts"),
        (replace(SOME, receipts=100, promoted=True), 60, "promoted"),
        (replace(SOME, promoted=True, rolled_back=True), 1, "rolled_back"),
        (replace(SOME, rolled_back=True, untried=True), 1, "asked"),
        (replace(QUIET, untried=True), 1, "asked"),
    ],
)
def test_a_log_is_due_for_the_gravest_reason_that_holds(growth: Growth, after: int, reason: str | None) -> None:
    assert due(HOURLY, growth, AT + timedelta(minutes=after)) == reason


def test_what_is_switched_off_makes_nothing_due() -> None:
    much = replace(SOME, receipts=10**6, promoted=True, rolled_back=True)
    silent = Schedule(on_promotion=False, on_rollback=False)
    assert due(silent, much, AT + timedelta(days=365)) is None
    assert due(replace(silent, on_promotion=True), much, AT) == "promoted"


def test_pauses_grow_to_an_hour_and_no_further() -> None:
    pauses = [pause_after(failures).total_seconds() for failures in (1, 2, 3, 9, 10, 11, 12, 10_000)]
    assert pauses == [5, 10, 20, 1280, 2560, 3600, 3600, 3600]
