"""Mutations of openings, and of what is said about weights."""

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from audit.exporting.document import Opening
from audit.statement import Disclosure
from audit.verify import AUTHENTICITY, COVERAGE, INTEGRITY, NOT_CHECKED, WEIGHTS
from tests.audit.evidence import attestations
from tests.audit.evidence.bundles import of, story, whole
from tests.audit.evidence.spoiling import Case, Mutation, document
from tests.audit.pure.chains import SALT
from tests.audit.pure.forgeries import SECOND, claim_attestation, with_payload

FILES = attestations.FILES


def opening(**changed: Any) -> Callable[[], Case]:
    """The first opening changed."""

    def spoil() -> Case:
        bundle = whole()
        first = {"receipt_hash": story().hashes[0], "field": "actor.name", "salt": SALT, "value": "Ada"}
        bundle.openings[0] = Opening(**first | changed)
        return document(bundle)

    return spoil


def moved(statement: dict[str, Any]) -> None:
    statement["predicate"]["commitments"][0]["field"] = "approver.name"


def moved_commitment() -> Case:
    """A commitment that the key holder moved to another field, opened there."""
    log = story(2)
    made = log.register("ab" * 32, change=moved)
    log.openings[-1] = Opening(made, "approver.name", SALT, "Ada")
    return document(of(log))


def opened(opens: str, field: str) -> Callable[[], Case]:
    """An export that opens more than it says."""

    def spoil() -> Case:
        log = story(2)
        log.openings.clear()
        disclosure = Disclosure(field, "Ada", SALT)
        made = log.settle(disclosures=[disclosure])
        log.openings.append(Opening(made, field, SALT, "Ada"))
        return document(of(log, opens=opens))

    return spoil


def bundled(of_files: dict[str, str], **more: Any) -> Callable[[], Case]:
    """Another statement about the weights under the digest that receipts name, signed by the publisher."""

    def spoil() -> Case:
        bundle = whole()
        bundle.attestations[0]["bundle"] = attestations.bundle(attestations.predicate(of_files), **more)
        return document(bundle)

    return spoil


def attested(change: Callable[[dict[str, Any]], object]) -> Callable[[], Case]:
    """The entry of the attestation changed, by the holder of the export key."""

    def spoil() -> Case:
        bundle = whole()
        change(bundle.attestations[0])
        return document(bundle)

    return spoil


def flip_payload(entry: dict[str, Any]) -> None:
    """A file renamed under the old signature, and the digest with it."""
    envelope = entry["bundle"]["dsseEnvelope"]
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["subject"][0]["name"] = "another"
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode("ascii")


