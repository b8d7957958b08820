"""Every address of the product, read from the URL configuration, so that a new one is tested without being named.

An address below /v1 is a call and one below /o a page; all others are listed here with the reason why they need no
permission of an organization.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from relcontrol.accounts.permissions import Permission
from relcontrol.api.calls import Call

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
API, PAGES = "v1/", "o/<slug:organization>/"

# Addresses outside of any organization. A new one here is a decision, not an oversight.
PUBLIC: Mapping[str, str] = {
    "": "sends everybody to where she belongs",
    "sign-in": "one has to come in somewhere",
    "sign-out": "ends the session that it is called with",
    "step-up": "asks the signed-in person for her password",
    "robots.txt": "for crawlers",
    "healthz": "for the process supervisor",
    "readyz": "for the load balancer",
    "metrics": "counts only; no customer is named",
    "v1/openapi.json": "the schema says nothing of any customer",
    "v1/^": "answers 404 to everything that no other path took",
}

_CONVERTER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")


@dataclass(frozen=True)
class Address:
    """One address: its path with its converters, its name, and the view behind it."""

    path: str
    name: str
    view: Callable[..., Any]

    def __str__(self) -> str:
        """The id of its tests."""
        return self.path.replace("<", "{").replace(">", "}")

    @property
    def parts(self) -> list[str]:
        """The names in the path."""
        return [match["name"] for match in _CONVERTER.finditer(self.path)]

    @property
    def call(self) -> type[Call] | None:
        """The class of an API call; None for anything else."""
        found = getattr(self.view, "cls", None)
        return found if isinstance(found, type) and issubclass(found, Call) else None

    @property
    def page_permission(self) -> Permission | None:
        """What `@page` was given; None where the view is no page."""
        found = getattr(self.view, "permission", None)
        return found if isinstance(found, Permission) else None

    def filled(self, values: Mapping[str, str]) -> str:
        """The path with these values in place of its converters."""
        return "/" + _CONVERTER.sub(lambda match: values[match["name"]], self.path)


def every_address() -> list[Address]:
    """All of them, in the order in which they are tried."""
    return list(_walk(get_resolver().url_patterns, ""))


def calls() -> list[Address]:
    """The calls of the API."""
    return [address for address in every_address() if address.path.startswith(API) and address.path not in PUBLIC]


def pages() -> list[Address]:
    """The pages of an organization."""
    return [address for address in every_address() if address.path.startswith(PAGES)]


def _walk(patterns: list[Any], prefix: str) -> Iterator[Address]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield Address(path, pattern.name or "", pattern.callback)
