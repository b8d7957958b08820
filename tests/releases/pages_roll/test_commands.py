"""Commands on the page of a rollout: each with a reason, on the version that was seen, by those who may."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit.models import Receipt
from relcontrol.clock import now
from releases.rollout_models import Rollout
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll import scene as roll
from tests.releases.pages_roll.test_rollout_page import text_of, url
from tests.releases.scene import Scene

pytestmark = pytest.mark.django_db
REASON = "The legal team is looking at two answers."


@pytest.fixture
def canary(northgate: Scene) -> Rollout:
    return roll.canary(northgate)


@pytest.fixture
def held(northgate: Scene) -> Rollout:
    at = now() - timedelta(minutes=5)
    return roll.rollout(northgate, state="paused", stopped_at=at, first_held_at=at)


def send(client: Client, row: Rollout, command: str, reason: str = REASON, **sent: Any) -> Any:
    body = {"command": command, "reason": reason, "expected_version": row.version, **sent}
    return client.post(url(row), body)


def state_of(row: Rollout) -> str:
    row.refresh_from_db()
    return row.state


def untouched(row: Rollout) -> tuple[str, int, int]:
    row.refresh_from_db()
    return row.state, row.version, Receipt.objects.count()


def test_holding_takes_one_click_and_no_words(manager: Client, canary: Rollout) -> None:
    answer = send(manager, canary, "pause", reason="")
    assert answer.headers["Location"] == url(canary)
    assert state_of(canary) == "paused"
    assert "no reason was typed" in canary.reasons[0]


def test_stopping_sends_the_traffic_back_and_the_page_says_so(manager: Client, canary: Rollout) -> None:
    send(manager, canary, "halt")
    assert state_of(canary) == "halted"
    assert canary.release.delivery == "halted"
    text = text_of(manager.get(url(canary)))
    assert "All traffic went back to r1." in text
    assert REASON in text


def test_resuming_goes_on_at_the_same_checkpoint(manager: Client, held: Rollout) -> None:
    send(manager, held, "resume")
    assert (state_of(held), held.checkpoint) == ("checkpoint", 2)


def test_promoting_goes_one_checkpoint_further(manager: Client, canary: Rollout) -> None:
    send(manager, canary, "promote")
    assert (state_of(canary), canary.checkpoint) == ("checkpoint", 3)


@pytest.mark.parametrize("command", ["promote", "resume"])
def test_driving_on_needs_a_reason(manager: Client, held: Rollout, command: str) -> None:
    before = untouched(held)
    answer = send(manager, held, command, reason="ok")
    assert answer.status_code == 422
    assert "at least 5 characters" in answer.text
    assert untouched(held) == before


def test_a_command_on_a_version_that_has_passed_is_refused_with_the_fresh_state_and_the_reason(
    manager: Client, held: Rollout
) -> None:
    before = untouched(held)
    answer = send(manager, held, "promote", expected_version=held.version - 1)
    assert answer.status_code == 409
    assert "The rollout has moved on from version 2 to 3: look again." in answer.text
    assert f">{REASON}</textarea>" in answer.text
    assert f'name="expected_version" value="{held.version}"' in " ".join(answer.text.split())
    assert untouched(held) == before


def test_a_command_on_a_rollout_that_is_over_says_that_it_is(manager: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate, state="halted")
    answer = send(manager, row, "promote")
    assert answer.status_code == 409
    assert "which is final; start another one." in answer.text
    assert REASON in answer.text


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_form_without_its_version_changes_nothing(manager: Client, canary: Rollout, version: str) -> None:
    before = untouched(canary)
    assert send(manager, canary, "halt", expected_version=version).status_code == 422
    assert untouched(canary) == before


def test_a_command_that_nobody_knows_is_not_there(manager: Client, canary: Rollout) -> None:
    before = untouched(canary)
    assert send(manager, canary, "explode").status_code == 404
    assert untouched(canary) == before


def test_a_viewer_commands_nothing_and_reads_why(viewer: Client, canary: Rollout) -> None:
    before = untouched(canary)
    assert send(viewer, canary, "pause").status_code == 403
    assert untouched(canary) == before
    page = viewer.get(url(canary)).text
    assert "one must be release manager" in page
    assert 'id="hold"' not in page


def test_somebody_of_another_organization_commands_nothing(canary: Rollout) -> None:
    outsider = visitor(factories.organization("southgate"), "release-manager")
    before = untouched(canary)
    assert send(outsider, canary, "halt").status_code == 404
    assert untouched(canary) == before


def test_buttons_are_those_of_the_state(manager: Client, held: Rollout) -> None:
    page = manager.get(url(held)).text
    assert 'data-open-dialog="resume"' in page
    assert 'data-open-dialog="halt"' in page
    assert 'id="hold"' not in page


def test_after_completion_the_way_back_is_that_of_the_route(manager: Client, northgate: Scene) -> None:
    row = roll.rollout(northgate, state="completed")
    page = manager.get(url(row)).text
    assert f"/o/northgate/routes/{row.route_id}/rollback" in page
    assert 'data-open-dialog="halt"' not in page
