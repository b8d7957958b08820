"""The evidence in a browser alone: find receipts and verify them (exports: test_auditor)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from audit.chain_checks import check_all_chains
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests import factories
from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HOME = "/o/northgate/audit/"


@pytest.fixture
def northgate() -> Organization:
    """With an application, an auditor and a chain that was checked."""
    organization = factories.organization()
    factories.application(organization)
    factories.person(organization, "auditor")
    check_all_chains(now())
    return organization


@pytest.fixture
def cookies(session_cookie: Callable[[Any], list[Any]], northgate: Organization) -> list[Any]:
    """The auditor's session."""
    return session_cookie(northgate.memberships.get(roles=["auditor"]).person)


def test_every_audit_page_is_accessible_and_fits(
    open_page: OpenPage,
    cookies: list[Any],
    fits_and_is_accessible: Callable[..., None],
) -> None:
    page = open_page(HOME, cookies=cookies)
    for path in ("", "?q=nobody", "range/?first=1&last=3", "receipts/2/", "exports/"):
        page.goto(f"{HOME}{path}")
        fits_and_is_accessible(page)


def test_a_receipt_is_found_opened_and_verified_again_by_keyboard(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(HOME, cookies=cookies)
    page.get_by_role("textbox", name="Search receipts").fill("#2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-rows] tr")).to_have_count(1)
    page.locator("[data-rows] a").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Receipt 2:")
    expect(page.locator(".chain > li")).to_have_count(4)
    page.get_by_role("link", name="Verify again").click()
    expect(page.get_by_text("Four hold, two not checked")).to_be_visible()


def test_a_printed_receipt_is_without_the_shell(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(f"{HOME}receipts/2/", cookies=cookies)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".navbar-vertical")).to_be_hidden()
    expect(page.get_by_role("link", name="Download")).to_be_hidden()
