"""What every page's frame shows: the person, her organization and the others, the main menu, the search.

Addresses are looked up by name; a screen that is not installed has no entry. Nothing is read from the database before
a template asks for it, so that error pages can do without.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from relcontrol import clock
from relcontrol.accounts.models import Membership, Organization
from relcontrol.accounts.selectors import memberships_of


@dataclass(frozen=True, slots=True)
class Screen:
    """An entry of the main menu. `key` is pressed after `g`; `parts` are folders of addresses that are its own too."""

    label: str
    icon: str
    name: str
    key: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A screen with its address in this organization."""

    screen: Screen
    url: str
    current: bool


MENU = (
    (
        "",
        (
            Screen("Overview", "home", "overview", "o"),
            Screen("Releases", "rocket", "releases", "r"),
            Screen("Gate", "shield-check", "gate", "g"),
            Screen("Roll", "route", "roll", "l", ("routes", "traces")),
            Screen("Observe", "activity", "observe", "b"),
            Screen("Lineage", "git-compare", "lineage", "n"),
        ),
    ),
    (
        "Rules",
        (
            Screen("Slices and thresholds", "list-tree", "slices", "t"),
            Screen("Suites", "file-text", "suites", "u"),
            Screen("Prompts", "pencil", "prompts", "m"),
            Screen("Panels and judges", "users", "panels", "p", ("judges", "calibrations")),
        ),
    ),
    (
        "Evidence",
        (Screen("Audit", "link", "audit", "a"), Screen("Settings", "settings", "settings", "s")),
    ),
)
SEARCH = "search"
OVERVIEW = "overview"


@dataclass(frozen=True, slots=True)
class Section:
    """A group of the menu."""

    title: str
    entries: list[Entry]


def address(name: str, slug: str) -> str | None:
    """Where a screen of this organization is; None where it is not installed."""
    try:
        return reverse(name, kwargs={"organization": slug})
    except NoReverseMatch:
        return None


class Shell:
    """The frame of one request's page, read when the template asks."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def memberships(self) -> list[Membership]:
        """Where this person is a member."""
        user = getattr(self.request, "user", None)
        return list(memberships_of(user)) if user is not None and user.is_authenticated else []

    @cached_property
    def slug(self) -> str:
        """The organization that the address names, else the only one there is."""
        match = self.request.resolver_match
        named = match.kwargs.get("organization") if match else None
        if named:
            return str(named)
        return self.memberships[0].organization.slug if len(self.memberships) == 1 else ""

    @cached_property
    def organization(self) -> Organization | None:
        """The organization whose page this is."""
        return next((row.organization for row in self.memberships if row.organization.slug == self.slug), None)

    @cached_property
    def others(self) -> list[tuple[Organization, str]]:
        """The person's other organizations with the address of their overview."""
        rows = [(row.organization, address(OVERVIEW, row.organization.slug)) for row in self.memberships]
        return [(other, url) for other, url in rows if url and other.slug != self.slug]

    @cached_property
    def search_url(self) -> str | None:
        """Where the search of the top bar goes."""
        return address(SEARCH, self.slug) if self.slug else None

    @cached_property
    def sections(self) -> list[Section]:
        """The main menu, without what is not installed."""
        if not self.slug:
            return []
        sections = [Section(title, self._entries(screens)) for title, screens in MENU]
        return [section for section in sections if section.entries]

    def _entries(self, screens: tuple[Screen, ...]) -> list[Entry]:
        found = [(screen, address(screen.name, self.slug)) for screen in screens]
        return [Entry(screen, url, self._current(screen, url)) for screen, url in found if url]

    def _current(self, screen: Screen, url: str) -> bool:
        path, home = self.request.path, address(OVERVIEW, self.slug) or ""
        if screen.name == OVERVIEW:
            return path == url
        return path.startswith((url, *(f"{home}{part}/" for part in screen.parts)))

    @property
    def initials(self) -> str:
        """Two letters for the person's disc."""
        parts = str(self.request.user).replace("@", " ").split()
        return (
            "".join(part[0] for part in (parts[0], parts[-1]) if part).upper()
            if len(parts) > 1
            else parts[0][:2].upper()
        )


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `shell`, and `now`, read once for all times of a page."""
    return {"shell": Shell(request), "now": clock.now()}
