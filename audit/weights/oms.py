"""OpenSSF Model Signing v1.0: an in-toto statement about weight files, signed with a plain key in a Sigstore bundle.

Pure; our own thin code, as `model-signing` writes and verifies it (its method `key`, P-256). The bundle of that method
names its key by `hint` alone (SHA-256 of the PEM text). Ours carries the PEM text as well (`rawBytes`, as version 1.0
did), so that a bundle verifies by itself; that says the files were signed by that key, not whose key it is.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

from audit.envelope import PAYLOAD_TYPES, pae
from audit.keys.signing import RECEIPTS
from audit.weights.observer_keys import ObserverKey, ObserverPublicKey, load_observer_public_key
from audit.weights.predicates import DIGEST, Predicate, WeightsError, is_text, read_predicate
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE: Final = PAYLOAD_TYPES[RECEIPTS]  # in-toto's
KEY_DETAILS: Final = "PKIX_ECDSA_P256_SHA_256"
MOST_BYTES: Final = 16 * 1024 * 1024
LONGEST_NAME: Final = 200
CONTROL: Final = re.compile("[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed: the model's name, which is only informative, and its files."""

    model: str
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement with who signed it; `bundle` is the one form in which it is kept."""

    statement: Statement
    key: ObserverPublicKey
    bundle: dict[str, Any]


def statement_bytes(statement: Statement) -> bytes:
    """The statement as it is signed: RFC 8785."""
    return canonical_bytes(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": statement.model, "digest": {"sha256": statement.predicate.root_sha256}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": statement.predicate.as_json(),
        }
    )


def sign_statement(statement: Statement, key: ObserverKey) -> SignedStatement:
    """The bundle that `model_signing verify key` accepts beside the public key."""
    payload = statement_bytes(statement)
    bundle = _bundle(payload, key.sign(pae(PAYLOAD_TYPE, payload)), key.public)
    return SignedStatement(statement, key.public, bundle)


def read_bundle(value: Any, public_key: bytes | None = None) -> SignedStatement:
    """Check form, signature and root digest; the signature before what it signs is read. Raises `WeightsError`.

    `public_key`: the PEM text, needed where the bundle only hints at its key.
    """
    envelope = _envelope(value)
    named = value["verificationMaterial"].get("publicKey")
    key = _key_of(named, public_key)
    payload = _base64(envelope["payload"], "payload")
    signature = _base64(envelope["signatures"][0].get("sig"), "signature")
    key.verify(signature, pae(PAYLOAD_TYPE, payload))
    return SignedStatement(read_statement(payload), key, _bundle(payload, signature, key))


def read_statement(payload: bytes) -> Statement:
    """The statement in a payload whose signature was checked. Raises `WeightsError`."""
    try:
        value = strict_loads(payload, max_bytes=MOST_BYTES)
    except BundleError as error:
        raise WeightsError(f"The statement is no strict JSON: {error}") from None
    if not isinstance(value, dict) or set(value) != {"_type", "subject", "predicateType", "predicate"}:
        raise WeightsError("This is no in-toto statement with one subject and one predicate.")
    if (value["_type"], value["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
        raise WeightsError(f"This is no statement of OpenSSF Model Signing v1.0 ({PREDICATE_TYPE}).")
    model, root = _subject(value["subject"])
    predicate = read_predicate(value["predicate"])
    if predicate.root_sha256 != root:
        raise WeightsError(f"The statement names the root {root[:16]}, its files have {predicate.root_sha256[:16]}.")
    return Statement(model, predicate)


def _subject(value: Any) -> tuple[str, str]:
    one = value[0] if isinstance(value, list) and len(value) == 1 else None
    name, digest = (one["name"], one["digest"]) if isinstance(one, dict) and set(one) == {"name", "digest"} else ("", 0)
    root = digest["sha256"] if isinstance(digest, dict) and set(digest) == {"sha256"} else None
    named = is_text(name) and 0 < len(name) <= LONGEST_NAME and not CONTROL.search(name)
    if not named or not isinstance(root, str) or not DIGEST.fullmatch(root):
        raise WeightsError("The statement's subject is one model with its name and its root digest (SHA-256).")
    return name, root


def _envelope(value: Any) -> dict[str, Any]:
    """The DSSE envelope of a bundle whose form is right."""
    if not isinstance(value, dict) or value.get("mediaType") != MEDIA_TYPE:
        raise WeightsError(f"This is no Sigstore bundle ({MEDIA_TYPE}), as `model_signing sign key` writes one.")
    envelope, material = value.get("dsseEnvelope"), value.get("verificationMaterial")
    if set(value) != {"mediaType", "verificationMaterial", "dsseEnvelope"} or not isinstance(material, dict):
        raise WeightsError("The bundle has mediaType, verificationMaterial and dsseEnvelope, and nothing else.")
    if not set(material) <= {"publicKey", "tlogEntries"} or material.get("tlogEntries", []) != []:
        raise WeightsError("Only bundles that were signed with a plain key are read: `model_signing sign key`.")
    if not isinstance(envelope, dict) or set(envelope) != {"payload", "payloadType", "signatures"}:
        raise WeightsError("The bundle's dsseEnvelope has payload, payloadType and signatures, and nothing else.")
    signatures = envelope["signatures"]
    if envelope["payloadType"] != PAYLOAD_TYPE or not isinstance(signatures, list) or len(signatures) != 1:
        raise WeightsError(f"The envelope has the type {PAYLOAD_TYPE} and one signature.")
    one = signatures[0]
    if not isinstance(one, dict) or not {"sig"} <= set(one) <= {"sig", "keyid"} or one.get("keyid") not in (None, ""):
        raise WeightsError("The envelope's signature has a sig, and a keyid that is empty.")
    return envelope


def _key_of(named: Any, given: bytes | None) -> ObserverPublicKey:
    if not isinstance(named, dict) or not set(named) <= {"hint", "rawBytes", "keyDetails"}:
        raise WeightsError("The bundle names its key by its hint.")
    raw = _base64(named["rawBytes"], "key") if "rawBytes" in named else None
    if given is None and raw is None:
        raise WeightsError("The bundle only hints at its key: give the public key (PEM) beside it.")
    keys = [load_observer_public_key(pem) for pem in (raw, given) if pem is not None]
    hints = [key.keyid for key in keys] + ([named["hint"]] if named.get("hint") else [])
    if any(hint != hints[0] for hint in hints):
        raise WeightsError("The public key is not the one that the bundle hints at.")
    if named.get("keyDetails", KEY_DETAILS) != KEY_DETAILS:
        raise WeightsError(f"The bundle's key is said to be {named['keyDetails']!r}; only {KEY_DETAILS} is read.")
    return keys[0]


def _bundle(payload: bytes, signature: bytes, key: ObserverPublicKey) -> dict[str, Any]:
    named = {"hint": key.keyid, "rawBytes": _text(key.pem), "keyDetails": KEY_DETAILS}
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": named, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": _text(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": _text(signature), "keyid": ""}],
        },
    }


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _base64(text: Any, what: str) -> bytes:
    """Canonical base64 only: one text for one content."""
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if not content or _text(content) != text:
        raise WeightsError(f"The bundle's {what} is no base64.")
    return content
