"""Live requests beside the slice form and the tree in a real browser: as one types, both themes, both widths."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from relcontrol.accounts.models import Organization, Person
from tests.browser.conftest import OpenPage
from tests.factories import organization, person
from tests.releases.suggestions.requests import asked, slices

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SLICES = "/o/northgate/slices/"


@pytest.fixture
def owner(transactional_db: None) -> Organization:
    """An organization with one slice, and requests about taxes that belong to none."""
    made = organization("northgate")
    slices(made, patents={"pattern": "patent"})
    asked(made, "Is the patent licence mine?")
    for number in range(6):
        asked(made, f"Which tax is due on licence {number}?", metadata={"topic": "tax law"})
    return made


@pytest.fixture
def cookies(owner: Organization, session_cookie: Callable[[Any], list[Any]]) -> list[Any]:
    """The browser of a domain owner."""
    member: Person = person(owner, "domain-owner")
    return session_cookie(member)


def test_what_a_rule_takes_is_told_as_it_is_typed_and_suggestions_begin_a_form(
    open_page: OpenPage, cookies: list[Any], fits_and_is_accessible: Callable[..., None], tmp_path: Path
) -> None:
    page = open_page(SLICES, cookies=cookies)
    expect(page.get_by_role("heading", name="What belongs nowhere?")).to_be_visible()
    page.screenshot(path=tmp_path / "tree.png", full_page=True)
    fits_and_is_accessible(page)
    page.get_by_role("link", name=re.compile("Make a slice of it.*topic = tax law")).click()
    expect(page.get_by_label("What do your experts call it?")).to_have_value("Tax law")
    expect(page.get_by_text("6 of 7 requests match")).to_be_visible()
    fits_and_is_accessible(page)

    page.get_by_label("How is a live trace known to belong here?").select_option("pattern")
    page.get_by_label("Pattern").press_sequentially("licence")
    expect(page.get_by_text("7 of 7 requests match")).to_be_visible()
    expect(page.get_by_text("1 of 7 goes to Patents, which is asked first.")).to_be_visible()
    expect(page.get_by_text("Which tax is due on licence 5?")).to_be_visible()
    page.screenshot(path=tmp_path / "form.png", full_page=True)


def test_the_page_of_a_slice_shows_its_newest_requests(
    open_page: OpenPage, cookies: list[Any], fits_and_is_accessible: Callable[..., None]
) -> None:
    page = open_page(f"{SLICES}patents/", cookies=cookies)
    expect(page.get_by_text("1 of 7 requests matches")).to_be_visible()
    fits_and_is_accessible(page)
