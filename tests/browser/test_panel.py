"""Grading in a real browser: sixty answers with the keyboard alone, left and resumed; accessible on every screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gates.panel_models import Panel, PanelTask
from gates.panels.closing import close_panel
from tests.browser.conftest import OpenPage
from tests.gates.panels.scene import LOW_AND_HIGH, Campaign, all_graded, campaign, own, rows, suite_of
from tests.gates.scene import scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIXTY = 60
PANELS = "/o/northgate/panels/"
IS_SAID = "text => document.getElementById('live').textContent === text"


@pytest.fixture
def here(live_server: Any) -> Campaign:
    """Three experts, and nothing to grade yet."""
    return campaign(scene("northgate"))


def opened(open_page: OpenPage, cookies: Callable[[Any], list[Any]], who: Any, panel: Panel) -> Page:
    """The grading screen as this person sees it."""
    return open_page(f"{PANELS}{panel.pk}/rate/", cookies=cookies(who.person))


def said(page: Page, text: str) -> None:
    """Wait until the live region says it."""
    page.wait_for_function(IS_SAID, arg=text)


def test_sixty_answers_are_graded_with_the_keyboard_alone(
    here: Campaign, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]]
) -> None:
    suite = suite_of(here.scene, rows(SIXTY), "sixty")
    panel = here.panel(suite=suite, raters=here.emails[:1], raters_per_answer=1)
    page = opened(open_page, session_cookie, here.experts[0], panel)
    given = [1 + number * 7 % 5 for number in range(SIXTY)]
    for number, grade in enumerate(given[:-1]):
        if number == 30:  # left, and resumed
            page.goto(PANELS)
            page.goto(f"{PANELS}{panel.pk}/rate/")
        page.keyboard.press(str(grade))
        said(page, f"Graded {grade}. {SIXTY - number - 1} left.")
    page.keyboard.press("u")
    said(page, "Taken back. 2 left.")
    page.keyboard.press("s")
    page.keyboard.type("I know nothing of 4 of these.")  # a digit in the reason grades nothing
    page.keyboard.press("Enter")
    said(page, "Skipped. 1 left.")
    page.keyboard.press(str(given[-1]))
    said(page, f"Graded {given[-1]}. That was the last one.")
    expect(page.get_by_text("Thank you. You are done.")).to_be_visible()
    kept = list(own(panel, here.experts[0]).values_list("grade", flat=True))
    assert kept == [*given[:-2], None, given[-1]]


def test_a_typed_number_and_enter_grade_and_the_field_keeps_the_focus(
    here: Campaign, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]], axe: Callable[[Page], None]
) -> None:
    here.suite.grade_scale = [0, 100]
    here.suite.save(update_fields=["grade_scale"])
    panel = here.panel(scale=(0.0, 100.0))
    page = opened(open_page, session_cookie, here.experts[0], panel)
    axe(page)
    page.get_by_label("A whole number from 0 to 100").focus()
    for grade, left in ((87, 3), (12, 2)):
        page.keyboard.type(str(grade))
        page.keyboard.press("Enter")
        said(page, f"Graded {grade}. {left} left.")
        expect(page.get_by_label("A whole number from 0 to 100")).to_be_focused()
        expect(page.get_by_label("A whole number from 0 to 100")).to_have_value("")
    page.keyboard.press("u")
    said(page, "Taken back. 3 left.")
    assert list(own(panel, here.experts[0]).exclude(grade=None).values_list("grade", flat=True)) == [87]


def test_a_button_that_was_pressed_keeps_the_focus(
    here: Campaign, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]]
) -> None:
    panel = here.panel()
    page = opened(open_page, session_cookie, here.experts[0], panel)
    page.locator("#grade-4").focus()
    page.keyboard.press("Enter")
    said(page, "Graded 4. 3 left.")
    expect(page.locator("#grade-4")).to_be_focused()
    assert PanelTask.objects.filter(panel=panel, grade=4).count() == 1


def test_the_next_answer_begins_at_its_top_on_a_phone(
    here: Campaign, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]]
) -> None:
    panel = here.panel(suite=suite_of(here.scene, long_rows(), "long"))
    path = f"{PANELS}{panel.pk}/rate/"
    page = open_page(path, width=390, cookies=session_cookie(here.experts[0].person))
    page.locator("#grade-4").click()
    said(page, "Graded 4. 3 left.")
    expect(page.get_by_role("heading", name="The question")).to_be_in_viewport()


def long_rows() -> list[dict[str, Any]]:
    """Answers that are longer than a window."""
    cases = rows()
    for case in cases:
        case["answers"][0]["output"] = "A long answer with\n  an indented line and words without end. " * 60
    return cases


def test_every_screen_of_a_panel_is_accessible_and_fits(
    here: Campaign,
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    fits_and_is_accessible: Callable[..., None],
) -> None:
    suites = [suite_of(here.scene, long_rows(), f"long-{number}") for number in range(3)]
    waiting, complete, closed = (here.panel(suite=suite) for suite in suites)
    for panel in (complete, closed):
        all_graded(here, panel, 1, 3, 5)
    close_panel(actor=here.manager, panel=closed)
    page = opened(open_page, session_cookie, here.experts[0], waiting)
    for path in (f"{waiting.pk}/rate/", f"{complete.pk}/rate/", f"{closed.pk}/"):
        page.goto(f"{PANELS}{path}")
        fits_and_is_accessible(page)
    page.context.clear_cookies()
    page.context.add_cookies(session_cookie(here.manager.person))
    for path in (f"{complete.pk}/", f"{complete.pk}/disagreements/", f"{closed.pk}/"):  # test_every_screen has the rest
        page.goto(f"{PANELS}{path}")
        fits_and_is_accessible(page)


def test_the_sentence_beside_the_form_follows_the_typing(
    here: Campaign, open_page: OpenPage, session_cookie: Callable[[Any], list[Any]]
) -> None:
    page = open_page(f"{PANELS}new/?suite={here.suite.name}", cookies=session_cookie(here.manager.person))
    for email in here.emails:
        page.get_by_label(email).check()
    expect(page.locator(".preview")).to_have_text(
        "3 raters, 6 answers, 2 grades each: 4 answers a person, about 4 minutes."
    )
    page.get_by_label("How many grades for each answer?").fill("3")
    expect(page.locator(".preview")).to_contain_text("6 answers a person")
    for label, text in (("What is it called?", "Legal answers"), ("What should they look at?", "5: right. 1: wrong.")):
        with page.expect_response("**/panels/preview/"):  # none may still be on its way when the tables are emptied
            page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Open the panel").click()
    expect(page.locator("#main").get_by_text("Legal answers is open.")).to_be_visible()
    assert Panel.objects.get().scale == list(LOW_AND_HIGH)
