"""Taking in what an observer saw: checked, stored, and said in the chain of every release that is answered with it.

That weights differ is a fact of the releases in use: a rollout of one halts at its next look (`rolling.facts`), and of
what serves a person is asked on the overview. Nothing here stops or moves anything.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from audit.evidence_models import WeightsObservation, WeightsObserver, WeightsStatement
from audit.models import Receipt
from audit.statement import AttestedWeights
from audit.weights.claims import DECLARED
from audit.weights.observations import Observation, keyid_of, read_observation
from audit.weights.observers import key_of, observers_of
from audit.weights.predicates import WeightsError
from audit.weights.standing import MAX_AGE, claim_of
from audit.weights.statements import checked_bundle, store_statement
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import REPORT_AS_GATEWAY
from relcontrol.clock import now
from relcontrol.errors import Forbidden, invalid
from releases.models import Release
from releases.selectors import manifest_of
from releases.weights.matching import releases_with
from releases.weights.pruning import prune
from releases.weights.receipts import append_if_new, drifted_claim

AHEAD: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The observation, whether this call made it, the releases in use of its digest, and the receipts it left."""

    row: WeightsObservation
    created: bool
    releases: list[Release]
    receipts: list[Receipt]


@transaction.atomic
def record_observation(*, actor: Actor, envelope: Any, statement: Any = None) -> Recorded:
    """Store an observation by a registered observer, once; `statement` is its bundle about all files it saw.

    `Forbidden` where nobody registered the key, `Invalid` where the signature or what it says does not hold.
    """
    actor.require(REPORT_AS_GATEWAY)
    observer, at = _locked_observer(actor.organization, envelope), now()
    seen = _checked(actor.organization, envelope, observer, at)
    rows = WeightsObservation.objects.filter(observer=observer, observed_at=seen.moment)
    if known := rows.filter(depth=seen.depth, expected_sha256=seen.expected_sha256).first():
        return Recorded(
            known, created=False, releases=releases_with(actor.organization, seen.expected_sha256), receipts=[]
        )
    if statement is not None:
        _store_statement(actor, seen, statement)
    row = WeightsObservation.objects.create(
        organization=actor.organization,
        observer=observer,
        expected_sha256=seen.expected_sha256,
        observed_sha256=seen.observed_sha256,
        depth=seen.depth,
        observed_at=seen.moment,
        received_at=at,
        envelope=envelope,
    )
    releases = releases_with(actor.organization, seen.expected_sha256)
    receipts = [receipt for each in releases if (receipt := _said(actor, each, row, at))]
    prune(row, at)
    return Recorded(row, created=True, releases=releases, receipts=receipts)


def _locked_observer(organization: Organization, envelope: Any) -> WeightsObserver:
    try:
        keyid = keyid_of(envelope)
    except WeightsError as error:
        raise invalid("envelope", str(error)) from error
    rows = observers_of(organization).filter(keyid=keyid, revoked_at__isnull=True)
    row = rows.select_for_update(no_key=True).first()
    if row is None:
        raise Forbidden(
            f"Nobody has registered the key {keyid[:12]} as an observer, or it was revoked. An administrator registers "
            "it under Settings, Weights observers, or with POST /v1/weights/observers.",
            code="unknown_observer",
        )
    return row


def _checked(organization: Organization, envelope: Any, observer: WeightsObserver, at: datetime) -> Observation:
    try:
        seen = read_observation(envelope, key_of(observer))
    except WeightsError as error:
        raise invalid("envelope", str(error)) from error
    if seen.origin != organization.origin:
        raise invalid("envelope", "The observation is meant for another organization.")
    if not at - MAX_AGE < seen.moment <= at + AHEAD:
        raise invalid(
            "envelope", f"It was observed at {seen.observed_at}, here it is {at:%Y-%m-%d %H:%M} UTC: set the clock."
        )
    return seen


def _store_statement(actor: Actor, seen: Observation, bundle: Any) -> WeightsStatement:
    signed = checked_bundle(bundle)
    if (signed.key.keyid, signed.statement.predicate.weights_sha256) != (seen.keyid, seen.observed_sha256):
        raise invalid("statement", "The statement is not about what was observed, or not by the observer's key.")
    return store_statement(actor, signed, size=seen.bytes)[0]


def _said(actor: Actor, release: Release, row: WeightsObservation, at: datetime) -> Receipt | None:
    if row.drifted:
        return append_if_new(actor, release, row, drifted_claim(row))
    claim = claim_of(release.organization, manifest_of(release), at)
    if not isinstance(claim, AttestedWeights) or claim.assurance == DECLARED:
        return None  # another observer sees other files still
    return append_if_new(actor, release, row, claim)
