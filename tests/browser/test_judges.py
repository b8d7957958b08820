"""The pages of judges in a real browser: accessible, no wider than the window, drawn, and a judge made by hand."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from gates.models import Judge
from tests.browser.conftest import OpenPage
from tests.gates.judges.scene import Measured, measured
from tests.gates.scene import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
JUDGES = "/o/northgate/judges/"


@pytest.fixture
def here(live_server: Any) -> Measured:
    """A judge that works elsewhere, measured on two slices."""
    return measured(scene("northgate"))


def test_every_page_of_judges_is_accessible_and_fits(
    here: Measured,
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    fits_and_is_accessible: Callable[..., None],
) -> None:
    page = open_page(JUDGES, cookies=session_cookie(here.owner.person))
    one = f"{JUDGES}{here.judge.pk}/"
    measurement, compared = f"/o/northgate/calibrations/{here.run.pk}/", f"{JUDGES}compare/?slice=ip-licensing"
    for path in (JUDGES, one, compared, measurement, "/o/northgate/slices/ip-licensing/"):
        page.goto(path)
        if path == measurement:
            page.locator("#numbers-ip-licensing > summary").click()
        if path == one:
            expect(page.locator("#calibration .main-svg").first).to_be_visible()
            page.locator("#calibration-table > summary").click()
            page.locator("#why-not > summary").click()
        fits_and_is_accessible(page)
    page.goto(f"{JUDGES}new/?kind=rules")  # test_every_screen has that of a model
    fits_and_is_accessible(page)


def test_a_judge_is_made_by_hand_and_measured_from_its_page(
    here: Measured, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]]
) -> None:
    page = open_page(JUDGES, cookies=session_cookie(here.owner.person))
    page.get_by_role("link", name="New judge").click()
    page.get_by_role("link", name="Rules", exact=True).click()
    page.get_by_label("What is it called?").fill("no-refusals@1")
    page.get_by_label("It names a date that does not exist").uncheck()
    page.get_by_role("button", name="Make the judge").click()
    expect(page.get_by_text("It holds against an answer a refusal")).to_be_visible()
    assert Judge.objects.filter(name="rules:no-refusals@1").exists()
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("0 of 80 answers")).to_be_visible()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
