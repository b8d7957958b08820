"""A rollout in a real browser: both themes, both widths, live, by keyboard; holding, stopping, rolling back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from relcontrol.clock import now
from releases.rollout_models import Rollout
from tests import factories
from tests.browser.conftest import EACH_THEME_AND_WIDTH, OpenPage
from tests.releases.pages_roll import scene as roll
from tests.releases.scene import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REASON = "Two answers on licences are wrong."


@pytest.fixture
def canary() -> Rollout:
    """A rollout at 25 %, as in the mock-up."""
    return roll.canary(scene())


@pytest.fixture
def opened(open_page: OpenPage, session_cookie: Any, canary: Rollout) -> Callable[..., Page]:
    """Opens a page as a release manager who may read receipts."""
    person = factories.person(canary.organization, "release-manager", "auditor")

    def at(path: str = "", **options: Any) -> Page:
        own = f"/o/northgate/rollouts/{canary.pk}/"
        return open_page(path or own, cookies=session_cookie(person), **options)

    return at


def test_the_page_is_accessible_and_fits(
    opened: Callable[..., Page],
    fits_and_is_accessible: Callable[..., None],
    canary: Rollout,
) -> None:
    page = opened()
    expect(page.get_by_role("heading", level=1)).to_contain_text("r2 answers 25")
    page.get_by_text("The same as a table").click()
    fits_and_is_accessible(page, EACH_THEME_AND_WIDTH)
    page.get_by_role("button", name="Roll back…").click()
    fits_and_is_accessible(page, EACH_THEME_AND_WIDTH)
    page.keyboard.press("Escape")
    for path in (
        "/o/northgate/rollouts/",
        f"/o/northgate/routes/{canary.route_id}/",
        f"/o/northgate/routes/{canary.route_id}/rollback",
        f"/o/northgate/releases/{canary.release_id}?tab=rollout",
    ):
        page.goto(path)
        fits_and_is_accessible(page)


def test_what_the_ticker_finds_appears_by_itself_and_focus_stays(opened: Callable[..., Page], canary: Rollout) -> None:
    page = opened()
    page.locator("#open-promote").focus()
    at = now()
    Rollout.objects.filter(pk=canary.pk).update(
        state="paused", version=4, stopped_at=at, first_held_at=at, looked_at=at, reasons=["Ada: wait for legal."]
    )
    expect(page.get_by_role("heading", level=1)).to_contain_text("r2 is paused at 25", timeout=15_000)
    expect(page.locator("#open-promote")).to_be_focused()
    expect(page.get_by_role("button", name="Resume…")).to_be_visible()


def test_holding_is_one_click(opened: Callable[..., Page], canary: Rollout) -> None:
    page = opened()
    page.get_by_role("button", name="Hold at 25").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("r2 is paused at 25")
    canary.refresh_from_db()
    assert canary.state == "paused"


def test_stopping_takes_two_steps_by_keyboard_alone(opened: Callable[..., Page], canary: Rollout) -> None:
    page = opened()
    page.locator("#open-halt").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#halt-reason")).to_be_focused()
    page.keyboard.type(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("All traffic went back to r1.")
    canary.refresh_from_db()
    assert canary.state == "halted"
    assert REASON in canary.reasons[0]


def test_a_command_that_came_too_late_keeps_the_typed_reason(
    opened: Callable[..., Page], canary: Rollout, axe: Callable[[Page], None], complaints: list[str]
) -> None:
    page = opened()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.locator("#open-promote").click()
    page.locator("#promote-reason").fill(REASON)
    Rollout.objects.filter(pk=canary.pk).update(version=9)
    page.get_by_role("button", name="Promote", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("The rollout has moved on from version 3 to 9")
    expect(page.locator("#again-reason")).to_have_value(REASON)
    axe(page)
    complaints.clear()  # Chromium reports the 409 of the form as a failed load
