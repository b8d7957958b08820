"""Releases and prompts in a real browser: the one-word edit of ten-failures.md 2, registering, every screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from releases.artifacts import create_artifact
from releases.models import Artifact, ArtifactVersion, Release
from tests.browser.conftest import OpenPage
from tests.factories import person
from tests.releases.scene import OTHER_MODEL, Scene, scene, stable

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LONG_WORD = "incontrovertibly-authoritatively-sourced"  # "ok" in its place makes the text 38 characters shorter
SYSTEM = f"You answer questions of law.\nGive {LONG_WORD} answers.\nSay so if you do not know."
PROMPT = "templates/live"


@pytest.fixture
def northgate() -> Scene:
    made = scene()
    create_artifact(actor=made.actor, ref=f"{PROMPT}@v14", value={"kind": "prompt_template", "system": SYSTEM})
    stable(made.registered(prompt_template_ref=f"{PROMPT}@v14")["release_id"])
    return made


@pytest.fixture
def cookies(northgate: Scene, session_cookie: Callable[[Any], list[Any]]) -> list[Any]:
    return session_cookie(person(northgate.organization, "release-manager"))


def test_a_one_word_edit_makes_a_new_artifact_and_leaves_the_route_alone(
    open_page: OpenPage, cookies: list[Any], northgate: Scene
) -> None:
    live, old = Release.objects.get(), Artifact.objects.get(versions__name=PROMPT)
    page = open_page(f"/o/northgate/prompts/{PROMPT}/", cookies=cookies)
    page.get_by_role("link", name="Edit v14").click()
    page.get_by_label("System prompt").fill(SYSTEM.replace(LONG_WORD, "ok"))
    expect(page.locator("#findings")).to_contain_text("38 characters shorter than v14.")
    page.get_by_role("button", name="Save as a new version").click()
    expect(
        page.get_by_role("main").get_by_text(f"Nothing live changed: domain legal still serves {PROMPT}@v14 in r1.")
    ).to_be_visible()
    made = ArtifactVersion.objects.select_related("artifact").get(name=PROMPT, version="v15")
    assert made.artifact.digest != old.digest
    assert len(made.artifact.value["system"]) == len(SYSTEM) - 38
    assert [row.manifest_sha256 for row in Release.objects.filter(route=live.route)] == [live.manifest_sha256]
    assert bytes(Release.objects.get(delivery="stable").manifest) == bytes(live.manifest)


def test_an_edit_is_registered_with_just_the_prompt_changed(
    open_page: OpenPage, cookies: list[Any], northgate: Scene
) -> None:
    value = {"kind": "prompt_template", "system": SYSTEM.replace(LONG_WORD, "ok")}
    create_artifact(actor=northgate.actor, ref=f"{PROMPT}@v15", value=value)
    page = open_page(f"/o/northgate/prompts/{PROMPT}/", cookies=cookies)
    page.get_by_role("link", name="Register it with v15").click()
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("legal-assistant r2 is registered")
    expect(page.locator(".diff")).to_contain_text("Give ok answers.")
    made = Release.objects.get(number=2)
    assert [change["component"] for change in made.changes] == ["prompt_template"]
    assert Release.objects.get(delivery="stable").number == 1


def test_several_changes_are_ticked_before_they_are_taken(
    open_page: OpenPage, cookies: list[Any], northgate: Scene, complaints: list[str]
) -> None:
    first = Release.objects.get()
    page = open_page(f"/o/northgate/releases/new?from={first.pk}", cookies=cookies)
    page.get_by_label("Model", exact=True).fill(OTHER_MODEL)
    page.get_by_label("Prompt", exact=True).fill("templates/legal-qa@v14")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Several things would change at once")).to_be_visible()
    page.get_by_label("Prompt template").check()
    page.get_by_role("group", name="Which of these changes do you mean?").get_by_label("Model").check()
    page.get_by_label("Previous release").fill(first.manifest_sha256)
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("legal-assistant r2 is registered")
    assert [text for text in complaints if "422" not in text] == []
    complaints.clear()  # the browser reports the refused form as a failed load


def test_every_state_of_a_release_and_its_prompt_is_accessible_and_fits(
    open_page: OpenPage,
    cookies: list[Any],
    northgate: Scene,
    fits_and_is_accessible: Callable[..., None],
) -> None:
    create_artifact(actor=northgate.actor, ref=f"{PROMPT}@v15", value={"kind": "prompt_template", "system": "Short."})
    made = northgate.registered(prompt_template_ref=f"{PROMPT}@v15")["release_id"]
    page = open_page("/", cookies=cookies)
    screens = [  # those that test_every_screen does not see in this state
        "/o/northgate/releases/?model=nothing",
        f"/o/northgate/releases/{made}",
        f"/o/northgate/releases/{made}?view=words",
        f"/o/northgate/releases/{made}?view=json",
        f"/o/northgate/releases/{made}?tab=receipts",
        f"/o/northgate/releases/new?from={made}",
        f"/o/northgate/prompts/{PROMPT}/",
    ]
    for path in screens:
        page.goto(path)
        fits_and_is_accessible(page)


def test_the_search_of_the_top_bar_goes_straight_to_the_release(
    open_page: OpenPage, cookies: list[Any], northgate: Scene, axe: Callable[[Page], None]
) -> None:
    page = open_page("/o/northgate/releases/", cookies=cookies)
    page.keyboard.press("/")
    page.keyboard.type(Release.objects.get().manifest_sha256[:12])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("legal-assistant r1")
    page.goto("/o/northgate/search?q=legal")
    expect(page.get_by_role("heading", level=1)).to_have_text("Several things match")
    axe(page)


def test_rows_are_walked_and_opened_by_keyboard(open_page: OpenPage, cookies: list[Any], northgate: Scene) -> None:
    page = open_page("/o/northgate/releases/", cookies=cookies)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("legal-assistant r1")
