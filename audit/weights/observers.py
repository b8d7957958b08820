"""Whose observations are believed: a person registers the public key of an agent, and can revoke it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max, QuerySet

from audit.administration.rules import checked_name
from audit.events import Event
from audit.evidence_models import WeightsObservation, WeightsObserver
from audit.receipts import Record, append
from audit.weights.observer_keys import ObserverPublicKey, load_observer_public_key
from audit.weights.predicates import WeightsError
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.clock import now
from relcontrol.errors import Conflict, invalid

LONGEST_NAME: Final = 100


def observers_of(organization: Organization) -> QuerySet[WeightsObserver]:
    """All of them, newest first, revoked ones too."""
    return WeightsObserver.objects.filter(organization=organization).order_by("-pk")


def last_heard(observers: Iterable[WeightsObserver]) -> dict[str, datetime]:
    """When each of these last saw any files, by id; without those that never did."""
    rows = WeightsObservation.objects.filter(observer__in=list(observers)).order_by()
    return dict(rows.values_list("observer").annotate(last=Max("observed_at")))


def observers_in_use(organization: Organization) -> int:
    """How many are believed."""
    return observers_of(organization).filter(revoked_at__isnull=True).count()


@transaction.atomic
def register_observer(*, actor: Actor, name: str, public_key: str) -> WeightsObserver:
    """Believe what this key signs of weights from now on. `public_key` is a PEM text (ECDSA, P-256)."""
    actor.require(ADMINISTER)
    called, key = _checked(name), _key(public_key)
    Organization.objects.select_for_update(no_key=True).get(pk=actor.organization.pk)  # two at once wait for each other
    rows = observers_of(actor.organization)
    if known := rows.filter(keyid=key.keyid).first():
        how = "revoked; make a new key" if known.revoked_at else "registered already"
        raise Conflict(f"This key ({key.keyid[:12]}) is {known.name}'s, and {how}.", code="known_key")
    if rows.filter(name=called, revoked_at__isnull=True).exists():
        raise invalid("name", f"{called} is another observer. Choose another name, or revoke that one first.")
    row = WeightsObserver.objects.create(
        organization=actor.organization, name=called, keyid=key.keyid, public_key=key.pem, created_at=now()
    )
    _append(actor, row, "registered")
    return row


@transaction.atomic
def revoke_observer(*, actor: Actor, observer: WeightsObserver) -> WeightsObserver:
    """Believe nothing more that this key signed: claims that rest on it fall back. Again changes nothing."""
    actor.require(ADMINISTER)
    row = WeightsObserver.objects.select_for_update(no_key=True).get(pk=observer.pk)
    if row.revoked_at is None:
        row.revoked_at = now()
        row.save(update_fields=["revoked_at"])
        _append(actor, row, "revoked")
    return row


def key_of(observer: WeightsObserver) -> ObserverPublicKey:
    """The key whose signature counts as this observer's."""
    return load_observer_public_key(bytes(observer.public_key))


def _checked(name: str) -> str:
    called = checked_name(name)
    if len(called) > LONGEST_NAME:
        raise invalid("name", f"Use at most {LONGEST_NAME} characters.")
    return called


def _key(text: str) -> ObserverPublicKey:
    try:
        return load_observer_public_key(text.encode())
    except WeightsError as error:
        raise invalid("public_key", f"{error} `attest-weights --print-key` prints the one to paste.") from error


def _append(actor: Actor, row: WeightsObserver, outcome: str) -> None:
    state: dict[str, Any] = {
        "id": row.pk,
        "name": row.name,
        "keyid": row.keyid,
        "public_key": bytes(row.public_key).decode(),
    }
    append(
        actor, Record(event=Event.POLICY_CHANGED, outcome=outcome, kind="weights-observer", name=row.name, state=state)
    )
