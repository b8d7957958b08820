"""Statements about weight files as OpenSSF Model Signing v1.0 has them, signed by a publisher whom the tests know."""

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.envelope import pae
from relcontrol.bundle.canonical import canonical_bytes

STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://model_signing/signature/v1.0"
MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD = "application/vnd.in-toto+json"
FILES = {
    "config.json": "a1" * 32,
    "model/part-1.safetensors": "b2" * 32,
    "model/part-2.safetensors": "c3" * 32,
    "model.index.json": "d4" * 32,
}


def private(seed: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key that everybody knows."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(seed.encode()).digest()), ec.SECP256R1())


PUBLISHER, STRANGER = private("publisher of weights"), private("somebody else")


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as it travels in a bundle."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def named(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """How a bundle names its key."""
    raw = pem(key)
    return {
        "hint": hashlib.sha256(raw).hexdigest(),
        "rawBytes": base64.b64encode(raw).decode("ascii"),
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
    }


def predicate(files: dict[str, str] | None = None) -> dict[str, Any]:
    """`files` in the order in which they are to stand: name to digest in hex."""
    resources = [{"name": name, "algorithm": "sha256", "digest": one} for name, one in (files or FILES).items()]
    serialization = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": [".git"]}
    return {"serialization": serialization, "resources": resources}


def weights_sha256(of: dict[str, Any]) -> str:
    """What a manifest names: the digest over the whole predicate, so over names as well as contents."""
    return hashlib.sha256(canonical_bytes(of)).hexdigest()


def root_sha256(of: dict[str, Any]) -> str:
    """The root digest of model signing, over the contents alone."""
    return hashlib.sha256(b"".join(bytes.fromhex(one["digest"]) for one in of["resources"])).hexdigest()


def bundle(of: dict[str, Any], key: ec.EllipticCurvePrivateKey = PUBLISHER, *, root: str = "") -> dict[str, Any]:
    """The Sigstore bundle of the statement with this predicate, its key beside it."""
    subject = {"name": "model", "digest": {"sha256": root or root_sha256(of)}}
    statement = {"_type": STATEMENT, "subject": [subject], "predicateType": PREDICATE, "predicate": of}
    payload = json.dumps(statement, indent=2).encode()
    signature = key.sign(pae(PAYLOAD, payload), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return {
        "mediaType": MEDIA,
        "verificationMaterial": {"publicKey": named(key), "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": PAYLOAD,
            "signatures": [{"sig": base64.b64encode(signature).decode("ascii"), "keyid": ""}],
        },
    }


def attestation(of: dict[str, Any] | None = None) -> dict[str, Any]:
    """The entry of an export."""
    found = of or predicate()
    return {"weights_sha256": weights_sha256(found), "bundle": bundle(found)}
