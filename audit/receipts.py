"""Appending a receipt, in the transaction of the decision that it records (receipts.md "Append").

The organization's chain head is the last row that a transaction locks; `issued_at` is taken under that lock and never
decreases. Heads of single releases change under the same lock only, so they need none of their own. A second receipt
of the same transaction finds the head already locked. `last_anchor` names the newest `anchor.made` before, so that a
receipt came after the time which that one proves. The statements are in `audit/appending.py`.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from audit import appending, chain, statement
from audit.envelope import PAYLOAD_TYPES, pae
from audit.events import Event
from audit.keys.keyring import signer
from audit.keys.signing import RECEIPTS, SigningKey
from audit.models import Receipt
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.ids import new_id
from relcontrol.version import VERSION


@dataclass(frozen=True, slots=True)
class Record:
    """What a service says of its decision; the chain adds the rest.

    `state` is the object after the decision, as JSON without floats. It is committed to with a salt, so that its
    content can be opened to an auditor and erased; the subject of a receipt without a release is the digest of
    `[salt, state]`, because a digest without salt of what is guessable could be tried after the erasure. `personal`
    holds what says who somebody is, such as a name and an address: each has a commitment of its own beside the state
    (`personal.email`), so that it can be erased and the state stays. `application` is the slug of the application that
    the decision is about; it is signed, and decides which exports the receipt is in.
    """

    event: Event
    outcome: str  # one word, such as registered
    kind: str
    name: str
    state: Mapping[str, Any]
    personal: Mapping[str, Any] = field(default_factory=dict)
    application: str = ""
    release: statement.ReleaseRef | None = None
    delivery: statement.Delivery | None = None
    policy: statement.Policy | None = None
    inputs: Sequence[statement.DecisionInput] = ()
    override: statement.Override | None = None
    weights: statement.Weights = field(default_factory=statement.NoWeights)
    meaning: str = "recorded"
    occurred_at: datetime | None = None


def append(actor: Actor, record: Record) -> Receipt:
    """Sign the record and add it to the organization's chain. Must run inside the decision's transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a receipt is appended in the transaction of its decision")
    head = appending.locked_head(actor.organization)
    key = signer(RECEIPTS, keyid=head.keyid)  # of the head, which no rotation moves while it is locked
    issued_at = max(now(), head.issued_at) if head.issued_at else now()
    disclosures = statement.disclosures_of(dict(record.state), record.personal, _fresh_salt)
    document = _statement(actor, record, _link(actor, record, head), issued_at, key, disclosures)
    return appending.store(_signed(actor, record, document, issued_at, key), disclosures, head)


def _fresh_salt() -> str:
    return secrets.token_hex(16)


def _link(actor: Actor, record: Record, head: appending.LockedHead) -> chain.Link:
    about = record.release
    return chain.next_link(
        origin=actor.organization.origin,
        head=head.as_head(),
        release_head=appending.release_head(actor.organization, about.manifest_sha256) if about else None,
        has_release=about is not None,
        last_anchor=head.last_anchor,
    )


def _statement(
    actor: Actor,
    record: Record,
    link: chain.Link,
    issued_at: datetime,
    key: SigningKey,
    disclosures: list[statement.Disclosure],
) -> dict[str, Any]:
    state = disclosures[0]
    return statement.build_statement(
        event=record.event,
        event_id=new_id("rcp"),
        issued_at=chain.timestamp(issued_at),
        occurred_at=chain.timestamp(record.occurred_at or issued_at),
        origin=actor.organization.origin,
        link=link,
        signer_keyid=key.keyid,
        actor=statement.Actor(actor.kind, actor.id, actor.auth, actor.session, record.meaning),
        about=record.release or statement.Subject(record.kind, record.name, [state.salt, state.value]),
        build=statement.Build(VERSION, settings.COMMIT),
        weights=record.weights,
        application=record.application or None,
        delivery=record.delivery,
        decision=statement.Decision(record.outcome, record.policy, list(record.inputs), record.override),
        disclosures=disclosures,
        retention=statement.Retention("standard", chain.timestamp(_kept_until(issued_at))),
    )


def _kept_until(issued_at: datetime) -> datetime:
    """The retention of openings, in calendar years; a leap day becomes the day before."""
    year = issued_at.year + settings.RECEIPT_RETENTION_YEARS
    try:
        return issued_at.replace(year=year)
    except ValueError:
        return issued_at.replace(year=year, day=28)


def _signed(actor: Actor, record: Record, document: dict[str, Any], issued_at: datetime, key: SigningKey) -> Receipt:
    payload = statement.payload_bytes(document)
    predicate = document["predicate"]
    return Receipt(
        pk=predicate["event_id"],
        organization=actor.organization,
        seq=predicate["chain"]["seq"],
        prev=predicate["chain"]["prev"],
        receipt_hash=chain.receipt_hash(payload),
        manifest_sha256=predicate["release"]["manifest_sha256"],
        release_seq=predicate["chain"]["release_seq"],
        release_prev=predicate["chain"]["release_prev"],
        release=predicate["release"]["id"] or "",
        application=record.application,
        event=record.event.value,
        subject=f"{record.kind}:{record.name}"[:300],
        outcome=record.outcome[:200],
        actor=actor.id,
        issued_at=issued_at,
        payload=payload,
        signature=key.sign(pae(PAYLOAD_TYPES[RECEIPTS], payload)),
        keyid=key.keyid,
    )
