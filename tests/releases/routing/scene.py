"""Releases on a route in the states of a delivery, and the snapshot that gateways get of them."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any

from audit.administration.routing import next_generation
from relcontrol.accounts.models import Organization, RoutingState
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.manifest import manifest_sha256
from relcontrol.clock import now
from releases.models import Release
from releases.rollout_models import Rollout
from releases.routing.document import routing_document
from tests.releases.scene import PROMPT_VALUE, Scene

Delivery = Release.Delivery


def add_release(of: Scene, number: int, delivery: str, **changes: Any) -> Release:
    """A further release of the route of the first one: r<number>, in this state of delivery."""
    first = of.registered() if not Release.objects.filter(organization=of.organization).exists() else None
    row = Release.objects.filter(organization=of.organization).earliest("pk")
    if first is not None:
        Release.objects.filter(pk=row.pk).update(number=1_000, delivery=Delivery.ARCHIVED)
    manifest = json.loads(bytes(row.manifest)) | {"acknowledged_changes": [], "dataset": f"sha256:{number:064x}"}
    values: dict[str, Any] = {
        "organization": of.organization,
        "application": row.application,
        "route": row.route,
        "number": number,
        "manifest": canonical_bytes(manifest),
        "manifest_sha256": manifest_sha256(manifest),
        "bundle_sha256": row.bundle_sha256,
        "model_ref": row.model_ref,
        "refs": {},
        "changes": {},
        "findings": [],
        "delivery": delivery,
        "registered_by": "test",
        "registered_by_label": "test",
        "created_at": now(),
    }
    return Release.objects.create(**values | changes)


def add_rollout(release: Release, **changes: Any) -> Rollout:
    """A rollout of a release at its second checkpoint, 25 percent."""
    values: dict[str, Any] = {
        "organization": release.organization,
        "application": release.application,
        "route": release.route,
        "release": release,
        "plan": [{"percent": share, "dwell_seconds": 60, "requests": 10} for share in (5, 25, 100)],
        "settings": {"shadow_basis_points": 1_000},
        "state": "checkpoint",
        "checkpoint": 2,
        "entered_at": now(),
        "entered_generation": 1,
        "due": timedelta(minutes=1),
        "frozen": timedelta(0),
        "started_by": "test",
        "started_by_label": "test",
        "started_at": now(),
    }
    return Rollout.objects.create(**values | changes)


def payload(organization: Organization) -> dict[str, Any]:
    """The document as gateways read it."""
    document: dict[str, Any] = json.loads(routing_document(organization).payload)
    return document


def payload_of(envelope: bytes) -> dict[str, Any]:
    """The document inside of an envelope."""
    document: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return document


def bump(organization: Organization) -> RoutingState:
    """The next generation."""
    return next_generation(organization)


def changed_at(organization: Organization) -> datetime:
    """When the present generation was made."""
    return RoutingState.objects.get(organization=organization).changed_at


PROMPT_SYSTEM = PROMPT_VALUE["system"]
