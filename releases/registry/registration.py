"""Registering a release (domain.md "Register"): the one way into the registry.

One transaction: lock the route, resolve every name, build the manifest, decide, then number, write and receipt it.
The same manifest again is the same release, and nothing is written.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from audit.events import Event
from audit.receipts import Record, append
from audit.statement import Delivery, ReleaseRef
from audit.weights.standing import claim_of
from gates.runs.carrying import append_carried, carried_run
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Route
from relcontrol.accounts.permissions import WRITE_RELEASES
from relcontrol.accounts.selectors import application_named
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.manifest import build_manifest, bundle_sha256, manifest_sha256
from relcontrol.clock import now
from releases.artifact_selectors import PREPROCESSING, PROMPT
from releases.artifacts import append_created
from releases.candidates import candidate_of
from releases.models import ArtifactVersion, Release
from releases.refusals import refused
from releases.registry.baselines import (
    baseline_of,
    changes_as_json,
    changes_since,
    refuse_other_bundle,
    refuse_several_changes,
    served_already,
)
from releases.registry.enclosures import store_enclosed
from releases.registry.expectation import check_expected
from releases.registry.fast_gate import fast_gate
from releases.registry.order import Order
from releases.registry.resolution import Resolution, resolve
from releases.registry.routing import locked_route


@dataclass(frozen=True, slots=True)
class Registration:
    """The release, and whether this call made it."""

    release: Release
    created: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A release that may be written: everything is decided except its number."""

    route: Route
    manifest: dict[str, Any]
    manifest_sha256: str
    bundle_sha256: str
    refs: dict[str, str]
    baseline: Release | None
    changes: list[dict[str, Any]]
    findings: list[dict[str, Any]]


@transaction.atomic
def register(*, actor: Actor, order: Order) -> Registration:
    """The release of this order: made, or found where its manifest is registered already."""
    actor.require(WRITE_RELEASES)
    application = application_named(actor.organization, order.application)
    route = locked_route(application, order.routing)
    enclosed = store_enclosed(actor, order.artifacts or ())
    resolution = resolve(actor.organization, order)
    baseline = baseline_of(route, order)
    manifest = served_already(_manifest(application, order, resolution, baseline), order, baseline)
    digest = manifest_sha256(manifest)
    check_expected(actor.organization, manifest, digest, order.expected_manifest_sha256)
    known = Release.objects.filter(organization=actor.organization, manifest_sha256=digest).first()
    if known is not None:
        _append_enclosed(actor, enclosed)
        return Registration(known, created=False)
    draft = _decide(actor, order, route, resolution, baseline, manifest)
    release = _write(actor, draft)
    carried = carried_run(actor=actor, candidate=candidate_of(release)) if order.rebase else None
    _append_enclosed(actor, enclosed)
    _append_registered(actor, release, manifest)
    if carried is not None:
        append_carried(actor, carried)
    return Registration(release, created=True)


def _manifest(
    application: Application, order: Order, resolution: Resolution, baseline: Release | None
) -> dict[str, Any]:
    """The normalised manifest, or `Invalid` with what could not be found and what breaks a rule, together."""
    problems = list(resolution.problems)
    manifest: dict[str, Any] = {}
    try:
        manifest = build_manifest(
            application=application.slug,
            model_ref=order.model_ref,
            model_kind=order.model_kind,
            weights=order.weights_sha256,
            adapter=order.adapter_ref,
            prompt_template=resolution.digests[PROMPT],
            preprocessing=resolution.digests[PREPROCESSING],
            routing=order.routing,
            dataset=resolution.digests["dataset"],
            generation=order.generation,
            components=resolution.components,
            previous_release=baseline.manifest_sha256 if baseline else None,
            acknowledged_changes=order.acknowledged_changes or (),
        )
    except BundleError as error:
        problems += error.problems
    if problems:
        raise refused(problems, code="invalid")
    return manifest


def _decide(
    actor: Actor,
    order: Order,
    route: Route,
    resolution: Resolution,
    baseline: Release | None,
    manifest: dict[str, Any],
) -> Draft:
    """Apply the rules to a manifest that is new here."""
    bundle = bundle_sha256(manifest)
    if order.rebase:
        refuse_other_bundle(route, bundle, baseline)
    changes = changes_since(manifest, baseline)
    refuse_several_changes(
        route=route,
        order=order,
        acknowledged=manifest["acknowledged_changes"],
        baseline=baseline,
        changes=changes,
    )
    findings = fast_gate(actor.organization, manifest, bundle, resolution, rebase=bool(order.rebase))
    return Draft(
        route=route,
        manifest=manifest,
        manifest_sha256=manifest_sha256(manifest),
        bundle_sha256=bundle,
        refs=resolution.refs,
        baseline=baseline,
        changes=changes_as_json(changes),
        findings=findings,
    )


def _write(actor: Actor, draft: Draft) -> Release:
    """Number and store the release; the application's row is locked for its counter, so that no number is left out."""
    application = Application.objects.select_for_update(no_key=True).get(pk=draft.route.application_id)
    application.release_count += 1
    application.save(update_fields=["release_count"])
    return Release.objects.create(
        organization=actor.organization,
        application=application,
        route=draft.route,
        number=application.release_count,
        manifest=canonical_bytes(draft.manifest),
        manifest_sha256=draft.manifest_sha256,
        bundle_sha256=draft.bundle_sha256,
        model_ref=draft.manifest["model"]["ref"],
        refs=draft.refs,
        previous_release=draft.baseline,
        changes=draft.changes,
        findings=draft.findings,
        registered_by=actor.id,
        registered_by_label=actor.label,
        created_at=now(),
    )


def _append_enclosed(actor: Actor, enclosed: list[ArtifactVersion]) -> None:
    for version in enclosed:
        append_created(actor, version)


def _append_registered(actor: Actor, release: Release, manifest: dict[str, Any]) -> None:
    state = {
        "id": release.pk,
        "name": release.name,
        "manifest": manifest,
        "bundle_sha256": release.bundle_sha256,
        "refs": release.refs,
        "changes": [change["component"] for change in release.changes],
        "cold_start": release.previous_release_id is None,
        "fast_gate": [f"{finding['severity']}: {finding['code']}" for finding in release.findings],
    }
    append(
        actor,
        Record(
            event=Event.RELEASE_REGISTERED,
            outcome="registered",
            kind="release",
            name=release.name,
            application=release.application.slug,
            release=ReleaseRef(release.manifest_sha256, release.pk, release.route_id),
            delivery=Delivery(None, release.delivery),
            weights=claim_of(actor.organization, manifest),
            state=state,
        ),
    )
