"""Ten-failures #4 in a browser: the page names the slice that fell, shows the mean and does not use it, and nothing
lets the release roll.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from relcontrol.rehearsal.at_gate import failure_of
from relcontrol.rehearsal.stories import ip_licensing_collapse
from tests.acceptance.moved import world_of
from tests.browser.conftest import OpenPage
from tests.factories import person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_gate_run_says_what_fell_and_no_page_lets_it_roll(
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    axe: Callable[[Page], None],
    complaints: list[str],
) -> None:
    world = world_of()
    failed = failure_of(world, ip_licensing_collapse())
    cookies = session_cookie(person(world.stage.organization, "release-manager"))
    page = open_page(f"/o/northgate/gate/{failed.document['gate_run_id']}/", cookies=cookies)
    expect(page.get_by_role("heading", level=1)).to_contain_text("IP licensing fell from 0.68 to 0.41.")
    expect(page.get_by_text("at the usual 0.65 it would fail").first).to_be_visible()
    mean = page.get_by_role("row", name="Mean of the slices")
    expect(mean).to_contain_text("0.64")
    expect(mean).to_contain_text("never used")
    axe(page)
    page.goto(f"/o/northgate/releases/{failed.release['release_id']}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("it failed its gate")
    page.goto(f"/o/northgate/releases/{failed.release['release_id']}/roll/")
    expect(page.get_by_text("no way of deploying takes it").first).to_be_visible()
    expect(page.get_by_role("button", name="Start the rollout")).to_have_count(0)
    assert complaints == []
