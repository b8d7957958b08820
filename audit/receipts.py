"""Appending a receipt, in the transaction of the decision that it records (receipts.md "Append").

The organization's chain head is the last row that a transaction locks; `issued_at` is taken under that lock and never
decreases. Heads of single releases change under the same lock only, so they need none of their own. A second receipt
of the same transaction finds the head already locked.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from audit import chain, statement
from audit.envelope import PAYLOAD_TYPES, pae
from audit.events import Event
from audit.keyring import signer
from audit.keys import RECEIPTS, SigningKey
from audit.models import ChainHead, Opening, Receipt, ReleaseHead
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.ids import new_id
from relcontrol.version import VERSION


@dataclass(frozen=True, slots=True)
class Record:
    """What a service says of its decision; the chain adds the rest.

    `state` is the object after the decision, as JSON without floats. It is committed to with a salt, so that its
    content can be opened to an auditor and erased; the subject of a receipt without a release is the digest of
    `[salt, state]`, because a digest without salt of a name and an address could be guessed after the erasure.
    """

    event: Event
    outcome: str  # one word, such as registered
    kind: str
    name: str
    state: Mapping[str, Any]
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
    head = ChainHead.objects.select_for_update().get(organization=actor.organization)
    key = signer(RECEIPTS, known=head.keyid)  # what signed the last receipt is on the keyring
    release_head = _release_head(actor, record)
    issued_at = max(now(), head.issued_at) if head.issued_at else now()
    disclosure = statement.Disclosure("state", dict(record.state), secrets.token_hex(16))
    document = _statement(actor, record, _link(actor, head, release_head), issued_at, key, disclosure)
    receipt = _insert(actor, record, document, issued_at, key)
    Opening.objects.create(receipt=receipt, field="state", salt=disclosure.salt, value=disclosure.value)
    _advance(head, release_head, receipt)
    return receipt


def _release_head(actor: Actor, record: Record) -> ReleaseHead | None:
    if record.release is None:
        return None
    head, _ = ReleaseHead.objects.get_or_create(
        organization=actor.organization, manifest_sha256=record.release.manifest_sha256
    )
    return head


def _link(actor: Actor, head: ChainHead, release_head: ReleaseHead | None) -> chain.Link:
    before = chain.Head(head.seq, head.receipt_hash, chain.timestamp(head.issued_at)) if head.issued_at else None
    release_before = (
        chain.ReleaseHead(release_head.seq, release_head.receipt_hash)
        if release_head and release_head.receipt_hash
        else None
    )
    return chain.next_link(
        origin=actor.organization.origin,
        head=before,
        release_head=release_before,
        has_release=release_head is not None,
    )


def _statement(
    actor: Actor,
    record: Record,
    link: chain.Link,
    issued_at: datetime,
    key: SigningKey,
    disclosure: statement.Disclosure,
) -> dict[str, Any]:
    return statement.build_statement(
        event=record.event,
        event_id=new_id("rcp"),
        issued_at=chain.timestamp(issued_at),
        occurred_at=chain.timestamp(record.occurred_at or issued_at),
        origin=actor.organization.origin,
        link=link,
        signer_keyid=key.keyid,
        actor=statement.Actor(actor.kind, actor.id, actor.auth, actor.session, record.meaning),
        about=record.release or statement.Subject(record.kind, record.name, [disclosure.salt, disclosure.value]),
        build=statement.Build(VERSION, settings.COMMIT),
        weights=record.weights,
        delivery=record.delivery,
        decision=statement.Decision(record.outcome, record.policy, list(record.inputs), record.override),
        disclosures=[disclosure],
        retention=statement.Retention("standard", chain.timestamp(_kept_until(issued_at))),
    )


def _kept_until(issued_at: datetime) -> datetime:
    """The retention of openings, in calendar years; a leap day becomes the day before."""
    year = issued_at.year + settings.RECEIPT_RETENTION_YEARS
    try:
        return issued_at.replace(year=year)
    except ValueError:
        return issued_at.replace(year=year, day=28)


def _insert(actor: Actor, record: Record, document: dict[str, Any], issued_at: datetime, key: SigningKey) -> Receipt:
    payload = statement.payload_bytes(document)
    predicate = document["predicate"]
    return Receipt.objects.create(
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


def _advance(head: ChainHead, release_head: ReleaseHead | None, receipt: Receipt) -> None:
    head.seq, head.receipt_hash, head.issued_at = receipt.seq, receipt.receipt_hash, receipt.issued_at
    head.keyid = receipt.keyid
    head.save(update_fields=["seq", "receipt_hash", "issued_at", "keyid"])
    if release_head is not None and receipt.release_seq is not None:
        release_head.seq, release_head.receipt_hash = receipt.release_seq, receipt.receipt_hash
        release_head.save(update_fields=["seq", "receipt_hash"])
