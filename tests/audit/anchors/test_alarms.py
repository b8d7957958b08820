"""Who is told when nothing was anchored for too long: the overview, the health page and the metrics."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.anchors.alarms import Overdue, count_overdue, overdue_of
from audit.anchors.checkpoints import anchor_now
from audit.anchors.schedules import set_schedule
from audit.anchors.sinks import change_sink
from audit.models import ChainCheck, Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.models import LeasedJob
from relcontrol.needs import needs_of
from tests.audit.anchors.factory import folder_sink, receipts, worked
from tests.factories import organization, person_actor

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """An organization whose sink is a folder, which may not be used until a test allows it."""
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    made = organization()
    folder_sink(made, tmp_path)
    monkeypatch.delenv("RELCONTROL_ANCHOR_FOLDERS")
    return made


def _failed_once(owner: Organization) -> None:
    (anchor,) = worked(anchor_now(actor=command_actor(owner)))
    assert anchor.state == LeasedJob.State.QUEUED


def test_a_sink_is_overdue_from_its_limit_on_and_says_how_much_waits(owner: Organization) -> None:
    _failed_once(owner)
    limit = timedelta(minutes=180)
    assert overdue_of(owner, now() + limit - HOUR) == []
    (late,) = overdue_of(owner, now() + limit + HOUR)
    waiting = Receipt.objects.filter(organization=owner).count()
    assert late.receipts == waiting
    assert late.sentence.startswith(f"the tape has not anchored {waiting} receipts. ")
    assert "RELCONTROL_ANCHOR_FOLDERS" in late.sentence
    assert count_overdue(now() + limit + HOUR) == 1


def test_overtaking_does_not_silence_the_alarm(owner: Organization) -> None:
    _failed_once(owner)
    Anchor.objects.update(created_at=now() - 4 * HOUR)
    receipts(owner)
    _failed_once(owner)
    assert Anchor.objects.filter(state=LeasedJob.State.CANCELLED).count() == 1
    assert len(overdue_of(owner, now())) == 1


def test_success_ends_it_and_so_does_switching_the_sink_off(
    owner: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _failed_once(owner)
    later = now() + 24 * HOUR
    change_sink(actor=command_actor(owner), sink=AnchorSink.objects.get(), enabled=False)
    assert overdue_of(owner, later) == []
    change_sink(actor=command_actor(owner), sink=AnchorSink.objects.get(), enabled=True)
    _failed_once(owner)
    assert len(overdue_of(owner, later)) == 1
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    worked(Checkpoint.objects.latest("size"))
    assert overdue_of(owner, later) == []


def test_a_schedule_that_stands_still_is_overdue_too(owner: Organization) -> None:
    set_schedule(actor=command_actor(owner), every_minutes=60, overdue_minutes=30)
    assert overdue_of(owner, now() + HOUR) == []
    (late,) = overdue_of(owner, now() + 2 * HOUR)
    assert late.sink is None
    assert "although the schedule asks for one" in late.sentence


def test_administrators_are_told_on_the_overview_the_health_page_and_in_metrics(
    owner: Organization, client: Client
) -> None:
    _failed_once(owner)
    Anchor.objects.update(created_at=now() - 4 * HOUR)
    told, check = {}, ChainCheck.objects.get(organization=owner)
    for role in ("admin", "viewer"):
        needs = needs_of(person_actor(owner, role), check, now())
        told[role] = [need.title for need in needs if need.word == "Overdue"]
    assert told == {"admin": ["Find out why the tape is not anchored"], "viewer": []}
    assert b"relcontrol_anchors_overdue 1\n" in client.get("/metrics").content


def test_the_sentence_of_one_receipt_is_singular() -> None:
    assert Overdue(now(), 1).sentence.startswith("No checkpoint was made of 1 receipt,")
