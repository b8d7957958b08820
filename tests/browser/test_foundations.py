"""The parts in a real browser: both themes, both widths, keyboard, live parts (ui.md)."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from relcontrol.accounts.models import Membership, Organization, Person
from relcontrol.clock import now
from tests.browser.conftest import EACH_THEME_AND_WIDTH, OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.web.kitchen_sink"),
]
SINK = "/o/northgate/"


@pytest.fixture
def cookies(session_cookie: Callable[[Any], list[Any]]) -> list[Any]:
    """Daniel, signed in, a member of two organizations."""
    person = Person.objects.create(email="daniel@northgate.example", name="Daniel Okafor", created_at=now())
    for slug, name in (("northgate", "Northgate Legal"), ("southgate", "Southgate")):
        organization = Organization.objects.create(slug=slug, name=name, origin=f"test/{slug}", created_at=now())
        Membership.objects.create(organization=organization, person=person, roles=["viewer"], created_at=now())
    return session_cookie(person)


def test_every_part_is_accessible_and_fits(
    open_page: OpenPage,
    cookies: list[Any],
    fits_and_is_accessible: Callable[..., None],
) -> None:
    page = open_page(SINK, cookies=cookies)
    expect(page.locator("#forest .main-svg").first).to_be_visible()
    fits_and_is_accessible(page, EACH_THEME_AND_WIDTH)


def test_plain_pages_are_accessible(open_page: OpenPage, fits_and_is_accessible: Callable[..., None]) -> None:
    page = open_page("/sign-in", width=390)
    for path in ("/sign-in", "/sign-in?next=/act"):
        page.goto(path)
        fits_and_is_accessible(page, (("light", 390), ("dark", 390)))


def test_an_error_page_is_accessible(open_page: OpenPage, complaints: list[str], axe: Callable[[Page], None]) -> None:
    page = open_page("/nowhere")
    axe(page)
    assert [text for text in complaints if "404" in text]
    complaints.clear()


def test_a_chosen_theme_is_remembered_and_redraws_figures(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, theme="light", cookies=cookies)
    tick = page.locator("#forest .xtick text").first
    before = tick.evaluate("text => getComputedStyle(text).fill")
    page.get_by_label("Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert tick.evaluate("text => getComputedStyle(text).fill") != before
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_copy_button_copies_the_whole_digest_and_says_so(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, cookies=cookies)
    page.locator(".head-meta [data-copy]").click()
    expect(page.locator("#live")).to_have_text("Copied")
    assert len(page.evaluate("navigator.clipboard.readText()")) == 64


def test_slash_searches_and_question_mark_helps(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, cookies=cookies)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_j_and_k_walk_through_the_rows(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, cookies=cookies)
    for key, name in (("j", "legal-qa r128"), ("j", "legal-qa r127"), ("k", "legal-qa r128"), ("k", "legal-qa r128")):
        page.keyboard.press(key)
        expect(page.get_by_role("link", name=name)).to_be_focused()


def test_g_then_a_key_goes_to_that_screen(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, cookies=cookies)
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_title("Live · relcontrol")


def test_a_dangerous_button_wakes_when_the_name_is_typed(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, cookies=cookies)
    button, box = page.get_by_role("button", name="Approve override"), page.get_by_label("Type legal-qa r128 to go on")
    expect(button).to_be_disabled()
    box.fill("legal-qa r12")
    expect(button).to_be_disabled()
    box.fill("legal-qa r128")
    expect(button).to_be_enabled()


def test_the_user_menu_leads_to_other_organizations_and_out(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page(SINK, cookies=cookies, width=390)
    page.get_by_role("button", name="Signed in as Daniel Okafor").click()
    expect(page.get_by_role("link", name="Southgate")).to_have_attribute("href", "/o/southgate/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_live_part_renews_itself_until_it_is_final(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page("/o/northgate/audit/", cookies=cookies)
    page.locator("#more summary").click()
    page.get_by_role("link", name="Details").focus()
    expect(page.locator("#export")).to_contain_text("Step 3")
    expect(page.locator("#export")).not_to_have_attribute("data-poll", "")
    expect(page.locator("#more")).to_have_attribute("open", "")
    expect(page.get_by_role("link", name="Details")).to_be_focused()
    expect(page.locator("#live")).to_have_text("3 of 3 parts")


def test_a_paused_part_asks_nothing_until_it_goes_on(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page("/o/northgate/audit/", cookies=cookies)
    page.get_by_role("button", name="Pause").click()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/progress" in request.url else None)
    page.evaluate("htmx.trigger('#export', 'poll-now')")
    assert sent == []
    with page.expect_response("**/progress*"):
        page.get_by_role("button", name="Paused: go on").click()


def test_a_hidden_tab_asks_nothing(open_page: OpenPage, cookies: list[Any]) -> None:
    page = open_page("/o/northgate/audit/", cookies=cookies)
    page.evaluate("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/progress" in request.url else None)
    page.evaluate("htmx.trigger('#export', 'poll-now')")
    assert sent == []
    page.evaluate("delete document.hidden")
    with page.expect_response("**/progress*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_lost_connection_is_said_beside_the_part(
    open_page: OpenPage, cookies: list[Any], complaints: list[str]
) -> None:
    page = open_page("/o/northgate/audit/", cookies=cookies)
    page.route("**/progress*", lambda route: route.abort())
    expect(page.get_by_text("no answer from relcontrol")).to_be_visible()
    page.close()
    complaints.clear()
