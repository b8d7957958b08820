"""A small organization for the tests: keys that everybody knows (RFC 8032, section 7.1), its chain, its export.

`Ledger` writes receipts as the services do, and lets a test play the forger: `write` takes any change of the statement
and any key before it signs.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.chain import Head, Link, ReleaseHead, next_link, receipt_hash, timestamp
from audit.envelope import sign_envelope
from audit.events import Event
from audit.exporting.document import Opening, Scope, build
from audit.keys.signing import EXPORT, RECEIPTS, PublicKey, SigningKey
from audit.statement import (
    Actor,
    AttestedWeights,
    Build,
    ClosedApiWeights,
    Decision,
    Delivery,
    Disclosure,
    NoWeights,
    ReleaseRef,
    Subject,
    Weights,
    build_statement,
    payload_bytes,
)
from relcontrol.bundle.canonical import canonical_bytes

ORIGIN = "relcontrol.test/acme"
START = datetime(2026, 3, 15, 14, 3, tzinfo=UTC)
LONG_AGO = "2026-01-01T00:00:00.000000Z"
SALT = "00112233445566778899aabbccddeeff"
MANIFEST = hashlib.sha256(b"release one").hexdigest()
OTHER_MANIFEST = hashlib.sha256(b"release two").hexdigest()
APPLICATION = "legal"
EXPORT_ID = "exp_01jd3v0000000000000000000a"

Change = Callable[[dict[str, Any]], None]


def signing_key(seed: str, purpose: str) -> SigningKey:
    return SigningKey(purpose=purpose, private=Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))


RECEIPT_KEY = signing_key("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", RECEIPTS)
EXPORT_KEY = signing_key("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", EXPORT)
FOREIGN_KEY = signing_key("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", RECEIPTS)
FOREIGN_EXPORT_KEY = signing_key("f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5", EXPORT)


def public(key: SigningKey, **period: Any) -> PublicKey:
    return PublicKey(public=key.public, purpose=key.purpose, **{"start": LONG_AGO, **period})


def trust(*keys: PublicKey) -> dict[str, Any]:
    listed = keys or (public(RECEIPT_KEY), public(EXPORT_KEY))
    return {
        "organization": "acme",
        "origin": ORIGIN,
        "keys": [key.as_json() for key in listed],
        "witnesses": [],
        "tsa_roots": [],
    }


class Ledger:
    """One organization's chain in memory."""

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.envelopes: list[dict[str, Any]] = []
        self.hashes: list[str] = []
        self.openings: list[Opening] = []
        self.last_anchor: str | None = None
        self._heads: dict[str, ReleaseHead] = {}
        self._head: Head | None = None

    def register(self, manifest: str = MANIFEST, **more: Any) -> str:
        """A release event with a commitment that is opened."""
        disclosure = Disclosure("actor.name", "Ada", SALT)
        about = ReleaseRef(manifest, "rel_one", "rte_legal")
        found = self.write(
            Event.RELEASE_REGISTERED, about, delivery=Delivery(None, "registered"), disclosures=[disclosure], **more
        )
        self.openings.append(Opening(found, disclosure.field, disclosure.salt, disclosure.value))
        return found

    def gate(self, manifest: str = MANIFEST, **more: Any) -> str:
        weights = more.pop("weights", ClosedApiWeights("openai", "gpt-5"))
        return self.write(Event.GATE_PASSED, ReleaseRef(manifest), weights=weights, decision=Decision("passed"), **more)

    def settle(self, **more: Any) -> str:
        """An event without a release."""
        subject = Subject("member", "per_1", {"role": "auditor"})
        return self.write(Event.MEMBER_CHANGED, subject, weights=NoWeights(), **more)

    def write(
        self,
        event: Event,
        about: ReleaseRef | Subject,
        *,
        key: SigningKey = RECEIPT_KEY,
        change: Change | None = None,
        at: datetime | None = None,
        occurred: datetime | None = None,
        weights: Weights | None = None,
        **more: Any,
    ) -> str:
        """Append one receipt; `change` is applied to the finished statement before it is hashed and signed."""
        moment = timestamp(at or START + timedelta(seconds=len(self.envelopes)))
        actor = more.pop("actor", Actor("person", "per_1", "session", "ses_1", "approved"))
        statement = build_statement(
            event=event,
            event_id=f"rcp_{len(self.envelopes):026d}",
            issued_at=moment,
            occurred_at=timestamp(occurred) if occurred else moment,
            origin=self.origin,
            link=self._link(about),
            signer_keyid=key.keyid,
            actor=actor,
            about=about,
            build=Build("0.1.0", "abc123"),
            weights=weights or AttestedWeights(),
            **({"application": APPLICATION if isinstance(about, ReleaseRef) else None} | more),
        )
        if change is not None:
            change(statement)
        return self.add(payload_bytes(statement), key)

    def add(self, payload: bytes, key: SigningKey = RECEIPT_KEY) -> str:
        """Sign and append these bytes, whatever they are."""
        found = receipt_hash(payload)
        self.envelopes.append(sign_envelope(payload, key))
        self.hashes.append(found)
        predicate = json.loads(payload)["predicate"]
        self._head = Head(predicate["chain"]["seq"], found, predicate["issued_at"])
        if predicate["release"]["manifest_sha256"]:
            head = ReleaseHead(predicate["chain"]["release_seq"] or 1, found)
            self._heads[predicate["release"]["manifest_sha256"]] = head
        if predicate["event"] == Event.ANCHOR_MADE:
            self.last_anchor = found
        return found

    def _link(self, about: ReleaseRef | Subject) -> Link:
        release = about.manifest_sha256 if isinstance(about, ReleaseRef) else None
        release_head = self._heads.get(release) if release else None
        return next_link(
            origin=self.origin,
            head=self._head,
            release_head=release_head,
            has_release=release is not None,
            last_anchor=self.last_anchor,
        )

    def export(self, scope: Scope | None = None, *, key: SigningKey = EXPORT_KEY, keep: Iterable[int] = ()) -> bytes:
        """The document; `keep` names the positions of the receipts that go in, in that order (default: all)."""
        positions = list(keep) or range(len(self.envelopes))
        chosen = [self.envelopes[i] for i in positions]
        hashes = {self.hashes[i] for i in positions}
        return document(
            chosen,
            scope=scope or Scope(organization=True),
            key=key,
            openings=[o for o in self.openings if o.receipt_hash in hashes],
        )


def document(
    envelopes: list[dict[str, Any]],
    *,
    scope: Scope | None = None,
    key: SigningKey = EXPORT_KEY,
    openings: Iterable[Opening] = (),
    keys: Iterable[SigningKey] = (RECEIPT_KEY, EXPORT_KEY),
) -> bytes:
    opened = list(openings)
    pieces = build(
        export_id=EXPORT_ID,
        scope=scope or Scope(organization=True),
        created_at=timestamp(START + timedelta(days=1)),
        origin=ORIGIN,
        keys=[public(one) for one in keys],
        receipts=lambda: envelopes,
        openings=lambda: opened,
        key=key,
    )
    return b"".join(pieces)


def ledger() -> Ledger:
    """Five receipts: a release from registration to a rehearsed gate, a person, another release."""
    chain = Ledger()
    chain.register()
    chain.gate()
    chain.settle()
    chain.register(OTHER_MANIFEST)
    chain.gate()
    return chain


def rewrite(text: bytes, change: Change) -> bytes:
    """The document with `change` applied to its JSON, canonical again but not signed again."""
    value = json.loads(text)
    change(value)
    return canonical_bytes(value)


def payload_of(envelope: dict[str, Any]) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return statement
