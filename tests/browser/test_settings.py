"""Settings in a real browser: the way through them, both themes, both widths."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from audit.keys import keyring
from audit.keys.signing import RECEIPTS
from audit.models import Receipt
from relcontrol.accounts.models import Membership, Organization
from tests import factories
from tests.browser.conftest import OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BASE = "/o/northgate/settings/"
ADMIN = "admin@northgate.example"
EMPTY_LISTS = ("endpoints/", "tokens/own/")


@pytest.fixture
def northgate() -> Organization:
    """An organization with an administrator, a viewer, an application and a token."""
    made = factories.organization()
    factories.application(made)
    factories.person(made, "admin")
    factories.person(made, "viewer")
    factories.service_token(made, "audit:read")
    return made


def signed_in(open_page: OpenPage, **options: Any) -> Page:
    page = open_page("/sign-in?next=" + BASE, **options)
    page.get_by_label("E-mail address").fill(ADMIN)
    page.get_by_label("Password").fill(factories.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_pages_of_a_young_organization_are_accessible_and_fit(
    open_page: OpenPage,
    northgate: Organization,
    fits_and_is_accessible: Callable[..., None],
) -> None:
    page = signed_in(open_page)
    member = Membership.objects.get(organization=northgate, person__email=ADMIN)
    for path in (*EMPTY_LISTS, f"people/{member.pk}/"):
        page.goto(BASE + path)
        fits_and_is_accessible(page)
    page.goto("/o/northgate/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("need")
    fits_and_is_accessible(page)


def test_a_token_is_made_copied_once_and_revoked(
    open_page: OpenPage, northgate: Organization, axe: Callable[[Page], None], complaints: list[str]
) -> None:
    page = signed_in(open_page)
    page.get_by_role("link", name="Service tokens").click()
    page.get_by_label("What is it for?").fill("pipeline")
    page.get_by_role("button", name="Make it and show it once").click()
    expect(page.get_by_label("releases:write")).to_be_focused()  # the first field that must be mended
    complaints.clear()  # of the answer 422
    page.get_by_label("releases:write").check()
    page.get_by_role("button", name="Make it and show it once").click()
    text = page.locator("#token-text").inner_text()
    axe(page)
    page.get_by_label("Copy the token").click()
    assert page.evaluate("navigator.clipboard.readText()") == text
    assert factories.api(text).get("me").status_code == 200
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_label("Revoke the token pipeline").click()
    expect(page.locator("#main").get_by_text("The token pipeline is revoked")).to_be_visible()
    assert factories.api(text).get("me").status_code == 401


def test_a_member_goes_only_after_her_address_is_typed(open_page: OpenPage, northgate: Organization) -> None:
    page = signed_in(open_page)
    page.get_by_role("link", name="People").click()
    page.get_by_role("link", name="viewer").click()
    remove = page.get_by_role("button", name="Remove")
    expect(remove).to_be_disabled()
    page.get_by_label("Type viewer@northgate.example").fill("viewer@northgate.example")
    remove.click()
    expect(page.locator("#main").get_by_text("is no longer a member")).to_be_visible()
    assert not Membership.objects.filter(person__email="viewer@northgate.example").exists()


def test_a_key_is_rotated_and_the_old_one_revoked_by_keyboard(
    open_page: OpenPage, northgate: Organization, axe: Callable[[Page], None]
) -> None:
    old = keyring.signer(RECEIPTS).keyid
    page = signed_in(open_page)
    page.get_by_role("link", name="Keys", exact=True).click()
    page.get_by_role("link", name=f"Rotate the receipts key {old[:12]}").click()
    rotate = page.get_by_role("button", name="Rotate")
    page.get_by_label("Type receipts").fill("receipt")
    expect(rotate).to_be_disabled()
    page.get_by_label("Type receipts").fill("receipts")
    page.keyboard.press("Enter")
    expect(page.locator("#main").get_by_text("A new key signs from now on.")).to_be_visible()
    new = keyring.signer(RECEIPTS).keyid
    row = page.locator("tr", has=page.locator(f"[title='{old}']"))
    expect(row).to_contain_text("Retired")
    expect(page.locator("tr", has=page.locator(f"[title='{new}']"))).to_contain_text("Signs")

    row.get_by_role("link", name=f"Revoke the receipts key {old[:12]}").click()
    page.get_by_label("Why is it revoked?").fill("A copy was left on a laptop.")
    page.get_by_label(f"Type {old[:12]}").fill(old[:12])
    axe(page)
    page.keyboard.press("Enter")
    expect(page.locator("#main").get_by_text("The key is revoked.")).to_be_visible()
    expect(row).to_contain_text("Revoked")
    expect(row).to_contain_text("A copy was left on a laptop.")
    expect(page.get_by_role("link", name=f"Revoke the receipts key {old[:12]}")).to_have_count(0)

    rotated, revoked = Receipt.objects.filter(event__startswith="key.").order_by("seq")
    assert [rotated.keyid, revoked.keyid] == [old, new]
    page.locator("section[aria-labelledby=changes]").get_by_role("link").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"revoked the receipts key {old[:12]}")
    inputs = page.get_by_role("region", name="Inputs of the decision")
    expect(inputs.get_by_role("row").filter(has_text="Revoked")).to_have_count(1)
