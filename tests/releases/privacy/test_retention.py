"""Copies go with the traces of their day, keys after them, and a receipt for each organization counts what went."""

from datetime import timedelta
from typing import Any

from audit.models import Receipt
from gates.panel_models import PanelTask
from gates.panels.texts import texts_of
from relcontrol.clock import now
from releases.observer_models import ObservedAnswer
from releases.privacy.erasing import erase
from releases.rollout_models import ReplayPair
from releases.trace_models import SubjectKey, Trace
from releases.traces.partitions import expire, kept_since
from tests.releases.privacy.stage import (
    JANE,
    OTHER,
    REASON,
    SECRETS,
    Stage,
    columns_opened_by,
    columns_with,
    row_of,
    send,
)

LATER = timedelta(days=32)
KINDS = {"replays", "panel_answers", "observed_answers", "worst_answers", "feedback", "traces"}


def receipts_of(here: Stage) -> list[dict[str, Any]]:
    """What the receipts of retention say."""
    rows = Receipt.objects.filter(organization=here.organization, event="retention.expired").order_by("seq")
    return [row.openings.get().value for row in rows]


def test_after_retention_no_copy_is_left_and_no_key(here: Stage) -> None:
    keys = {subject: here.keys(subject) for subject in SECRETS}
    expired = expire(now() + LATER)
    assert (expired.traces, expired.answers, expired.feedback, expired.keys) == (2, 8, 2, 2)
    assert not SubjectKey.objects.filter(organization=here.organization).exists()
    for subject, old in keys.items():
        assert columns_opened_by(old, here.digest(subject)) == set()
    # Which rule found something is no text of anybody; a stage that quotes there does what the product never does.
    lasting = {"releases_replaypair.findings", "api_idempotencyrecord.answer"}
    assert columns_with("GRANITE") | columns_with("MARBLE") <= lasting


def test_numbers_and_grades_outlive_the_texts(here: Stage) -> None:
    expire(now() + LATER)
    assert ReplayPair.objects.filter(organization=here.organization, answers=None).count() == 2
    assert PanelTask.objects.filter(panel=here.panel, grade=4).count() == 2
    assert all(texts_of(item).gone for item in here.panel.items.all())


def test_single_scores_go_as_their_windows_have_them(here: Stage) -> None:
    expire(now() + LATER)
    assert not ObservedAnswer.objects.filter(organization=here.organization).exists()


def test_a_receipt_for_each_organization_counts_what_went(here: Stage) -> None:
    expire(now() + LATER)
    (state,) = receipts_of(here)
    assert state["gone"] == dict.fromkeys(KINDS, 2)
    assert state["before"].startswith(f"{kept_since(now() + LATER):%Y-%m-%d}T00:00:00")
    assert state["days_kept"] == 30


def test_where_nothing_is_old_enough_nothing_goes_and_nothing_is_receipted(here: Stage) -> None:
    expire(now())
    assert receipts_of(here) == []
    assert columns_opened_by(here.keys(JANE), here.digest(JANE))


def test_there_is_one_receipt_a_day_however_often_the_ticker_comes(here: Stage) -> None:
    midnight = kept_since(now() + LATER) + timedelta(days=30)
    for hours in (0, 1, 23):
        expire(midnight + timedelta(hours=hours))
    assert len(receipts_of(here)) == 1


def test_a_key_stays_while_any_copy_needs_it(here: Stage) -> None:
    """The panel's answers are the youngest: their traces are newer than everything else of these subjects."""
    at = now() + LATER
    here.panel.items.update(trace_started_at=at)
    assert expire(at).keys == 0
    assert SubjectKey.objects.filter(organization=here.organization).count() == 2
    assert not any(texts_of(item).gone for item in here.panel.items.all())
    assert expire(at + LATER).keys == 2


def test_the_mark_of_an_erasure_stays_as_long_as_a_spool_may_bring_something(here: Stage) -> None:
    erase(actor=here.admin, subject=JANE, reason=REASON)
    soon = now() + timedelta(days=29)
    expire(soon)
    send(here.organization, row_of(JANE, 8, started_at=soon.isoformat()), at=soon)
    assert Trace.objects.get(organization=here.organization, request_id="req-8").body is None
    expire(now() + timedelta(days=62))
    assert not SubjectKey.objects.filter(organization=here.organization, subject=here.digest(JANE)).exists()
    assert not SubjectKey.objects.filter(organization=here.organization, subject=here.digest(OTHER)).exists()
