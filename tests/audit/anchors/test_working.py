"""From a due log to `anchor.made`: the ticker, the worker, failures, overtaking, and what a bad sink cannot do."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from audit.anchor_models import Anchor, AnchorSink
from audit.anchors import checkpoints, release_heads, sending, working
from audit.anchors.checkpoints import anchor_now, open_checkpoint
from audit.anchors.schedules import set_schedule
from audit.anchors.selectors import made_size, newest_checkpoint, unanchored
from audit.anchors.sinks import add_sink, change_sink
from audit.anchors.ticking import tick_anchors, tick_log
from audit.anchors.working import make_anchor
from audit.events import Event
from audit.keys.keyring import signer
from audit.keys.signing import LOG
from audit.log import merkle
from audit.log.heads import signed_head
from audit.log.notes import parse_note, verify_note
from audit.models import ChainHead, Receipt
from audit.verify import read_json
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.errors import Conflict
from relcontrol.jobs.leases import claim
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run
from relcontrol.ticks import reconcile, work
from tests.audit.anchors.factory import folder_sink, receipts, worked
from tests.audit.anchors.loopback import Loopback, loopback
from tests.factories import organization
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """An organization on a machine whose worker may write below the test's folder."""
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    return organization()


def _webhook(owner: Organization, url: str, monkeypatch: pytest.MonkeyPatch) -> AnchorSink:
    monkeypatch.setenv("RELCONTROL_CREDENTIAL_HOOK", "whsec_c2VjcmV0")
    settings = {"url": url, "secret_name": "hook"}
    return add_sink(actor=command_actor(owner), name="a hook", kind="webhook", settings=settings)


def _statement(receipt: Receipt | None) -> dict[str, Any]:
    assert receipt is not None
    document: dict[str, Any] = read_json(bytes(receipt.payload))
    predicate: dict[str, Any] = document["predicate"]
    return predicate


def test_a_new_sink_is_given_the_head_and_its_anchor_says_everything_in_clear(
    owner: Organization, tmp_path: Path
) -> None:
    receipts(owner, 2, manifest="a" * 64)
    folder_sink(owner, tmp_path)
    checkpoint = tick_log(owner, now())
    assert checkpoint is not None
    leaves = [
        merkle.leaf_hash(bytes.fromhex(row.receipt_hash))
        for row in Receipt.objects.filter(organization=owner).order_by("seq")
    ]
    assert (checkpoint.size, checkpoint.root) == (len(leaves), merkle.root_of(leaves).hex())
    verify_note(parse_note(checkpoint.note), owner.origin, signer(LOG).public)
    (anchor,) = worked(checkpoint)
    assert anchor.state == LeasedJob.State.DONE
    said = _statement(anchor.receipt)
    note = checkpoint.note.encode()
    evidence = bytes(anchor.evidence or b"")
    empty = dict.fromkeys(("slice", "value", "threshold", "op", "evidence", "n", "evidence_sha256"))
    heads = release_heads.root(release_heads.heads_at(owner, checkpoint.size)).hex()
    assert said["decision"]["inputs"] == [
        empty | {"metric": "log", "verdict": "recorded", "n": checkpoint.size, "evidence_sha256": checkpoint.root},
        empty | {"metric": "checkpoint", "verdict": "recorded", "evidence_sha256": hashlib.sha256(note).hexdigest()},
        empty | {"metric": "release_heads", "verdict": "recorded", "n": 1, "evidence_sha256": heads},
        empty
        | {
            "metric": "anchor",
            "verdict": "made",
            "slice": "the tape",
            "evidence": "file",
            "evidence_sha256": hashlib.sha256(evidence).hexdigest(),
        },
    ]
    assert (said["event"], said["application"], said["decision"]["outcome"]) == ("anchor.made", None, "made")
    assert said["occurred_at"] == json.loads(evidence)["at"]
    after = receipts(owner)
    assert anchor.receipt is not None
    assert _statement(after)["chain"]["last_anchor"] == anchor.receipt.receipt_hash
    assert ChainHead.objects.get(organization=owner).last_anchor == anchor.receipt.receipt_hash


