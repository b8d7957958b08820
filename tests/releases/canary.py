"""A route that serves one release while the next one may roll: what tests of rollouts begin with.

Gate verdicts, gateways and probes are rows made by hand; everything that a rollout does is done by the services.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audit import verify
from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from gates.models import Slice
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Endpoint, Organization, Role, Route, RoutingState
from relcontrol.clock import now
from releases.checkpoints import Checkpoint
from releases.models import Release
from releases.replica_models import Replica, Warmth
from releases.rolling.order import RollOrder
from releases.rolling.starting import start_rollout
from releases.rollout_models import Rollout, Serving
from tests.factories import Api, api, person, person_actor, person_token, service_token
from tests.gates.runs.factory import gate_run
from tests.releases.scene import OTHER_PROMPT, Scene, scene, stable

PLAN = (Checkpoint(5, 60, 100), Checkpoint(25, 60, 200), Checkpoint(100, 60, 200))
REASON = "It is Monday and everybody is here."


@dataclass
class Canary:
    """The organization, the release that its route serves, and the one that may roll."""

    scene: Scene
    stable: Release
    candidate: Release
    manager: Actor
    releases: list[Release] = field(default_factory=list)

    @property
    def organization(self) -> Organization:
        return self.scene.organization

    @property
    def route(self) -> Route:
        return self.candidate.route

    def client(self, *roles: str) -> Api:
        """A client with the token of a person with these roles."""
        member = person(self.organization, *roles, email=f"client-{len(roles)}@example.org")
        return api(person_token(self.organization, member))

    def service(self, *scopes: str) -> Api:
        """A client with a service token."""
        return api(service_token(self.organization, *scopes))

    def start(self, actor: Actor | None = None, **order: Any) -> Rollout:
        """Start the candidate's rollout."""
        chosen = RollOrder(**({"plan": PLAN, "reason": REASON} | order))
        return start_rollout(actor=actor or self.manager, release=self.fresh(self.candidate), order=chosen)

    def fresh(self, release: Release) -> Release:
        """A release as it is now."""
        return Release.objects.select_related("organization", "application", "route", "previous_release").get(
            pk=release.pk
        )

    def events(self) -> list[str]:
        """The names of all receipts, in order."""
        rows = Receipt.objects.filter(organization=self.organization).order_by("seq")
        return list(rows.values_list("event", flat=True))

    def last_statement(self) -> dict[str, Any]:
        """The predicate of the newest receipt, accepted by the auditor's verifier."""
        row = Receipt.objects.filter(organization=self.organization).latest("seq")
        return verify.verify_envelope(envelope_of(row), trust_document(self.organization)).predicate

    def generation(self) -> int:
        """The routing's present generation."""
        return RoutingState.objects.get(organization=self.organization).generation


def canary(slug: str = "northgate") -> Canary:
    """A stable release and a passed candidate, one gateway that has both, a model server that answered a second ago."""
    here = scene(slug)
    Slice.objects.filter(organization=here.organization).update(
        threshold="0.65", match={"metadata": {"topic": "ip-licensing"}}
    )
    endpoint(here.organization)
    first = Release.objects.get(pk=here.registered()["release_id"])
    serving(stable(first.pk))
    second = here.registered(prompt_template_ref=OTHER_PROMPT, previous_release=first.pk)
    candidate = Release.objects.select_related("organization", "application", "route").get(pk=second["release_id"])
    passed(candidate)
    replica(here.organization, fingerprints=[first.bundle_sha256, candidate.bundle_sha256])
    warm(first)
    manager = person_actor(here.organization, Role.RELEASE_MANAGER)
    return Canary(here, first, candidate, manager)


def endpoint(owner: Organization, base_url: str = "http://127.0.0.1:9/v1") -> Endpoint:
    """The only model server of an organization, by default one where nobody listens."""
    return Endpoint.objects.create(organization=owner, name="main-llm", base_url=base_url, created_at=now())


def serving(release: Release) -> Serving:
    """Write down that a route has served a release since yesterday."""
    Serving.objects.filter(route=release.route, until=None).update(until=now())
    return Serving.objects.create(
        route=release.route,
        release=release,
        since=now() - timedelta(days=1),
        generation=1,
        event="rollout.completed",
        decided_by="internal",
        decided_by_label="relcontrol",
        receipt_hash="a" * 64,
    )


def passed(release: Release) -> None:
    """A gate run that passed the release a minute ago."""
    document = {"verdict": "gate_pass", "slices": [], "reasons": [], "floors": [], "limits": []}
    at = now() - timedelta(minutes=1)
    gate_run(release.organization, document, manifest_sha256=release.manifest_sha256, finished_at=at)


def replica(owner: Organization, name: str = "gw-1", seen_at: datetime | None = None, **columns: Any) -> Replica:
    """A gateway that has just reported."""
    at = seen_at or now()
    found, _ = Replica.objects.update_or_create(
        organization=owner, name=name, defaults={"first_seen_at": at, "seen_at": at, **columns}
    )
    return found


def warm(release: Release, *, answers: bool = True, probed_at: datetime | None = None) -> Warmth:
    """The newest probe of a release."""
    found, _ = Warmth.objects.update_or_create(
        release=release,
        defaults={
            "warm": answers,
            "detail": "" if answers else "its model server answers 503.",
            "probed_at": probed_at or now(),
        },
    )
    return found
