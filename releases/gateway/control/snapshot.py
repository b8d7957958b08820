"""A routing snapshot as requests see it: everything looked up by one dictionary access, nothing parsed again.

Only `reading` makes these, of a payload that was verified; they never change. Entries compare by identity and may be
weakly referred to, so that what is worked out for a release can be kept beside it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Position = tuple[int, int]  # (epoch, generation): later is larger


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class EndpointEntry:
    """A model server; `credential` is the name of its secret, empty where it needs none."""

    name: str
    base_url: str
    protocol: str
    credential: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ReleaseEntry:
    """A release with its whole bundle; artifacts are normalised values, `None` where the manifest names none."""

    sha: str
    name: str
    bundle_sha256: str
    manifest: Mapping[str, Any]
    prompt_template: Mapping[str, Any]
    preprocessing_steps: tuple[Mapping[str, Any], ...]
    few_shot: Mapping[str, Any] | None
    tools: Mapping[str, Any] | None
    guardrail_policy: Mapping[str, Any] | None
    artifacts: Mapping[str, Mapping[str, Any]]  # the same values by digest
    model: str
    endpoint: EndpointEntry

    @property
    def generation(self) -> Mapping[str, Any]:
        """The generation settings of the manifest."""
        settings: Mapping[str, Any] = self.manifest["generation"]
        return settings


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CandidateEntry:
    """Who may answer beside stable, and how much: shares in hundredths of a percent."""

    release: str
    rollout: str
    salt: str
    basis_points: int
    shadow_basis_points: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class RouteEntry:
    """A traffic class of an application; `stable` and the candidate's release are keys of `Snapshot.release`."""

    id: str
    application: str
    name: str
    routing: Mapping[str, str]
    stable: str | None
    candidate: CandidateEntry | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class ApplicationEntry:
    """An application as one of its keys sees it; without a key, `key_id` is empty."""

    id: str
    slug: str
    default_route: str | None
    client_settings: frozenset[str]
    key_id: str
    key_route: str | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Snapshot:
    """What a gateway serves by, all of one generation."""

    epoch: int
    generation: int
    organization: str
    origin: str
    changed_at: str
    applications: Mapping[str, ApplicationEntry]
    keys: Mapping[str, ApplicationEntry]  # by the SHA-256 of the whole key text, in hex
    routes: Mapping[str, RouteEntry]
    releases: Mapping[str, ReleaseEntry]
    endpoints: Mapping[str, EndpointEntry]
    routes_by_application: Mapping[str, tuple[RouteEntry, ...]]

    @property
    def position(self) -> Position:
        """What decides which of two snapshots is newer."""
        return (self.epoch, self.generation)

    @property
    def etag(self) -> str:
        """How the edge names this generation in HTTP."""
        return f'"{self.epoch}-{self.generation}"'

    @property
    def fingerprints(self) -> list[str]:
        """The bundle digests that this gateway can answer with, for heartbeats."""
        return sorted({release.bundle_sha256 for release in self.releases.values()})

    def application_of_key(self, text: str) -> ApplicationEntry | None:
        """Whose key this is; `None` for a key that nobody has, or has no longer."""
        return self.keys.get(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())

    def application(self, application_id: str) -> ApplicationEntry | None:
        """An application without a key."""
        return self.applications.get(application_id)

    def route(self, route_id: str) -> RouteEntry | None:
        """A route by its id."""
        return self.routes.get(route_id)

    def routes_of(self, application_id: str) -> tuple[RouteEntry, ...]:
        """The routes of an application, by id."""
        return self.routes_by_application.get(application_id, ())

    def release(self, sha: str) -> ReleaseEntry:
        """A release that a route of this snapshot names. Raises `KeyError` for any other."""
        return self.releases[sha]
