"""Every screen once, read from the URL configuration: a new page is looked at without being named here."""

from typing import Any

import pytest
from django.test import Client

from relcontrol.accounts.models import Person
from tests.api.addresses import pages
from tests.api.world import World, browser, world
from tests.browser.conftest import EACH_THEME_AND_WIDTH, OpenPage

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


# Looked at by tests of their own, in more states than here.
ELSEWHERE = {
    *("gate", "gate-run", "release", "release-new", "prompt", "roll", "rollout", "route", "route-rollback"),
    *("panel", "panel-rate", "panel-compare", "judge", "judge-compare", "calibration"),
    *("observe-route", "drift-alarm", "worst-answers"),
}


def screens(here: World, visitor: Client) -> list[str]:
    """The addresses that answer somebody who may do everything with a page."""
    paths = [here.path(address) for address in pages() if address.name not in ELSEWHERE]
    return [path for path in paths if _is_page(visitor.get(path))] + ["/step-up", "/o/northgate/search?q=r1"]


def _is_page(answer: Any) -> bool:
    return bool(answer.status_code == 200 and answer["Content-Type"].startswith("text/html"))


def everybody(here: World) -> Person:
    """Somebody with every role."""
    return here.people["all"]


def test_every_screen_is_accessible_and_fits(
    open_page: OpenPage, fits_and_is_accessible: Any, session_cookie: Any
) -> None:
    here = world("northgate")
    found = screens(here, browser(everybody(here)))
    assert len(found) > 25
    page = open_page("/", cookies=session_cookie(everybody(here)))
    for turn, form in enumerate(EACH_THEME_AND_WIDTH):  # one after the other: each change is another layout
        for path in found[turn :: len(EACH_THEME_AND_WIDTH)]:
            page.goto(path)
            fits_and_is_accessible(page, (form,))


def test_signed_out_screens_are_accessible_too(open_page: OpenPage, axe: Any) -> None:
    page = open_page("/sign-in")
    axe(page)
    page.get_by_role("button", name="Sign in").focus()
    page.keyboard.press("Enter")
    axe(page)
