"""DSSE v1.0.2 envelopes: what exactly is signed, and how it is wrapped (receipts.md "Receipt v1").

The payload type follows from the key's purpose, so a key of one purpose cannot make an envelope of another.
"""

import base64
from typing import Any

from audit.keys.signing import EXPORT, RECEIPTS, ROOT, ROUTING, Signer

PAYLOAD_TYPES = {
    RECEIPTS: "application/vnd.in-toto+json",
    EXPORT: "application/vnd.relcontrol.export+json",
    ROUTING: "application/vnd.relcontrol.routing+json",
    ROOT: "application/vnd.relcontrol.keyring+json",
}


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: lengths before values, so that no two pairs have the same bytes."""
    kind = payload_type.encode("utf-8")
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


def sign_envelope(payload: bytes, key: Signer) -> dict[str, Any]:
    """The payload with its one signature. Raises `ValueError` if the key's purpose signs no envelopes."""
    if key.purpose not in PAYLOAD_TYPES:
        raise ValueError(f"a key for {key.purpose} signs no envelopes; use a key for {' or '.join(PAYLOAD_TYPES)}")
    payload_type = PAYLOAD_TYPES[key.purpose]
    return wrap(payload, payload_type, keyid=key.keyid, signature=key.sign(pae(payload_type, payload)))


def wrap(payload: bytes, payload_type: str, *, keyid: str, signature: bytes) -> dict[str, Any]:
    """The JSON form of an envelope, from the parts in which the database stores it."""
    return {
        "payload": base64.b64encode(payload).decode("ascii"),
        "payloadType": payload_type,
        "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode("ascii")}],
    }
