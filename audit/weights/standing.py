"""What observers say of a digest at a moment, and so what may be claimed of it (receipts.md "Weights").

An observation counts for `MAX_AGE`. Whoever saw other files than the expected ones is believed until she sees the
expected ones again or is revoked: as long as one observer does, nobody's observation raises a claim.
"""

import base64
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from audit.chain import timestamp
from audit.evidence_models import WeightsObservation
from audit.statement import Weights
from audit.weights.claims import AT_LOAD, SAMPLED, Seen, weights_claim, weights_of
from relcontrol.accounts.models import Organization
from relcontrol.clock import now

MAX_AGE: Final = timedelta(hours=24)  # a model server is started anew within a day or read again by then
LOAD, SAMPLE = WeightsObservation.Depth.LOAD, WeightsObservation.Depth.SAMPLE


def believed(organization: Organization, at: datetime) -> QuerySet[WeightsObservation]:
    """What had come in by a moment, from observers who were not revoked by then."""
    trusted = Q(observer__revoked_at__isnull=True) | Q(observer__revoked_at__gt=at)
    rows = WeightsObservation.objects.filter(trusted, organization=organization, received_at__lte=at)
    return rows.select_related("observer")


def drifts(organization: Organization, digests: Iterable[str], at: datetime) -> list[WeightsObservation]:
    """Observations of other files by those who have not seen the expected ones since; newest first."""
    since = WeightsObservation.objects.filter(
        organization=organization,
        observer=OuterRef("observer"),
        expected_sha256=OuterRef("expected_sha256"),
        observed_at__gt=OuterRef("observed_at"),
        received_at__lte=at,
    )
    others = believed(organization, at).filter(expected_sha256__in=list(digests))
    others = others.exclude(observed_sha256=F("expected_sha256"))
    return list(others.filter(~Exists(since)).order_by("-observed_at", "-pk"))


def seen_lately(organization: Organization, weights_sha256: str, at: datetime) -> Seen | None:
    """The best that may be claimed of a digest; None where nobody saw it within `MAX_AGE`, or somebody saw others."""
    if drifts(organization, [weights_sha256], at):
        return None
    equal = believed(organization, at).filter(expected_sha256=weights_sha256, observed_sha256=weights_sha256)
    fresh = equal.filter(observed_at__gt=at - MAX_AGE)
    before = fresh.filter(depth=LOAD, observer=OuterRef("observer"), observed_at__lte=OuterRef("observed_at"))
    sample = fresh.filter(Exists(before), depth=SAMPLE).order_by("-observed_at").first()
    row = sample or fresh.filter(depth=LOAD).order_by("-observed_at").first()
    if row is None:
        return None
    return Seen(SAMPLED if sample else AT_LOAD, timestamp(row.observed_at), row.observer.keyid, root_of(row))


def claim_of(organization: Organization, manifest: dict[str, Any], at: datetime | None = None) -> Weights:
    """What a receipt about this manifest may claim of its weights at a moment, by default now."""
    digest = weights_of(manifest)
    seen = seen_lately(organization, digest, at or now()) if digest else None
    return weights_claim(manifest, seen)


def root_of(row: WeightsObservation) -> str | None:
    """The standard's root digest of the files that were observed, from what the observer signed."""
    root: str | None = payload_of(row).get("oms_root_sha256")
    return root


def payload_of(row: WeightsObservation) -> dict[str, Any]:
    """What an observer signed; it was checked before it was stored."""
    content: dict[str, Any] = json.loads(base64.b64decode(row.envelope["payload"]))
    return content
