"""The gate's pages in a real browser: accessible, no wider than the window, nothing blocked, and the upload by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from tests.browser.conftest import OpenPage
from tests.factories import organization, person
from tests.gates.scene import ANSWER, CASES, Scene, lines, scene

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WRONG = [{"case_id": f"c{row}", "slice": "nowhere", "input": row} for row in range(12)]


def prepared() -> tuple[Scene, list[str]]:
    """An organization with something on every page, and the pages."""
    northgate = scene("northgate")
    create_slice(actor=northgate.actor, slug="belgian-french", name="Belgian French", parent="ip-licensing", n_min=30)
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.65, "match": {"metadata": {"topic": "ip"}}})
    jobs = [
        request_import(actor=northgate.actor, name=name, body=lines(rows), file_format="jsonl")
        for name, rows in (("legal-v3", [dict(CASES[0], answers=[dict(ANSWER)]), CASES[1]]), ("wrong", WRONG))
    ]
    for job in jobs:
        carry_out(job)
    waiting = request_import(actor=northgate.actor, name="waiting", body=lines(CASES), file_format="jsonl")
    imports = [f"suites/imports/{job.pk}/" for job in (*jobs[1:], waiting)]  # test_every_screen has a done one
    return northgate, ["slices/", "slices/ip-licensing/", "suites/", "suites/legal-v3/", *imports]


def test_every_page_is_accessible_and_fits(
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    fits_and_is_accessible: Callable[..., None],
) -> None:
    northgate, paths = prepared()
    cookies = session_cookie(person(northgate.organization, "domain-owner"))
    page = open_page("/", cookies=cookies)
    for path in paths:
        page.goto(f"/o/northgate/{path}")
        fits_and_is_accessible(page)


def test_empty_pages_are_accessible_too(
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    axe: Callable[[Page], None],
) -> None:
    cookies = session_cookie(person(organization("westgate"), "viewer"))
    page = open_page("/", cookies=cookies)
    for path in ("slices/", "suites/"):
        page.goto(f"/o/westgate/{path}")
        axe(page)


def test_a_file_is_uploaded_by_hand_and_opened_as_a_suite(
    open_page: OpenPage,
    session_cookie: Callable[[Any], list[Any]],
    tmp_path: Path,
) -> None:
    northgate = scene("northgate")
    file = tmp_path / "cases.jsonl"
    file.write_bytes(lines(CASES))
    cookies = session_cookie(person(northgate.organization, "domain-owner"))
    page = open_page("/o/northgate/suites/", cookies=cookies)
    page.get_by_label("Which file?").set_input_files(file)
    page.get_by_label("What do manifests call it?").fill("legal-v3")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("2 cases imported")).to_be_visible()
    page.get_by_role("link", name="Open legal-v3").click()
    expect(page.get_by_role("cell", name="May affiliates use the licence?")).to_be_visible()
