"""Every page of an organization and every API list, read from the URL configuration, so that none is left out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

PAGES, API = "o/<slug:organization>/", "v1/"
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Downloads and the like: their size is their time.
FILES = re.compile(r"\.(?:json|py)\Z")


@dataclass(frozen=True, slots=True)
class Address:
    """A path that can be asked for. `name` is the URL's, with what its query asks for."""

    name: str
    path: str
    is_api: bool


# What else a list is asked for: filters that an index must carry, and a page far from the newest row.
QUERIES: Mapping[str, tuple[str, ...]] = {
    "api-receipts": (
        "event=gate.failed",
        "application={application}",
        "release={release}",
        "release={manifest_prefix}",
        "actor={actor}",
        "from={middle}",
        "cursor={seq_cursor}",
        "limit=200",
    ),
    "api-releases": (
        "delivery=stable",
        "application={application}",
        "model=gemma",
        "cursor={release_cursor}",
        "limit=200",
    ),
    "api-artifacts": ("kind=prompt_template", "limit=200"),
    "audit": ("event=gate.failed", "q={manifest_prefix}", "q=%23{seq}", "q=r3", "q=registered", "start={middle_day}"),
    "releases": ("delivery=stable", "application={application}", "model=gemma", "cursor={release_cursor}"),
    "audit-range": ("first=1&last={range}",),
    "release": ("against={other_release}",),
    "search": ("q=r3", "q={manifest_prefix}", "q=templates"),
}
# A name in the path that stands for different things is told apart by the URL's name.
OWN_VALUES: Mapping[str, str] = {
    "prompt": "prompt",
    "prompt-edit": "prompt",
    "prompt-preview": "prompt",
    "settings-application": "application",
    "settings-application-name": "application",
    "settings-endpoint": "endpoint",
    "settings-member": "member",
    "suite-import": "suite_import",
    "api-suite-import": "suite_import",
    "settings-token-revoke": "token",
}


def addresses(values: Mapping[str, str]) -> Iterator[Address]:
    """All that `values` can fill: by parameter name, or by `OWN_VALUES`."""
    for name, route in _named(get_resolver().url_patterns, ""):
        if not route.startswith((PAGES, API)) or FILES.search(route):
            continue
        own = values.get(OWN_VALUES.get(name, ""))
        missing = set(PARAMETER.findall(route)) - values.keys()
        if missing and own is None:
            continue
        path = _path(route, values, own)
        yield Address(name, path, route.startswith(API))
        for query in QUERIES.get(name, ()):
            yield Address(f"{name} ?{query}", f"{path}?{query.format_map(values)}", route.startswith(API))


def _path(route: str, values: Mapping[str, str], own: str | None) -> str:
    def filled(match: re.Match[str]) -> str:
        return own if own is not None and match[1] != "organization" else values[match[1]]

    return "/" + PARAMETER.sub(filled, route)


def _named(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _named(pattern.url_patterns, route)
        elif pattern.name:
            yield pattern.name, route
