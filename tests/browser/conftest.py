"""Browser tests: Debian's Chromium, pages that watch their own console, and axe.

`open_page(path, theme=…, width=…)` opens a page of the live server and fails the test at its end if the console had
an error, the policy blocked anything, or a request failed; its first page is shared by all tests. `axe(page)` finds
nothing wrong, or says what. `fits_and_is_accessible(page)` shows a page that was loaded in a theme and at a width,
which change by turns.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

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
RUN_AXE = "options => axe.run(options).then(found => found.violations)"
# A figure takes its new width a moment after the window.
IS_SHOWN = """([theme, width]) => document.documentElement.dataset.bsTheme === theme && innerWidth === width
    && [...document.querySelectorAll("[data-figure] .main-svg")]
        .every((drawn) => drawn.clientWidth <= drawn.closest("[data-figure]").clientWidth)"""
FORGET = "() => { try { localStorage.clear(); sessionStorage.clear(); } catch { /* a page that is none of ours */ } }"
# htmx writes an error where a newer request takes the place of one under way (`hx-sync`), which is what was asked for.
# What really fails brings `htmx:sendError`, `htmx:timeout` or `htmx:responseError` beside `htmx:afterRequest`.
REPLACED = ("htmx:afterRequest,", "htmx:sendAbort,")
Theme = Literal["light", "dark"]
Form = tuple[Theme, int]
Cookies = list[Any]
EACH_THEME_AND_WIDTH: tuple[Form, ...] = (("light", 1400), ("dark", 390))
OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of this folder that a worker runs one after the other: each start takes a second.

    While Playwright's loop runs in this thread, no other test has its own; so it ends before the next folder.
    """
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


class Tab:
    """The page with which tests begin, one after the other.

    A page of its own for each would take a second and more of processor: a process, and all scripts and styles once
    more. So this one is emptied: of cookies, of what it has stored, of where the mouse was.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.page: Page | None = None

    def taken(self) -> Page:
        """The page, empty."""
        if self.page is None:
            self.page = new_page(self.browser, self.url)
        return self.page

    def left(self) -> None:
        """Nothing of a test stays in it; closed by a test, it goes with all that it had."""
        if self.page is None:
            return
        if self.page.is_closed():
            self.page.context.close()
            self.page = None
            return
        self.page.evaluate(FORGET)
        self.page.goto("about:blank")
        self.page.mouse.move(0, 0)
        self.page.context.clear_cookies()


def new_page(browser: Browser, url: str) -> Page:
    """A page in a context of its own, that may use the clipboard."""
    context = browser.new_context(base_url=url)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.add_init_script(WATCH_POLICY)
    return page


@pytest.fixture(scope="package")
def tab(chromium: Browser, live_server: Any) -> Tab:
    """The shared page of this folder's tests."""
    return Tab(chromium, live_server.url)


@pytest.fixture
def open_page(tab: Tab, complaints: list[str]) -> Iterator[OpenPage]:
    """Opens pages of the live server; at the end of the test none of them may have complained.

    The first is the shared one; one beside it, as of another person, has cookies of its own.
    """
    opened: list[Watched] = []

    def open_one(path: str, *, theme: Theme = "light", width: int = 1400, cookies: Cookies | None = None) -> Page:
        page = new_page(tab.browser, tab.url) if opened else tab.taken()
        page.emulate_media(media="null", color_scheme=theme, reduced_motion="null", forced_colors="null")
        page.set_viewport_size({"width": width, "height": 900})
        opened.append(Watched(page, complaints))
        if cookies:
            page.context.add_cookies(cookies)
        page.goto(path)
        return page

    yield open_one
    for one in opened:
        one.end()
    tab.left()
    for one in opened[1:]:
        one.page.context.close()
    assert complaints == []


class Watched:
    """A page whose errors are noted until the end of its test."""

    def __init__(self, page: Page, complaints: list[str]) -> None:
        self.page, self.complaints = page, complaints
        page.on("console", self._said)
        page.on("pageerror", self._raised)

    def end(self) -> None:
        """Whatever it has said by now is heard; leaving it is not the test's."""
        if not self.page.is_closed():
            self.page.unroute_all(behavior="ignoreErrors")
        self.page.remove_listener("console", self._said)
        self.page.remove_listener("pageerror", self._raised)

    def _said(self, message: ConsoleMessage) -> None:
        if is_complaint(message):
            self.complaints.append(message.text)

    def _raised(self, error: Any) -> None:
        self.complaints.append(f"{self.page.url}: {error}")


def is_complaint(message: ConsoleMessage) -> bool:
    """Whether a line of the console is an error of ours."""
    return message.type == "error" and not message.text.startswith(REPLACED)


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


def assert_accessible(page: Page, options: dict[str, Any]) -> None:
    """Axe, put into the page once after it was loaded, finds nothing wrong."""
    if page.evaluate("!window.axe"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN_AXE, options)
    said = [f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
    assert said == []


def assert_no_sideways_scroll(page: Page) -> None:
    """The page is no wider than its window."""
    width, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width <= room


def show(page: Page, theme: Theme, width: int) -> None:
    """The loaded page in this theme of the system and in a window of this width; no colour is on its way."""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_function(IS_SHOWN, arg=[theme, width])


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Asserts that axe finds nothing wrong with a page."""
    return lambda page: assert_accessible(page, AXE_OPTIONS)


@pytest.fixture
def fits_and_is_accessible() -> Callable[..., None]:
    """Asserts that a page is accessible and no wider than its window, in each of these forms, all rules in each.

    Without forms it is the next one in turn, so that a test of many pages looks at half of them in either.
    """
    turns = itertools.cycle(EACH_THEME_AND_WIDTH)

    def check(page: Page, forms: tuple[Form, ...] = ()) -> None:
        for theme, width in forms or (next(turns),):
            show(page, theme, width)
            assert_accessible(page, AXE_OPTIONS)
            assert_no_sideways_scroll(page)

    return check
