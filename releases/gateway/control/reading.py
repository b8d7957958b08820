"""From a payload whose signature holds to a `Snapshot`: every digest compared, every reference resolved.

A snapshot is taken whole or not at all, so that no request can meet a route without its release or a release without
its model server.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from relcontrol.bundle.canonical import sha256_hex
from relcontrol.bundle.errors import under
from releases.bucketing import BUCKETS, FUNCTION, FUNCTION_VERSION
from releases.gateway.control.bundles import REFERENCE, release_of
from releases.gateway.control.fields import SHAPE, items, mapping, number, optional_text, refuse, text
from releases.gateway.control.snapshot import (
    ApplicationEntry,
    CandidateEntry,
    EndpointEntry,
    ReleaseEntry,
    RouteEntry,
    Snapshot,
)

ASSIGNMENT: Final = {"function": FUNCTION, "version": FUNCTION_VERSION}
HEX_DIGEST_LENGTH: Final = len(sha256_hex(None))


def snapshot_of(payload: Mapping[str, Any], *, known: Mapping[str, ReleaseEntry]) -> Snapshot:
    """The snapshot, or `SnapshotRefusedError` with the first thing that is wrong with it."""
    if payload.get("assignment") != ASSIGNMENT:
        raise refuse("assignment", "assignment", f"{ASSIGNMENT}; a newer gateway is needed", payload.get("assignment"))
    endpoints = _endpoints(payload)
    listed = mapping(payload.get("releases"), "releases")
    releases = {sha: release_of(sha, value, endpoints, known) for sha, value in listed.items()}
    routes = _each_once((_route(entry, path, releases) for entry, path in items(payload, "routes", "")), "routes")
    applications, keys = _applications(payload, routes)
    for route in routes.values():
        if route.application not in applications:
            raise refuse(REFERENCE, f"routes.{route.id}.application", "a listed application", route.application)
    return Snapshot(
        epoch=number(payload, "epoch", "", low=1),
        generation=number(payload, "generation", ""),
        organization=text(payload, "organization", ""),
        origin=text(payload, "origin", ""),
        changed_at=text(payload, "changed_at", ""),
        applications=applications,
        keys=keys,
        routes=routes,
        releases=releases,
        endpoints=endpoints,
        routes_by_application={
            name: tuple(route for _, route in sorted(routes.items()) if route.application == name)
            for name in applications
        },
    )


def _endpoints(payload: Mapping[str, Any]) -> dict[str, EndpointEntry]:
    endpoints = {}
    for name, value in mapping(payload.get("endpoints"), "endpoints").items():
        path = under("endpoints", name)
        entry = mapping(value, path)
        url = text(entry, "base_url", path)
        if not url.startswith(("http://", "https://")):
            raise refuse(SHAPE, under(path, "base_url"), "an address with http:// or https://", url)
        endpoints[name] = EndpointEntry(
            name, url, text(entry, "protocol", path), text(entry, "credential", path, empty=True)
        )
    return endpoints


def _route(entry: Mapping[str, Any], path: str, releases: Mapping[str, ReleaseEntry]) -> RouteEntry:
    routing = mapping(entry.get("routing"), under(path, "routing"))
    given, stable = entry.get("candidate"), optional_text(entry, "stable", path)
    candidate = (
        None if given is None else _candidate(mapping(given, under(path, "candidate")), under(path, "candidate"))
    )
    for sha in (stable, candidate.release if candidate else None):
        if sha is not None and sha not in releases:
            raise refuse(REFERENCE, path, "releases that the snapshot holds", sha)
    return RouteEntry(
        id=text(entry, "id", path),
        application=text(entry, "application", path),
        name=text(entry, "name", path),
        routing={key: text(routing, key, under(path, "routing"), empty=True) for key in routing},
        stable=stable,
        candidate=candidate,
    )


def _candidate(entry: Mapping[str, Any], path: str) -> CandidateEntry:
    return CandidateEntry(
        release=text(entry, "release", path),
        rollout=text(entry, "rollout", path),
        salt=text(entry, "salt", path),
        basis_points=number(entry, "basis_points", path, high=BUCKETS),
        shadow_basis_points=number(entry, "shadow_basis_points", path, high=BUCKETS),
    )


def _applications(
    payload: Mapping[str, Any], routes: Mapping[str, RouteEntry]
) -> tuple[dict[str, ApplicationEntry], dict[str, ApplicationEntry]]:
    applications: dict[str, ApplicationEntry] = {}
    keys: dict[str, ApplicationEntry] = {}
    for entry, path in items(payload, "applications", ""):
        application = _application(entry, path, routes)
        if application.id in applications:
            raise refuse(SHAPE, under(path, "id"), "each application once", application.id)
        applications[application.id] = application
        for key, place in items(entry, "keys", path):
            digest = text(key, "sha256", place)
            if len(digest) != HEX_DIGEST_LENGTH or digest in keys:
                raise refuse(SHAPE, under(place, "sha256"), "a SHA-256 in hex that no other key has", digest)
            route = _own_route(key, "route", place, application.id, routes)
            keys[digest] = replace(application, key_id=text(key, "id", place), key_route=route)
    return applications, keys


def _application(entry: Mapping[str, Any], path: str, routes: Mapping[str, RouteEntry]) -> ApplicationEntry:
    name, settings = text(entry, "id", path), entry.get("client_settings")
    if not isinstance(settings, list) or not all(isinstance(setting, str) for setting in settings):
        raise refuse(SHAPE, under(path, "client_settings"), "a list of names", settings)
    return ApplicationEntry(
        id=name,
        slug=text(entry, "slug", path),
        default_route=_own_route(entry, "default_route", path, name, routes),
        client_settings=frozenset(settings),
        key_id="",
        key_route=None,
    )


def _own_route(
    entry: Mapping[str, Any], name: str, path: str, application: str, routes: Mapping[str, RouteEntry]
) -> str | None:
    route = optional_text(entry, name, path)
    if route is None or (route in routes and routes[route].application == application):
        return route
    raise refuse(REFERENCE, under(path, name), f"a route of the application {application}", route)


def _each_once(entries: Iterable[RouteEntry], path: str) -> dict[str, RouteEntry]:
    listed: dict[str, RouteEntry] = {}
    for entry in entries:
        if entry.id in listed:
            raise refuse(SHAPE, path, "each id once", entry.id)
        listed[entry.id] = entry
    return listed
