"""A release whose gate has failed, and the people who may do something about it; runs are rows of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.models import Receipt
from gates.models import Suite
from gates.overrides.requesting import request_override
from gates.policies.definition import Definition
from gates.run_models import GateRun, Override
from gates.runs.candidate import Candidate
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Membership, Organization, Person
from relcontrol.clock import now
from releases.models import Release
from releases.selectors import manifest_of
from tests import factories
from tests.gates.overrides.evidence import last_predicate
from tests.releases import scene as registry

REASON = "Belgian clients need the corrected limitation periods before 1 December; IP questions go by hand."
COMMENT = "The deadline is real; approved while the router blocks IP questions."
FAILING = {"ip-licensing": (0.41, 0.65, [0.612, 0.76]), "contract-drafting": (0.71, 0.65, [0.7, 0.8])}


def question(verdict: str, **members: Any) -> dict[str, Any]:
    """What all three questions have."""
    return {
        "n": 84,
        "verdict": verdict,
        "evidence": "proven" if verdict == "fail" else "unproven",
        "p": 0.01,
        "reason": None,
        "cases_needed": None,
        "reasons": ["Measured."],
        **members,
    }


def slice_document(slug: str, rho: float, threshold: float, quality: list[float] | None) -> dict[str, Any]:
    """A slice of a run's document (contract of issue 3)."""
    verdict = "fail" if rho < threshold else "pass"
    agreement = question(
        verdict,
        source="own",
        graded=84,
        rho=rho,
        ci90=[rho - 0.17, rho + 0.15],
        threshold=threshold,
        policy="point",
        previous_rho=0.68,
        change=rho - 0.68,
        ceiling=0.84,
        alpha=0.79,
        raters=3,
        age_days=None,
    )
    mean = sum(quality) / 2 if quality else None
    quality_answer = question(
        "pass", mean=mean, ci90=quality, floor=0.6, floor_source="owner", map="own", calibrated=True
    )
    change = question(
        "pass",
        mean_difference=-0.02,
        ci90=[-0.05, 0.01],
        movement="no_proven_change",
        agreement_movement="dropped",
        flagged=19,
    )
    return {
        "slice": slug,
        "name": slug.replace("-", " ").capitalize().replace("Ip", "IP"),
        "judge": "external:legal-judge@9",
        "verdict": verdict,
        "evidence": agreement["evidence"],
        "cases": 84,
        "reasons": [f"Agreement: {rho} of {threshold}."],
        "agreement": agreement,
        "quality": quality_answer,
        "change": change,
    }


def document(verdict: str, slices: Mapping[str, tuple[float, float, list[float] | None]]) -> dict[str, Any]:
    """The document of a run, worst slice first."""
    rows = [slice_document(slug, *numbers) for slug, numbers in slices.items()]
    rows.sort(key=lambda row: row["verdict"] == "pass")
    return {
        "verdict": verdict,
        "reasons": [reason for row in rows if row["verdict"] != "pass" for reason in row["reasons"]],
        "parity": "match",
        "aggregate": {"n": 168, "rho": 0.66, "mean_of_slices": 0.64},
        "slices": rows,
        "cases": {"flagged": [], "flagged_count": 19, "missing": 0, "of": 168},
        "floors": [],
        "limits": [],
    }


def candidate(release: Release) -> Candidate:
    """What the registry says of a release."""
    previous = release.previous_release
    return Candidate(
        application=release.application,
        manifest_sha256=release.manifest_sha256,
        release_id=release.pk,
        name=release.name,
        route_id=release.route_id,
        route_name=release.route.name,
        bundle_sha256=release.bundle_sha256,
        manifest=manifest_of(release),
        previous_manifest_sha256=previous.manifest_sha256 if previous else None,
        previous_name=previous.name if previous else None,
        previous_release_id=previous.pk if previous else None,
        changes=[],
    )


def gate_run(release: Release, verdict: str = "gate_fail", **changes: Any) -> GateRun:
    """A run that is done; its verdict stands in its document."""
    policy = changes.pop("policy", {})
    slices = changes.pop("slices", FAILING if verdict != "gate_pass" else {"ip-licensing": (0.7, 0.65, [0.7, 0.8])})
    definition = Definition(**policy)
    of = candidate(release)
    Application.objects.filter(pk=release.application_id).update(gate_run_count=_number(release))
    row = GateRun(
        organization=release.organization,
        application=release.application,
        number=_number(release),
        manifest_sha256=release.manifest_sha256,
        previous_manifest_sha256=of.previous_manifest_sha256,
        candidate=of.as_json(),
        order={},
        policy={"id": "gate-policy", "revision": 0, "sha256": definition.sha256(), "definition": definition.as_json()},
        slices=[],
        slice_set_sha256="5" * 64,
        judges={},
        suite=Suite.objects.filter(organization=release.organization).earliest("pk"),
        parity="match",
        body_sha256="b" * 64,
        state=GateRun.State.DONE,
        verdict=verdict,
        document=document(verdict, slices),
        requested_by="tok_ci",
        requested_by_label="ci",
        requested_with={},
        created_at=now(),
        finished_at=now(),
    )
    row.gate_run_sha256 = f"{row.number:064x}"
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def _number(release: Release) -> int:
    return GateRun.objects.filter(application=release.application).count() + 1


@dataclass(frozen=True)
class Gate:
    """A failed release with two release managers: `asker` asks, `approver` decides."""

    registry: registry.Scene
    release: Release
    run: GateRun
    asker: Person
    approver: Person

    @property
    def organization(self) -> Organization:
        """Whose release it is."""
        return self.registry.organization

    def requested(self, **changes: Any) -> Override:
        """The asker's request."""
        by = changes.pop("actor", None) or person_actor(self.organization, self.asker)
        release = changes.pop("release", self.release)
        order: dict[str, Any] = {"force": True, "reason": REASON, **changes}
        return request_override(actor=by, candidate=candidate(release), **order)

    def predicate(self) -> dict[str, Any]:
        """The newest receipt, as the auditor's verifier accepts it."""
        return last_predicate(self.organization)

    def written(self) -> tuple[int, int]:
        """What a refused act must leave as it was."""
        rows = Receipt.objects.filter(organization=self.organization)
        return Override.objects.count(), rows.count()

    def another(self, **changes: Any) -> Release:
        """Another release on the same route, without a gate run."""
        made = self.registry.registered(generation={"seed": Release.objects.count()}, **changes)
        return Release.objects.get(pk=made["release_id"])


def gate(slug: str = "northgate", **of_run: Any) -> Gate:
    """Two releases on a route: the second, which is not a cold start, has failed its gate."""
    made = registry.scene(slug)
    first = made.registered()
    second = made.registered(prompt_template_ref=registry.OTHER_PROMPT, previous_release=first["release_id"])
    release = Release.objects.get(pk=second["release_id"])
    asker = factories.person(made.organization, "release-manager", email=f"mara@{slug}.example")
    approver = factories.person(made.organization, "release-manager", email=f"daniel@{slug}.example")
    return Gate(made, release, gate_run(release, **of_run), asker, approver)


def person_actor(owner: Organization, who: Person, **known: Any) -> Actor:
    """A member in a browser who has just proved who she is."""
    roles = Membership.objects.get(organization=owner, person=who).roles
    values: dict[str, Any] = {"auth": "session", "session": "0123456789abcdef", "proved_at": now(), **known}
    return Actor(organization=owner, kind="person", person=who, roles=roles, **values)
