"""Exports of a small organization whose log is anchored, as documents and as ZIPs: sound ones, for mutations to spoil.

    1 release one registered   5 release two registered (open weights)    9 anchored: a witness saw 7
    2 its gate passed          6 release one's gate passed               10 anchored: a file, of 7
    3 a person changed         7 another person changed                  11 release two's gate passed
    4 anchored: 3 time-stamped 8 anchored: 7 time-stamped                12 a person changed

A `Bundle` is every part of an export in plain lists, with the trust file and the head that an auditor may hold; it is
written by the product's own builders. `story(12)` is the whole story, `story(10)` ends with the anchors.
"""

import base64
import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from audit.anchors.release_heads import Membership, membership_among
from audit.chain import timestamp
from audit.envelope import pae, wrap
from audit.exporting.bundle import manifest_of, measured, zip_bytes
from audit.exporting.document import Opening, Scope, build
from audit.keys.signing import EXPORT, PublicKey, SigningKey
from audit.log import merkle, notes
from audit.log.tlog_proofs import proof_text
from audit.statement import Actor, AttestedWeights
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence import attestations
from tests.audit.evidence.authority import TSA
from tests.audit.evidence.logs import LOG_KEY, WITNESS, WITNESS_KEY, Log, Signed
from tests.audit.pure.chains import (
    APPLICATION,
    EXPORT_ID,
    EXPORT_KEY,
    MANIFEST,
    ORIGIN,
    OTHER_MANIFEST,
    RECEIPT_KEY,
    START,
    payload_of,
    public,
    signing_key,
)

Entry = dict[str, Any]
CREATED_AT = timestamp(START + timedelta(days=1))
ROOT_KEY = signing_key("4a7e2f5a9b3c4d6e8f00112233445566778899aabbccddeeff0123456789abcd", EXPORT)
FOREIGN_ROOT_KEY = signing_key("5a7e2f5a9b3c4d6e8f00112233445566778899aabbccddeeff0123456789abcd", EXPORT)
KEYRING_TYPE = "application/vnd.relcontrol.keyring+json"
OTHER_PERSON = Actor("person", "per_2", "session", "ses_2", "approved")
KEYS = (public(RECEIPT_KEY), public(EXPORT_KEY), public(LOG_KEY))
SUFFIXES = {"rfc3161": "tsr", "witness": "txt", "webhook": "json", "file": "json"}


@dataclass
class Bundle:
    """The parts of an export, to be spoiled one by one; `document` and `zip` sign whatever is there."""

    scope: Scope
    receipts: list[Entry]
    openings: list[Opening] = field(default_factory=list)
    asides: list[Entry] = field(default_factory=list)
    anchors: list[Entry] = field(default_factory=list)
    attestations: list[Entry] = field(default_factory=list)
    checkpoints: list[Entry] = field(default_factory=list)
    heads: list[Entry] = field(default_factory=list)
    proofs: list[Entry] = field(default_factory=list)
    keyring: Entry | None = None
    keys: list[PublicKey] = field(default_factory=lambda: list(KEYS))
    opens: str = "all"
    origin: str = ORIGIN
    key: SigningKey = EXPORT_KEY
    trust: Entry = field(default_factory=lambda: dict(trust()))
    head: str | None = None

    def document(self) -> bytes:
        """The export as JSON, by the product's builder."""
        pieces = build(
            export_id=EXPORT_ID,
            scope=self.scope,
            created_at=CREATED_AT,
            origin=self.origin,
            opens=self.opens,
            keys=self.keys,
            keyring=self.keyring,
            receipts=lambda: self.receipts,
            openings=lambda: self.openings,
            asides=self.asides,
            anchors=self.anchors,
            attestations=self.attestations,
            checkpoints=self.checkpoints,
            heads=self.heads,
            proofs=self.proofs,
            key=self.key,
        )
        return b"".join(pieces)

    def files(self) -> dict[str, bytes]:
        """The files of the ZIP, but for its manifest."""
        sizes = {sha256(one["note"].encode()).hexdigest(): size_of(one["note"]) for one in self.checkpoints}
        seqs = {seq_and_hash(one)[1]: seq_and_hash(one)[0] for one in [*self.receipts, *self.asides]}
        found = {
            "README.txt": b"How to verify this by hand.\n",
            "export.json": self.document(),
            "keys/keys.json": canonical_bytes([key.as_json() for key in self.keys]),
            "openings.json": canonical_bytes([opening.as_json() for opening in self.openings]),
            "receipts.jsonl": b"".join(canonical_bytes(one) + b"\n" for one in self.receipts),
            "schema.json": b"{}",
            "verify.html": b"<!doctype html>\n",
            "verify.py": b"# the verifier\n",
        }
        if self.keyring is not None:
            found["keys/keyring.json"] = canonical_bytes(self.keyring)
        for number, one in enumerate(self.anchors, 1):
            name = f"anchors/{sizes[one['checkpoint']]}-{one['kind']}-{number}.{SUFFIXES[one['kind']]}"
            found[name] = base64.b64decode(one["evidence"])
        for one in self.attestations:
            found[f"attestations/{one['weights_sha256']}.json"] = canonical_bytes(one["bundle"])
        for one in self.checkpoints:
            found[f"checkpoints/{size_of(one['note'])}.txt"] = one["note"].encode()
        for one in self.proofs:
            found[f"proofs/{seqs[one['receipt_hash']]}.tlog-proof"] = one["proof"].encode()
        return found

    def zip(self) -> bytes:
        """The export as a ZIP, by the product's builder."""
        return zipped(self.files(), key=self.key, origin=self.origin)