def test_receipts_of_anchors_alone_never_cause_the_next_anchor(owner: Organization, tmp_path: Path) -> None:
    folder_sink(owner, tmp_path)
    set_schedule(actor=command_actor(owner), every_receipts=1, every_minutes=1)
    checkpoint = tick_log(owner, now())
    assert checkpoint is not None
    worked(checkpoint)
    for minutes in (1, 120):
        assert tick_log(owner, now() + timedelta(minutes=minutes)) is None
    receipts(owner)
    again = tick_log(owner, now())
    assert again is not None
    assert (again.reason, again.size) == ("receipts", checkpoint.size + 2)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event.CHECKPOINT_PROMOTED, "promoted"),
        (Event.ROLLOUT_COMPLETED, "promoted"),
        (Event.ROLLBACK_AUTO, "rolled_back"),
        (Event.ROLLBACK_MANUAL, "rolled_back"),
        (Event.ROLLBACK_REHEARSED, None),
        (Event.ARTIFACT_CREATED, None),
    ],
)
def test_what_happened_to_releases_makes_the_log_due(
    owner: Organization, tmp_path: Path, event: Event, reason: str | None
) -> None:
    folder_sink(owner, tmp_path)
    tick_log(owner, now())
    receipts(owner, event=event, manifest="a" * 64 if event != Event.ARTIFACT_CREATED else None)
    made = tick_log(owner, now())
    assert (made.reason if made else None) == reason


