"""Schedule and sinks: who may change them, what is refused, and the receipt of each change."""

from pathlib import Path
from typing import Any

import pytest

from audit.anchor_models import AnchorSchedule, AnchorSink
from audit.anchors.schedules import set_schedule
from audit.anchors.selectors import schedule_of, sinks_of
from audit.anchors.sinks import MOST_SINKS, add_sink, change_sink
from audit.models import Opening, Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.errors import Conflict, Forbidden, Invalid
from tests.audit.anchors.factory import folder_sink
from tests.factories import organization, person_actor

pytestmark = pytest.mark.django_db

HOOK = {"url": "http://127.0.0.1:1/heads", "secret_name": "heads"}


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """An organization whose worker may write below the test's folder."""
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    return organization()


def _last(owner: Organization) -> tuple[str, str, Any]:
    row = Receipt.objects.filter(organization=owner).latest("seq")
    state = Opening.objects.get(receipt=row, field="state").value
    return row.event, f"{row.subject.partition(':')[0]} {row.outcome}", state


def test_a_schedule_is_set_in_revisions_each_with_its_receipt(owner: Organization) -> None:
    actor = command_actor(owner)
    assert schedule_of(owner).revision == 1
    row = set_schedule(actor=actor, every_minutes=60, on_promotion=False, expected_revision=1)
    assert (row.revision, row.every_minutes, row.on_promotion, row.on_rollback) == (2, 60, False, True)
    event, what, state = _last(owner)
    assert (event, what) == ("policy.changed", "anchor_schedule changed")
    assert state == {
        "revision": 2,
        "every_receipts": None,
        "every_minutes": 60,
        "on_promotion": False,
        "on_rollback": True,
        "overdue_minutes": 180,
    }
    before = Receipt.objects.count()
    set_schedule(actor=actor, every_minutes=60)
    assert (Receipt.objects.count(), AnchorSchedule.objects.get().revision) == (before, 2)
    assert set_schedule(actor=actor, every_minutes=None).every_minutes is None
    with pytest.raises(Conflict):
        set_schedule(actor=actor, every_minutes=5, expected_revision=1)


@pytest.mark.parametrize(
    "field",
    [
        {"every_receipts": 0},
        {"every_minutes": 10**9},
        {"overdue_minutes": None},
        {"overdue_minutes": 4},
        {"on_promotion": None},
        {"every_receipts": True},
        {"every_day": True},
    ],
)
def test_a_schedule_that_means_nothing_is_refused(owner: Organization, field: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        set_schedule(actor=command_actor(owner), **field)
    assert [error.field for error in caught.value.errors] == [*field]


def test_a_sink_is_added_changed_and_switched_each_time_with_its_receipt(owner: Organization) -> None:
    actor = command_actor(owner)
    row = add_sink(actor=actor, name=" our copy ", kind="webhook", settings=HOOK)
    state = {"id": row.pk, "name": "our copy", "kind": "webhook", "settings": HOOK, "enabled": True, "revision": 1}
    assert _last(owner) == ("policy.changed", "anchor_sink created", state)
    other = HOOK | {"secret_name": "other"}
    row = change_sink(actor=actor, sink=row, settings=other, expected_revision=1)
    assert _last(owner)[1:] == ("anchor_sink changed", state | {"settings": other, "revision": 2})
    row = change_sink(actor=actor, sink=row, enabled=False)
    assert _last(owner)[1] == "anchor_sink switched_off"
    assert change_sink(actor=actor, sink=row, enabled=False).revision == 3
    assert change_sink(actor=actor, sink=row, enabled=True).revision == 4
    assert _last(owner)[1] == "anchor_sink switched_on"
    with pytest.raises(Conflict):
        change_sink(actor=actor, sink=row, name="x", expected_revision=3)


def test_what_cannot_be_a_sink_is_refused_and_nothing_is_written(owner: Organization, tmp_path: Path) -> None:
    actor = command_actor(owner)
    row = folder_sink(owner, tmp_path)
    before = Receipt.objects.count()
    wrong: list[dict[str, Any]] = [
        {"name": "x", "kind": "fax", "settings": {}},
        {"name": "x", "kind": "webhook", "settings": HOOK | {"secret_name": "a b"}},
        {"name": "x", "kind": "webhook", "settings": {}},
        {"name": "", "kind": "webhook", "settings": HOOK},
        {"name": "x" * 101, "kind": "webhook", "settings": HOOK},
        {"name": row.name, "kind": "webhook", "settings": HOOK},
        {"name": "x", "kind": "file", "settings": {"folder": "/etc"}},
    ]
    for one in wrong:
        with pytest.raises(Invalid):
            add_sink(actor=actor, **one)
    AnchorSink.objects.bulk_create(
        AnchorSink(organization=owner, name=f"{n}", kind="file", created_at=row.created_at)
        for n in range(MOST_SINKS - 1)
    )
    with pytest.raises(Conflict):
        add_sink(actor=actor, name="x", kind="webhook", settings=HOOK)
    assert (Receipt.objects.count(), sinks_of(owner).count()) == (before, MOST_SINKS)


def test_only_administrators_change_anything(owner: Organization, tmp_path: Path) -> None:
    row = folder_sink(owner, tmp_path)
    manager = person_actor(owner, "release-manager", "auditor", "domain-owner")
    with pytest.raises(Forbidden):
        set_schedule(actor=manager, every_minutes=5)
    with pytest.raises(Forbidden):
        add_sink(actor=manager, name="x", kind="webhook", settings=HOOK)
    with pytest.raises(Forbidden):
        change_sink(actor=manager, sink=row, enabled=False)