def key_of(entry: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = entry["bundle"]["verificationMaterial"]["publicKey"]
    return found


def exchange_key(entry: dict[str, Any]) -> None:
    key_of(entry).update(attestations.named(attestations.STRANGER))


def exchange_hint(entry: dict[str, Any]) -> None:
    key_of(entry).update(hint="0" * 64)


def drop_key(entry: dict[str, Any]) -> None:
    del key_of(entry)["rawBytes"]


def spell_key(change: Callable[[bytes], bytes]) -> Callable[[dict[str, Any]], object]:
    """The same key, or another, in another text."""

    def spell(entry: dict[str, Any]) -> None:
        pem = change(attestations.pem(attestations.PUBLISHER))
        named = {"hint": sha256(pem).hexdigest(), "rawBytes": base64.b64encode(pem).decode("ascii")}
        key_of(entry).update(named)

    return spell


def armored(der: bytes) -> bytes:
    """A key in PEM, whatever it is."""
    return b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"


def claim(**changed: Any) -> Callable[[], Case]:
    """A receipt that claims this of its weights, by who has the keys."""

    def change(statement: dict[str, Any]) -> None:
        claim_attestation(statement)
        statement["predicate"]["weights"].update(changed)

    def spoil() -> Case:
        log = story()
        log.gate(change=change)
        return document(of(log))

    return spoil


def closed_to_attested() -> Case:
    bundle = whole()
    bundle.receipts[1] = with_payload(bundle.receipts[1], claim_attestation)
    return document(bundle)


def unnamed() -> Case:
    """An attestation of weights that no receipt here speaks of."""
    bundle = whole(4)
    bundle.attestations = [attestations.attestation()]
    return document(bundle)


def rearranged(*names: str) -> dict[str, str]:
    return {name: FILES[name] for name in names}


NAMES = list(FILES)
UNKNOWN_KEY = bytes.fromhex("3010300806062a0304050607030400010203")  # of an algorithm that nobody has
KEY_FAILS = "the attestation's signature does not hold"
RENAMED = {"model/part-1b.safetensors" if name == NAMES[1] else name: digest for name, digest in FILES.items()}
SWAPPED = FILES | {NAMES[1]: FILES[NAMES[2]], NAMES[2]: FILES[NAMES[1]]}
DIGEST = "another digest than the attestation's"
SEEN = {"observed_at": SECOND, "observer_keyid": "2" * 64}
OWN = attestations.weights_sha256(attestations.predicate())
MUTATIONS = [
    Mutation("wrong opening", opening(value="Eve"), COVERAGE, "is not the one committed to"),
    Mutation("opening with another salt", opening(salt=SALT[::-1]), COVERAGE, "is not the one committed to"),
    Mutation("opening of another field", opening(field="actor.mail"), COVERAGE, "opens nothing"),
    Mutation("opening of another receipt", opening(receipt_hash=story().hashes[1]), COVERAGE, "opens nothing"),
    Mutation("commitment moved to another field", moved_commitment, COVERAGE, "is not the one committed to"),
    Mutation("opening where nothing is opened", opened("nothing", "actor.name"), COVERAGE, "more than it says"),
    Mutation("personal opening", opened("impersonal", "personal.name"), COVERAGE, "more than it says"),
    Mutation("weight file renamed", bundled(RENAMED), WEIGHTS, DIGEST),
    Mutation("shards swapped", bundled(SWAPPED), WEIGHTS, DIGEST),
    Mutation("weight files out of order", bundled(rearranged(*reversed(NAMES))), WEIGHTS, "the attestation"),
    Mutation("weights with another root", bundled(FILES, root="0" * 64), WEIGHTS, "another root digest"),
    Mutation("attestation changed under its signature", attested(flip_payload), WEIGHTS, "signature does not hold"),
    Mutation("attestation with a stranger's key", attested(exchange_key), WEIGHTS, "signature does not hold"),
    Mutation(
        "attestation with words before its key", attested(spell_key(lambda pem: b"mine:\n" + pem)), WEIGHTS, KEY_FAILS
    ),
    Mutation("attestation with two keys", attested(spell_key(lambda pem: pem + pem)), WEIGHTS, KEY_FAILS),
    Mutation(
        "attestation by an unknown kind of key",
        attested(spell_key(lambda _: armored(UNKNOWN_KEY))),
        WEIGHTS,
        KEY_FAILS,
    ),
    Mutation("attestation with another hint", attested(exchange_hint), WEIGHTS, "the attestation"),
    Mutation(
        "attestation without its key",
        attested(drop_key),
        WEIGHTS,
        "signature of 1 attestation was not checked",
        outcome=NOT_CHECKED,
    ),
    Mutation("attestation that no receipt names", unnamed, WEIGHTS, "no receipt here names"),
    Mutation(
        "claim with another root than the attestation's",
        claim(manifest_sha256=OWN, oms_root_sha256="0" * 64),
        WEIGHTS,
        "another root digest",
    ),
    Mutation(
        "observed weights that are not the registered ones",
        claim(assurance="files-at-load", manifest_sha256=OWN, observed_manifest_sha256="1" * 64, **SEEN),
        WEIGHTS,
        "the claim about weights",
    ),
    Mutation("closed API edited to attested", closed_to_attested, AUTHENTICITY, "the signature does not hold"),
    Mutation(
        "attestation with an unknown field",
        attested(lambda entry: entry.update(note="")),
        INTEGRITY,
        "it cannot be read",
    ),
]