def test_a_sink_that_fails_is_tried_again_after_growing_pauses_and_never_given_up(
    owner: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback(lambda asked: (500, b"out of order")) as server:
        _webhook(owner, server.url, monkeypatch)
        checkpoint = tick_log(owner, now())
        assert checkpoint is not None
        anchor = checkpoint.anchors.get()
        for failures in range(1, 9):
            (anchor,) = worked(checkpoint)
            assert (anchor.state, anchor.failures, anchor.attempts) == (LeasedJob.State.QUEUED, failures, 0)
        assert anchor.last_problem == "It answered 500: out of order."
        assert anchor.next_at > now() + timedelta(seconds=300)
        work("anchor", anchor.pk)
        reconcile()
        assert len(server.asked) == 8  # its pause is not over
        assert Receipt.objects.filter(organization=owner, event=Event.ANCHOR_MADE).count() == 0
        server.reply = lambda asked: (200, b"")
        Anchor.objects.filter(pk=anchor.pk).update(next_at=now())
        work("anchor", anchor.pk)
    anchor.refresh_from_db()
    assert (anchor.state, anchor.last_problem) == (LeasedJob.State.DONE, "")
    assert made_size(owner) == checkpoint.size


def test_a_failure_of_ours_is_a_failure_like_any_other(
    owner: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder_sink(owner, tmp_path)
    monkeypatch.setattr(working, "sink_of", lambda kind: None)
    (anchor,) = worked(anchor_now(actor=command_actor(owner)))
    assert anchor.state == LeasedJob.State.QUEUED
    assert "AttributeError" in anchor.last_problem


def test_a_later_checkpoint_overtakes_what_waits(owner: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback(lambda asked: (500, b"")) as server:
        _webhook(owner, server.url, monkeypatch)
        first = anchor_now(actor=command_actor(owner))
        worked(first)
        receipts(owner)
        second = anchor_now(actor=command_actor(owner))
        server.reply = lambda asked: (200, b"")
        (old,), (new,) = worked(first), worked(second)
    assert (old.state, old.problem) == (LeasedJob.State.CANCELLED, checkpoints.OVERTAKEN)
    assert (new.state, new.failures) == (LeasedJob.State.DONE, 1)


def test_one_that_was_being_made_when_it_was_overtaken_may_still_be_made_or_ends_quietly(
    owner: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback(lambda asked: (500, b"")) as server:
        _webhook(owner, server.url, monkeypatch)
        first = anchor_now(actor=command_actor(owner))
        lease = claim(Anchor.objects.filter(checkpoint=first), "a worker", now())
        assert lease is not None
        receipts(owner)
        anchor_now(actor=command_actor(owner))
        assert Anchor.objects.get(checkpoint=first).state == LeasedJob.State.RUNNING
        make_anchor(lease)
    assert Anchor.objects.get(checkpoint=first).state == LeasedJob.State.CANCELLED


def test_a_sink_that_is_switched_off_gets_nothing_more_and_on_again_the_head(
    owner: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = command_actor(owner)
    with loopback(lambda asked: (500, b"")) as server:
        sink = _webhook(owner, server.url, monkeypatch)
        worked(anchor_now(actor=actor))
        change_sink(actor=actor, sink=sink, enabled=False)
        anchor = Anchor.objects.get(sink=sink)
        assert (anchor.state, anchor.problem) == (LeasedJob.State.CANCELLED, checkpoints.SWITCHED_OFF)
        receipts(owner, event=Event.ROLLBACK_AUTO, manifest="a" * 64)
        tick_anchors(now())
        assert Anchor.objects.filter(sink=sink).count() == 1
        with pytest.raises(Conflict):
            anchor_now(actor=actor)
        server.reply = lambda asked: (200, b"")
        change_sink(actor=actor, sink=sink, enabled=True)
        tick_anchors(now())
        newest = newest_checkpoint(owner)
        assert newest is not None
        (made,) = worked(newest)
    assert (made.state, made.failures) == (LeasedJob.State.DONE, 0)


def test_a_sink_that_has_anchored_everything_and_is_changed_is_given_the_head_at_once(
    owner: Organization, tmp_path: Path
) -> None:
    sink = folder_sink(owner, tmp_path)
    worked(anchor_now(actor=command_actor(owner)))
    change_sink(actor=command_actor(owner), sink=sink, name="the other tape")
    assert tick_log(owner, now()) is None
    change_sink(actor=command_actor(owner), sink=sink, settings={"folder": str(tmp_path / "elsewhere")})
    checkpoint = tick_log(owner, now())
    assert checkpoint is not None
    (made,) = worked(checkpoint)
    assert made.settings == {"folder": str(tmp_path / "elsewhere")}
    assert tick_log(owner, now()) is None


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_time_that_cannot_be_is_a_wrong_clock_and_no_anchor(
    owner: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    folder_sink(owner, tmp_path)
    wrong = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("audit.anchors.file.Folder.verify", lambda *args: wrong)
    (anchor,) = worked(anchor_now(actor=command_actor(owner)))
    assert anchor.state == LeasedJob.State.QUEUED
    assert "One clock is wrong" in anchor.last_problem


def test_nothing_new_makes_no_second_checkpoint(owner: Organization, tmp_path: Path) -> None:
    folder_sink(owner, tmp_path)
    actor = command_actor(owner)
    first = open_checkpoint(organization=owner, reason="asked", at=now())
    assert open_checkpoint(organization=owner, reason="asked", at=now()) == first
    worked(first)
    assert anchor_now(actor=actor, if_new=True) == first
    assert not unanchored(owner, first.size).exists()
    assert anchor_now(actor=actor).size == first.size + 1
    assert Anchor.objects.filter(sink__organization=owner).count() == 2


def test_what_fails_for_one_organization_keeps_no_other_waiting(
    owner: Organization, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = organization("southgate")
    for one in (owner, other):
        folder_sink(one, tmp_path)
    real = signed_head

    def head(of: Organization) -> Any:
        if of == owner:
            raise RuntimeError("no key")
        return real(of)

    monkeypatch.setattr(checkpoints, "signed_head", head)
    tick_anchors(now())
    assert (newest_checkpoint(owner), newest_checkpoint(other) is None) == (None, False)


@contextmanager
def _hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 60.0)
    with loopback(lambda asked: (200, b"")) as server:
        server.reply = server.hang
        yield server


@pytest.mark.django_db(transaction=True)
def test_a_sink_that_hangs_delays_no_decision(owner: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    with _hanging(monkeypatch) as server:
        _webhook(owner, server.url, monkeypatch)
        anchor = anchor_now(actor=command_actor(owner)).anchors.get()

        def worker() -> None:
            run(Anchor.objects.filter(pk=anchor.pk), make_anchor)
            connection.close()

        thread = threading.Thread(target=worker)
        thread.start()
        try:
            until(lambda: server.asked, 10, "the sink is asked")
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")  # a lock of the worker's would be an error here
            before = ChainHead.objects.get(organization=owner).seq
            receipts(owner, 20)
            set_schedule(actor=command_actor(owner), every_minutes=5)
            assert ChainHead.objects.get(organization=owner).seq == before + 21
            assert tick_log(owner, now()) is None
        finally:
            server.ending.set()
            thread.join()
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")
    anchor.refresh_from_db()
    assert (anchor.state, anchor.failures) == (LeasedJob.State.QUEUED, 1)
