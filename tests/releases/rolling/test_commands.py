"""A person's commands: with a reason, against the version that she saw, never past a breach."""

from typing import Any

import pytest

from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from releases.rolling.commands import command
from releases.rollout_models import Rollout
from tests.factories import person_actor
from tests.releases.canary import Canary, canary
from tests.releases.pure.rollouts.scene import BREACH
from tests.releases.rolling.readings import Readings, ticked

WHY = "I want to look at the answers first."


def told(here: Canary, row: Rollout, name: str, **values: Any) -> Rollout:
    order: dict[str, Any] = {"actor": here.manager, "rollout_id": row.pk, "name": name, "reason": WHY}
    return command(**(order | values))


def test_a_paused_rollout_stays_where_it_is_until_it_is_resumed(here: Canary, readings: Readings) -> None:
    row = here.start()
    assert told(here, row, "pause").state == "paused"
    ticked(row, 600)
    assert Rollout.objects.get(pk=row.pk).checkpoint == 1
    assert told(here, row, "resume").state == "checkpoint"
    assert here.events()[-2:] == ["rollout.paused", "rollout.resumed"]


def test_a_person_promotes_without_waiting_for_the_dwell(here: Canary, readings: Readings) -> None:
    row = told(here, here.start(), "promote")
    assert (row.checkpoint, row.version) == (2, 2)
    assert here.last_statement()["actor"]["kind"] == "person"


def test_halting_needs_no_evidence_and_is_final(here: Canary, readings: Readings) -> None:
    row = told(here, here.start(), "halt")
    assert row.state == "halted"
    with pytest.raises(Conflict) as refusal:
        told(here, row, "resume")
    assert refusal.value.code == "rollout_over"


def test_nobody_promotes_past_a_breach_and_the_halt_stays(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"errors": BREACH}
    with pytest.raises(Conflict) as refusal:
        told(here, row, "promote")
    assert refusal.value.code == "rollout_overtaken"
    assert Rollout.objects.get(pk=row.pk).state == "halted"
    assert here.events()[-1] == "rollout.halted"


def test_with_an_idempotency_key_the_halt_that_overtakes_stays_too(here: Canary, readings: Readings) -> None:
    row = here.start()
    readings.given = {"errors": BREACH}
    client = here.client("release-manager")
    answer = client.post(f"rollouts/{row.pk}/promote", {"reason": WHY}, Idempotency_Key="promote-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "rollout_overtaken")
    assert Rollout.objects.get(pk=row.pk).state == "halted"


def test_a_command_against_an_older_version_is_refused_with_the_fresh_state(here: Canary, readings: Readings) -> None:
    row = here.start()
    ticked(row, 61)
    with pytest.raises(Conflict) as refusal:
        told(here, row, "pause", expected_version=1)
    assert (refusal.value.code, refusal.value.state["version"]) == ("stale_version", 2)
    assert Rollout.objects.get(pk=row.pk).state == "checkpoint"


@pytest.mark.parametrize("reason", [None, "", "   ", "no", 7, "x" * 100_000])
def test_a_command_without_a_reason_changes_nothing(here: Canary, readings: Readings, reason: object) -> None:
    row = here.start()
    written = here.events()
    with pytest.raises(Invalid) as refusal:
        told(here, row, "halt", reason=reason)
    assert refusal.value.errors[0].field == "reason"
    assert here.events() == written


def test_a_service_may_stop_a_rollout_and_never_drive_it_on(here: Canary, readings: Readings) -> None:
    row = here.start()
    ci = here.service("rollouts:write")
    assert ci.post(f"rollouts/{row.pk}/promote", {"reason": WHY}).status_code == 403
    assert ci.post(f"rollouts/{row.pk}/pause", {"reason": WHY}).status_code == 200
    assert ci.post(f"rollouts/{row.pk}/resume", {"reason": WHY}).status_code == 403
    assert ci.post(f"rollouts/{row.pk}/halt", {"reason": WHY}).json()["state"] == "halted"


def test_another_organization_does_not_find_the_rollout(here: Canary, readings: Readings) -> None:
    row, other = here.start(), canary("eastgate")
    with pytest.raises(NotFound):
        told(other, row, "halt")
    assert other.client("viewer").get(f"rollouts/{row.pk}").status_code == 404


def test_a_viewer_sees_a_rollout_and_commands_nothing(here: Canary, readings: Readings) -> None:
    row = here.start()
    with pytest.raises(Forbidden):
        told(here, row, "halt", actor=person_actor(here.organization, "viewer"))
    client = here.client("viewer")
    shown = client.get(f"rollouts/{row.pk}").json()
    assert (shown["state"], shown["percent"], shown["version"]) == ("checkpoint", 5.0, 1)
    assert [step["act"] for step in shown["steps"]] == ["started"]
    assert {each["key"] for each in shown["waiting_for"]["conditions"]} >= {"dwell", "requests"}
    assert client.post(f"rollouts/{row.pk}/halt", {"reason": WHY}).status_code == 403


def test_an_unknown_command_is_404_and_get_is_405(here: Canary, readings: Readings) -> None:
    row = here.start()
    client = here.client("release-manager")
    assert client.post(f"rollouts/{row.pk}/explode", {"reason": WHY}).status_code == 404
    assert client.get(f"rollouts/{row.pk}/halt").status_code == 405


def test_the_list_is_filtered_by_state_route_and_release(here: Canary, readings: Readings) -> None:
    row = here.start()
    client = here.client("viewer")
    found = client.get("rollouts", state="checkpoint", route=here.route.pk, release=here.candidate.pk).json()
    assert [each["rollout_id"] for each in found["results"]] == [row.pk]
    assert client.get("rollouts", state="halted").json()["results"] == []
    assert client.get("rollouts", state="sideways").status_code == 422