def zipped(files: dict[str, bytes], *, key: SigningKey = EXPORT_KEY, origin: str = ORIGIN, **named: str) -> bytes:
    """These files with a manifest over them. `named`: another `export_id`."""
    listed = [measured(name, content) for name, content in files.items()]
    manifest = manifest_of(
        export_id=named.get("export_id", EXPORT_ID), origin=origin, created_at=CREATED_AT, files=listed, key=key
    )
    return zip_bytes(files | {"manifest.json": b"".join(manifest.content())})


def size_of(note: str) -> int:
    """What a checkpoint says the size is."""
    return int(note.split("\n")[1])


def seq_and_hash(envelope: Entry) -> tuple[int, str]:
    """Of a receipt."""
    payload = base64.b64decode(envelope["payload"])
    return payload_of(envelope)["predicate"]["chain"]["seq"], sha256(payload).hexdigest()


def trust(*keys: PublicKey, **changed: Any) -> Entry:
    """The trust file that the auditor was given."""
    witness = {
        "name": WITNESS,
        "public_key": base64.b64encode(WITNESS_KEY.public).decode("ascii"),
        "vkey": notes.vkey(WITNESS, WITNESS_KEY.public, notes.COSIGNATURE),
    }
    return {
        "organization": "acme",
        "origin": ORIGIN,
        "keys": [key.as_json() for key in keys or KEYS],
        "witnesses": [witness],
        "tsa_roots": [TSA.root_pem],
        "root": root_entry(ROOT_KEY),
    } | changed


def root_entry(key: SigningKey) -> Entry:
    return {"keyid": key.keyid, "alg": "ed25519", "public_key": base64.b64encode(key.public).decode("ascii")}


def keyring(*keys: PublicKey, root: SigningKey = ROOT_KEY, **changed: Any) -> Entry:
    """The keys of the installation, signed by its offline root."""
    entries = sorted((key.as_json() for key in keys or KEYS), key=lambda entry: str(entry["keyid"]))
    document = {
        "schema": "relcontrol/keyring/v1",
        "sequence": 1,
        "issued_at": timestamp(START - timedelta(days=1)),
        "origins": [ORIGIN],
        "keys": entries,
    } | changed
    payload = canonical_bytes(document)
    return wrap(payload, KEYRING_TYPE, keyid=root.keyid, signature=root.sign(pae(KEYRING_TYPE, payload)))


def story(length: int = 12) -> Log:
    """The organization's log up to that receipt, a copy for each caller."""
    return copy.deepcopy(_story(length))


@cache
def _story(length: int) -> Log:
    log, of = Log(), attestations.predicate()
    named = AttestedWeights("declared", attestations.weights_sha256(of), attestations.root_sha256(of))
    steps: list[Callable[[], object]] = [
        log.register,
        log.gate,
        log.settle,
        lambda: log.anchor("rfc3161"),
        lambda: log.register(OTHER_MANIFEST, weights=named),
        log.gate,
        lambda: log.settle(actor=OTHER_PERSON),
        lambda: log.anchor("rfc3161"),
        lambda: log.anchor("witness", log.checkpoints[-1]),
        lambda: log.anchor("file", log.checkpoints[-1]),
        lambda: log.gate(OTHER_MANIFEST),
        log.settle,
    ]
    for step in steps[:length]:
        step()
    return log


