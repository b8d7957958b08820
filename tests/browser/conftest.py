"""Browser tests: Debian's Chromium, pages that watch their own console, and axe.

`open_page(path, theme=…, width=…)` opens a page of the live server and fails the test at its end if the console had
an error, the policy blocked anything, or a request failed. `axe(page)` finds nothing wrong, or says what.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH_POLICY = """addEventListener("securitypolicyviolation",
    (event) => console.error(`policy: ${event.violatedDirective} blocked ${event.blockedURI} ${event.sample}`));"""
AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
Theme = Literal["light", "dark"]
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a file: while Playwright's loop runs in this thread, no other test has its own."""
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM}: apt-get install chromium")
    from django.db import connections  # noqa: PLC0415 - Django is set up after this file is read

    # Playwright's sync API runs a loop in this thread, which Django would take for an async view.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        # While Playwright's loop runs, Django's connections are those of an async context. Without the loop nobody
        # finds them again: their session would stay open and keep the tests' database from being removed.
        connections.close_all()
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages complained about; a test that expects a complaint takes it out of here."""
    return []


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, complaints: list[str]) -> Iterator[OpenPage]:
    """Opens pages of the live server; at the end of the test none of them may have complained."""
    contexts: list[BrowserContext] = []

    def open_one(path: str, *, theme: Theme = "light", width: int = 1400, cookies: list[Any] | None = None) -> Page:
        size = {"width": width, "height": 900}
        context = chromium.new_context(viewport=size, color_scheme=theme, base_url=live_server.url)  # type: ignore[arg-type]
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        if cookies:
            context.add_cookies(cookies)
        page = context.new_page()
        page.add_init_script(WATCH_POLICY)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(f"{path}: {error}"))
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def session_cookie(live_server: Any, settings: Any) -> Callable[[Any], list[Any]]:
    """The cookies of a browser in which this person is signed in, for `open_page(cookies=…)`."""
    from django.test import Client  # noqa: PLC0415 - Django is set up after this file is read

    def cookies_of(person: Any) -> list[Any]:
        client = Client()
        client.force_login(person)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        return [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}]

    return cookies_of


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Asserts that axe finds nothing wrong with a page."""

    def check(page: Page) -> None:
        found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
        said = [
            f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]
        ]
        assert said == []

    return check


@pytest.fixture
def no_sideways_scroll() -> Callable[[Page], None]:
    """Asserts that the page is no wider than its window."""

    def check(page: Page) -> None:
        width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width <= room

    return check
