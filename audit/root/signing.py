"""The offline root's signature under a keyring: a DSSE envelope, and the file that goes from machine to machine.

An auditor who holds the root's public key believes the keys of a keyring that it signed, without a new trust file after
each rotation. Pure: `manage.py keyring root` and `keyring sign` run where there is neither database nor network.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

from audit import verify
from audit.envelope import PAYLOAD_TYPES, pae, sign_envelope
from audit.keys.signing import ALGORITHM, ROOT, SigningKey, keyid_of
from audit.root.document import Keyring, KeyringError, read_payload
from relcontrol.bundle.canonical import strict_loads
from relcontrol.bundle.errors import BundleError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """A keyring with the envelope that holds it and the root that signed it."""

    keyring: Keyring
    envelope: Json
    root: bytes

    @property
    def root_keyid(self) -> str:
        return keyid_of(self.root)


def sign(payload: bytes, root: SigningKey) -> Signed:
    """The root's signature under a keyring; nothing else is ever signed by it. Raises `KeyringError`."""
    return Signed(read_payload(payload), sign_envelope(payload, root), root.public)


def open_envelope(envelope: Any, root: bytes) -> Signed:
    """Signature first, then the content. Raises `KeyringError`."""
    kind = PAYLOAD_TYPES[ROOT]
    if not isinstance(envelope, dict) or set(envelope) != {"payload", "payloadType", "signatures"}:
        raise KeyringError("expected a DSSE envelope: payload, payloadType, signatures")
    if envelope["payloadType"] != kind:
        raise KeyringError(f"expected the payload type {kind}, got {str(envelope['payloadType'])[:80]!r}")
    try:
        [signature] = envelope["signatures"]
        payload = verify.decode_base64(envelope["payload"], "payload")
        verify.verify_signature(root, verify.decode_base64(signature["sig"], "sig"), pae(kind, payload))
    except (verify.SignatureError, verify.FormError, KeyError, TypeError, ValueError) as error:
        raise KeyringError(f"expected one signature by the root {keyid_of(root)}: {error}") from error
    if set(signature) != {"keyid", "sig"} or signature["keyid"] != keyid_of(root):
        raise KeyringError(f"expected a signature by the root {keyid_of(root)}, got one that names another key")
    return Signed(read_payload(payload), envelope, root)


def public_json(public: bytes) -> Json:
    """A root's public half, as trust files name it."""
    return {"keyid": keyid_of(public), "alg": ALGORITHM, "public_key": base64.b64encode(public).decode("ascii")}


def file_text(signed: Signed) -> str:
    """What the offline machine hands back: `{keyring: envelope, root}` as JSON."""
    return json.dumps({"keyring": signed.envelope, "root": public_json(signed.root)}, indent=2)


def read_file(text: bytes) -> Signed:
    """The same, opened. Whether the root is the right one is for the caller to say. Raises `KeyringError`."""
    try:
        content = strict_loads(text)
        public = verify.decode_base64(content["root"]["public_key"], "root.public_key")
        named = public_json(public) == content["root"] and set(content) == {"keyring", "root"}
    except (BundleError, verify.FormError, KeyError, TypeError) as error:
        raise KeyringError(f"expected the file that `keyring sign` wrote: {error}") from error
    if not named:
        raise KeyringError("expected the file that `keyring sign` wrote, with a root that names its own key")
    return open_envelope(content["keyring"], public)