def of(log: Log, scope: Scope | None = None, **changed: Any) -> Bundle:
    """The export of this scope with everything that belongs to it, as the product gathers it."""
    chosen = scope or Scope(organization=True)
    inside = [_inside(envelope, chosen) for envelope in log.envelopes]
    receipts = [envelope for envelope, found in zip(log.envelopes, inside, strict=True) if found]
    hashes = {one for one, found in zip(log.hashes, inside, strict=True) if found}
    asides = [log.envelopes[one.seq - 1] for one in log.anchors if one.receipt_hash not in hashes]
    anchors = sorted(log.anchors, key=lambda one: (one.checkpoint.size, one.receipt_hash))
    claims = {payload_of(one)["predicate"]["weights"].get("manifest_sha256") for one in receipts}
    known = attestations.attestation()
    bundle = Bundle(
        scope=chosen,
        receipts=receipts,
        openings=[one for one in log.openings if one.receipt_hash in hashes],
        asides=asides,
        anchors=[one.as_json() for one in anchors],
        attestations=[known] if known["weights_sha256"] in claims else [],
        checkpoints=[{"note": one.note} for one in log.checkpoints],
        heads=_heads(log, receipts) if chosen.release or chosen.application else [],
        proofs=[] if chosen.organization and not chosen.start else _proofs(log, _proved(log, chosen, receipts, asides)),
        keyring=keyring(),
        origin=log.origin,
    )
    return replace(bundle, **changed)


def _inside(envelope: Entry, scope: Scope) -> bool:
    predicate = payload_of(envelope)["predicate"]
    named = (
        scope.organization
        or (scope.release is not None and predicate["release"]["manifest_sha256"] == scope.release)
        or (scope.application is not None and predicate["application"] == scope.application)
        or (scope.person is not None and predicate["actor"]["id"] == scope.person)
    )
    return named and (scope.start or "") <= predicate["issued_at"] < (scope.end or "9")


def _heads(log: Log, receipts: list[Entry]) -> list[Entry]:
    """Where each release in scope stands at the newest checkpoint, and at the newest whose anchor that one holds."""
    newest = log.checkpoints[-1]
    told = [one.checkpoint for one in log.anchors if one.seq <= newest.size]
    manifests = sorted({payload_of(one)["predicate"]["release"]["manifest_sha256"] for one in receipts})
    return [
        _head(at, member)
        for at in [*told[-1:], newest]
        for manifest in manifests
        if (member := membership_among(at.heads, manifest))
    ]


def _head(at: Signed, member: Membership) -> Entry:
    return {
        "checkpoint": at.sha256,
        "manifest_sha256": member.head.manifest_sha256,
        "release_seq": member.head.release_seq,
        "receipt_hash": member.head.receipt_hash,
        "index": member.index,
        "count": member.count,
        "proof": [base64.b64encode(sibling).decode("ascii") for sibling in member.proof],
    }


def _proved(log: Log, scope: Scope, receipts: list[Entry], asides: list[Entry]) -> list[tuple[int, str, Signed]]:
    """Which receipt is proved to be in which checkpoint."""
    placed = [seq_and_hash(one) for one in [*receipts, *asides]]
    if scope.organization:
        covered = [
            [(seq, one, checkpoint) for seq, one in placed[: len(receipts)] if seq <= checkpoint.size]
            for checkpoint in log.checkpoints
        ]
        return [found[-1] for found in covered if found]
    stamped = {one.checkpoint.size for one in log.anchors if one.kind == "rfc3161"}
    proved = []
    for seq, one in placed:
        covering = [checkpoint for checkpoint in log.checkpoints if checkpoint.size >= seq]
        first = next((checkpoint for checkpoint in covering if checkpoint.size in stamped), None)
        if covering:
            proved.append((seq, one, first or covering[-1]))
    return proved


def _proofs(log: Log, proved: list[tuple[int, str, Signed]]) -> list[Entry]:
    nodes = merkle.nodes_over(log.leaves)
    return [
        {
            "receipt_hash": one,
            "proof": proof_text(seq - 1, merkle.inclusion_proof(seq - 1, checkpoint.size, nodes), checkpoint.note),
        }
        for seq, one, checkpoint in proved
    ]


def whole(length: int = 12, **changed: Any) -> Bundle:
    """All receipts of the organization."""
    return of(story(length), **changed)


def release(length: int = 12, **changed: Any) -> Bundle:
    """The three receipts of release one."""
    return of(story(length), Scope(release=MANIFEST), **changed)


def application(length: int = 12, **changed: Any) -> Bundle:
    return of(story(length), Scope(application=APPLICATION), **changed)


def person(length: int = 12, **changed: Any) -> Bundle:
    return of(story(length), Scope(person=OTHER_PERSON.id), **changed)


def ranged(length: int = 12, **changed: Any) -> Bundle:
    """All receipts from the second on, up to the tenth."""
    scope = Scope(organization=True, start=timestamp(START + timedelta(seconds=1)), end=_moment(10))
    return of(story(length), scope, **changed)


def _moment(seconds: int) -> str:
    return timestamp(START + timedelta(seconds=seconds))


SOUND = {"whole": whole, "release": release, "application": application, "person": person, "range": ranged}


@cache
def sound(name: str) -> bytes:
    """One of the sound exports as a document, made once."""
    return SOUND[name]().document()
