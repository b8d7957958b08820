"""The gate run in a real browser: accessible, no wider than the window, drawn in both themes, live while it works."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from gates.run_models import GateRun
from releases.models import Release
from tests.browser.conftest import OpenPage
from tests.factories import organization, person
from tests.gates.runs.documents import candidate, document, passing, unjudged
from tests.gates.runs.factory import gate_run, legal, with_answers
from tests.releases.scene import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Cookies = Callable[[Any], list[Any]]


def prepared() -> tuple[Any, dict[str, GateRun]]:
    """An organization with a run of every kind."""
    owner = organization("northgate")
    legal(owner)
    problem = {
        "detail": "12 rows are wrong.",
        "errors": [{"field": f"row {n}", "message": "No case."} for n in range(12)],
    }
    runs = {
        "failed": with_answers(gate_run(owner)),
        "passed": gate_run(owner, passing(), manifest_sha256="3" * 64),
        "held": gate_run(owner, document([unjudged("case-summarization")]), manifest_sha256="4" * 64),
        "dry": gate_run(owner, dry_run=True),
        "running": gate_run(owner, state="running", progress_done=1_204, progress_of=100_000, fence=1),
        "refused": gate_run(owner, state="error", problem=problem),
    }
    return owner, runs


def test_every_kind_of_run_is_accessible_and_fits(
    open_page: OpenPage,
    session_cookie: Cookies,
    fits_and_is_accessible: Callable[..., None],
) -> None:
    owner, runs = prepared()
    page = open_page("/", cookies=session_cookie(person(owner, "release-manager")))
    for path in ("", *(f"{run.pk}/" for run in runs.values())):
        page.goto(f"/o/northgate/gate/{path}")
        fits_and_is_accessible(page)


def test_the_picture_has_a_mark_for_every_slice_and_outlives_a_change_of_theme(
    open_page: OpenPage, session_cookie: Cookies
) -> None:
    owner, runs = prepared()
    page = open_page(f"/o/northgate/gate/{runs['failed'].pk}/", cookies=session_cookie(person(owner, "viewer")))
    names = page.locator("#forest .annotation-text")
    expect(names.filter(has_text="IP licensing")).to_be_visible()
    expect(names.filter(has_text="−0.27 since r127")).to_be_visible()
    tall = page.locator("#forest").bounding_box()
    page.get_by_role("button", name="Switch between light and dark").first.click()
    expect(names.filter(has_text="Contract drafting")).to_be_visible()
    assert page.locator("#forest").bounding_box() == tall


def test_another_answer_is_chosen_with_the_keyboard(open_page: OpenPage, session_cookie: Cookies) -> None:
    owner, runs = prepared()
    page = open_page(f"/o/northgate/gate/{runs['failed'].pk}/", cookies=session_cookie(person(owner, "viewer")))
    page.get_by_role("link", name="ip-0233").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="ip-0233")).to_have_attribute("aria-current", "true")


def test_a_run_becomes_its_verdict_while_one_looks_at_it(open_page: OpenPage, session_cookie: Cookies) -> None:
    owner, runs = prepared()
    page = open_page(f"/o/northgate/gate/{runs['running'].pk}/", cookies=session_cookie(person(owner, "viewer")))
    expect(page.get_by_text("1,204 of 100,000")).to_be_visible()
    done = {"state": "done", "verdict": "gate_pass", "document": passing(), "progress_done": 100_000}
    GateRun.objects.filter(pk=runs["running"].pk).update(**done)
    expect(page.get_by_role("heading", name="Five slices pass.")).to_be_visible()


def test_the_tabs_of_a_judged_release_are_accessible_and_fit(
    open_page: OpenPage,
    session_cookie: Cookies,
    fits_and_is_accessible: Callable[..., None],
) -> None:
    here = scene("northgate")
    owner, made = here.organization, Release.objects.get(pk=here.registered()["release_id"])
    gate_run(owner, manifest_sha256=made.manifest_sha256, candidate=candidate(release_id=made.pk))
    page = open_page("/", cookies=session_cookie(person(owner, "release-manager")))
    for tab in ("gate", "overrides"):
        page.goto(f"/o/northgate/releases/{made.pk}?tab={tab}")
        fits_and_is_accessible(page)
