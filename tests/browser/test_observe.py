"""The observer in a real browser: both themes, both widths, live, by keyboard; deciding an alarm."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from relcontrol.clock import now
from releases.observer_models import DriftAlarm, Observer
from tests import factories
from tests.browser.conftest import EACH_THEME_AND_WIDTH, OpenPage
from tests.releases.observing import factory
from tests.releases.scene import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COMMENT = "We read fifty of them: they are right."


@pytest.fixture
def watched() -> Observer:
    """A watched route with a slice below its floor, an alarm, a rollback and worst answers."""
    row = factory.watched(scene())
    slow = row.slices.get(slice="ip-licensing")
    factory.window(slow, mean=None, ago=timedelta(minutes=9))
    factory.breached(slow, means=(0.4,))
    factory.worst(factory.alarm(row), kept=row.release.previous_release)
    factory.rollback(row, row.release.previous_release)
    return row


@pytest.fixture
def opened(open_page: OpenPage, session_cookie: Any, watched: Observer) -> Callable[..., Page]:
    """Opens a page as a release manager who may read receipts."""
    person = factories.person(watched.organization, "release-manager", "auditor")

    def at(path: str = "", **options: Any) -> Page:
        own = f"/o/northgate/observe/{watched.route_id}/"
        return open_page(path or own, cookies=session_cookie(person), **options)

    return at


def test_the_pages_are_accessible_and_fit(
    opened: Callable[..., Page], fits_and_is_accessible: Callable[..., None], watched: Observer
) -> None:
    page = opened(f"/o/northgate/observe/{watched.route_id}/?windows=1")
    expect(page.locator("#quality .main-svg").first).to_be_visible()
    page.get_by_text("The same as a table").click()
    fits_and_is_accessible(page, EACH_THEME_AND_WIDTH)
    alarm = DriftAlarm.objects.get()
    for path in (
        "/o/northgate/observe/",
        f"/o/northgate/observe/alarms/{alarm.pk}/",
        f"/o/northgate/observe/worst/{alarm.worst.pk}/",
        f"/o/northgate/releases/{watched.release_id}?tab=observe",
    ):
        page.goto(path)
        fits_and_is_accessible(page)


def test_a_window_that_is_closed_appears_by_itself_and_focus_stays(
    opened: Callable[..., Page], watched: Observer
) -> None:
    page = opened()
    expect(page.get_by_role("heading", level=1)).to_contain_text("for the first window in a row")
    page.get_by_role("link", name="24 hours").focus()
    slow = watched.slices.get(slice="ip-licensing")
    factory.breached(slow, means=(0.4, 0.3))
    watched.slices.update(next_from=now() + timedelta(minutes=1))
    expect(page.get_by_role("heading", level=1)).to_contain_text("for the second window in a row", timeout=15_000)
    expect(page.get_by_role("link", name="24 hours")).to_be_focused()
    expect(page.locator("#quality .main-svg").first).to_be_visible()


def test_an_alarm_is_decided_by_keyboard_alone(opened: Callable[..., Page]) -> None:
    page = opened()
    page.get_by_role("link", name="Decide…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Somebody has to decide.")
    page.get_by_label("Keep r2. What is looked for stays").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(COMMENT)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Kept: it goes on serving")).to_be_visible()
    assert DriftAlarm.objects.get().comment == COMMENT
