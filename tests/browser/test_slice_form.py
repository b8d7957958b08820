"""The slice form and its neighbours in a real browser: the live preview, both themes, both widths, and saving."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gates.slices.services import slice_named
from tests.browser.conftest import OpenPage
from tests.factories import application, person
from tests.gates.scene import Scene, scene
from tests.gates.slices.judged import ip_licensing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLICES = "/o/northgate/slices/"
PATHS = ("", "ip-licensing/", "ip-licensing/edit/")  # test_every_screen has those that know no judgement


@pytest.fixture
def judged(live_server: Any) -> Scene:
    """An organization whose IP licensing has been judged in ten releases."""
    northgate = scene("northgate")
    ip_licensing(northgate, application(northgate.organization))
    return northgate


def test_every_page_of_slices_is_accessible_and_fits(
    judged: Scene,
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    fits_and_is_accessible: Callable[..., None],
) -> None:
    cookies = session_cookie(person(judged.organization, "domain-owner"))
    page = open_page(SLICES, cookies=cookies)
    for path in PATHS:
        page.goto(f"{SLICES}{path}")
        if path.startswith("ip-licensing"):
            expect(page.locator(".plot .main-svg").first).to_be_visible()
        fits_and_is_accessible(page)


def test_the_preview_and_the_chart_follow_the_typing_and_the_rule_is_saved(
    judged: Scene, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]], axe: Callable[[Page], None]
) -> None:
    cookies = session_cookie(person(judged.organization, "domain-owner"))
    page = open_page(f"{SLICES}ip-licensing/edit/", cookies=cookies)
    threshold = page.get_by_label("How closely must the judge agree with your experts?")
    threshold.fill("0.70")
    expect(page.locator(".preview")).to_contain_text("less than 0.70 on IP licensing")
    expect(page.locator("#backtest-caption")).to_contain_text("would have stopped 7 of the last 10")
    expect(page.locator("#backtest .main-svg").first).to_be_visible()
    expect(page.locator("#backtest")).to_contain_text("draft 0.70")
    expect(threshold).to_be_focused()
    page.get_by_label("A person signs when it is close").check()
    expect(page.locator(".preview")).to_contain_text("somebody has to sign")
    axe(page)
    page.get_by_role("button", name="Save revision 4").click()
    expect(page.locator("#main").get_by_text("Revision 4 is saved")).to_be_visible()
    held = slice_named(judged.organization, "ip-licensing")
    assert (str(held.threshold), held.policy) == ("0.7000", "guarded")


def test_slices_are_imported_by_hand_after_a_look_at_what_changes(
    judged: Scene, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]], axe: Callable[[Page], None]
) -> None:
    cookies = session_cookie(person(judged.organization, "domain-owner"))
    page = open_page(f"{SLICES}import/", cookies=cookies)
    body = b"slug,name,threshold\nip-licensing,IP licensing,0.7\nfresh,Fresh,0.5\n"
    page.get_by_label("Which file?").set_input_files({"name": "slices.csv", "mimeType": "text/csv", "buffer": body})
    page.get_by_role("button", name="Show what it would change").click()
    expect(page.get_by_text("0.65 → 0.7")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Import 2 slices").click()
    expect(page.locator("#main").get_by_text("Imported: 1 new, 1 changed")).to_be_visible()
