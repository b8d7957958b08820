"""What the chain says of observed weights: once for each release in use, and again only when something is new.

An agent may look every few minutes. A receipt is written for the first observation of a release, when the degree of
assurance changes, when files differ or are right again, and once a day; the chain is not flooded, and no day is silent.
"""

import base64
import hashlib
import json
from typing import Any, Final

from audit.chain import timestamp
from audit.events import Event
from audit.evidence_models import WeightsObservation
from audit.models import Receipt
from audit.receipts import Record, append
from audit.statement import AttestedWeights, DecisionInput, ReleaseRef
from audit.weights.claims import AT_LOAD
from audit.weights.standing import payload_of
from relcontrol.accounts.actors import Actor
from releases.models import Release

EVENTS: Final = (Event.WEIGHTS_OBSERVED.value, Event.WEIGHTS_DRIFTED.value)


def append_if_new(actor: Actor, release: Release, row: WeightsObservation, claim: AttestedWeights) -> Receipt | None:
    """The receipt of an observation, where it says anything that the newest one about this release does not."""
    event = Event.WEIGHTS_DRIFTED if row.drifted else Event.WEIGHTS_OBSERVED
    if not _is_new(release, row, event, claim):
        return None
    return append(
        actor,
        Record(
            event=event,
            outcome="drifted" if row.drifted else "observed",
            kind="release",
            name=release.name,
            application=release.application.slug,
            release=ReleaseRef(release.manifest_sha256, release.pk, release.route_id),
            inputs=[_input(row)],
            weights=claim,
            state=_state(row),
            occurred_at=min(row.observed_at, row.received_at),
        ),
    )


def drifted_claim(row: WeightsObservation) -> AttestedWeights:
    """What was registered beside what was seen in its place."""
    return AttestedWeights(
        assurance=AT_LOAD,
        manifest_sha256=row.expected_sha256,
        observed_manifest_sha256=row.observed_sha256,
        observed_at=timestamp(row.observed_at),
        observer_keyid=row.observer.keyid,
    )


def _is_new(release: Release, row: WeightsObservation, event: Event, claim: AttestedWeights) -> bool:
    rows = Receipt.objects.filter(organization=release.organization, manifest_sha256=release.manifest_sha256)
    last = rows.filter(event__in=EVENTS).order_by("-seq").first()
    if last is None or last.event != event.value or last.issued_at.date() != row.received_at.date():
        return True
    said = json.loads(bytes(last.payload))["predicate"]["weights"]
    parts = ("assurance", "observed_manifest_sha256", *(("observer_keyid",) if row.drifted else ()))
    return any(said[part] != getattr(claim, part) for part in parts)


def _input(row: WeightsObservation) -> DecisionInput:
    """What the decision rests on; the digest is that of the bytes that the observer signed."""
    payload, sampled = payload_of(row), row.depth == WeightsObservation.Depth.SAMPLE
    words = "others than the registered ones" if row.drifted else "the registered ones"
    return DecisionInput(
        metric="weights",
        verdict="drifted" if row.drifted else "equal",
        slice=row.observer.name,
        n=payload["files"],
        evidence=f"{'A random part of the files' if sampled else 'All files'} read: {words}.",
        evidence_sha256=hashlib.sha256(base64.b64decode(row.envelope["payload"])).hexdigest(),
    )


def _state(row: WeightsObservation) -> dict[str, Any]:
    return {"id": row.pk, "observer": row.observer_id, "received_at": timestamp(row.received_at), **payload_of(row)}
