"""Ten-failures #7 in a browser: asked for, refused without words, approved by a second person with a typed name."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gates.run_models import Override
from tests.browser.conftest import OpenPage
from tests.factories import PASSWORD
from tests.gates.overrides.scene import COMMENT, REASON, Gate, gate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Cookies = Callable[[Any], list[Any]]


def _step_up(page: Page) -> None:
    page.get_by_label("Your password").fill(PASSWORD)
    page.keyboard.press("Enter")


def _request(failed: Gate) -> str:
    return f"/o/northgate/releases/{failed.release.pk}/override/"


def _review(row: Override) -> str:
    return f"/o/northgate/overrides/{row.pk}/"


def test_an_override_is_asked_for_and_approved_by_hand(
    open_page: OpenPage, session_cookie: Cookies, complaints: list[str]
) -> None:
    failed = gate()
    page = open_page(_request(failed), cookies=session_cookie(failed.asker))
    page.get_by_role("button", name="Ask for the override").click()
    _step_up(page)
    for reason in ("", "   ", "too short"):
        page.get_by_label("Yes, let this release roll").check()
        page.get_by_label("Why?").fill(reason)
        page.get_by_role("button", name="Ask for the override").click()
        expect(page.get_by_text("Say why in 20 characters or more")).to_be_visible()
    page.get_by_label("Yes, let this release roll").uncheck()
    page.get_by_label("Why?").fill(REASON)
    page.get_by_role("button", name="Ask for the override").click()
    expect(page.get_by_text("Tick it: an override is never given by accident.")).to_be_visible()
    assert Override.objects.count() == 0
    page.get_by_label("Yes, let this release roll").check()
    page.get_by_role("button", name="Ask for the override").click()
    expect(page.get_by_role("heading", name="May r2 ship although IP licensing failed?")).to_be_visible()
    expect(page.get_by_role("button", name="Approve override")).to_have_count(0)
    _approve(open_page(_review(Override.objects.get()), cookies=session_cookie(failed.approver)))
    assert Override.objects.get().state == "active"
    complaints[:] = [said for said in complaints if "422" not in said]  # forms that were refused, as they should be


def _approve(page: Page) -> None:
    button = page.get_by_role("button", name="Approve override")
    expect(button).to_be_disabled()
    page.get_by_label("Why do you agree, or not?").fill(COMMENT)
    page.get_by_label("Type legal-assistant r2 to go on").fill("legal-assistant r")
    expect(button).to_be_disabled()
    page.get_by_label("Type legal-assistant r2 to go on").fill("legal-assistant r2")
    button.click()
    _step_up(page)
    expect(page.get_by_label("Why do you agree, or not?")).to_have_value(COMMENT)
    page.get_by_label("Type legal-assistant r2 to go on").fill("legal-assistant r2")
    button.click()
    expect(page.get_by_text("Override active")).to_be_visible()


def test_every_page_of_an_override_is_accessible_and_fits(
    open_page: OpenPage,
    session_cookie: Cookies,
    fits_and_is_accessible: Callable[..., None],
) -> None:
    failed = gate()
    cookies = session_cookie(failed.approver)
    paths = [_request(failed), f"/o/northgate/releases/{failed.release.pk}/roll/"]
    row = failed.requested()
    page = open_page("/", cookies=cookies)
    for path in (*paths, _review(row), "/o/northgate/"):
        page.goto(path)
        fits_and_is_accessible(page)
    fits_and_is_accessible(open_page(_review(row), cookies=session_cookie(failed.asker)))
