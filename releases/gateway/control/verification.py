"""Whether a routing snapshot may serve. The code follows these steps; the first that fails refuses the snapshot.

1. The envelope is not larger than a gateway will hold.
2. It is strict JSON (RFC 8259): no duplicate key, NaN, broken UTF-8, deep nesting.
3. It is a DSSE envelope of our payload type, with exactly one signature.
4. The signature (DSSE v1.0.2, Ed25519) is that of a routing key of the trust file, in its period and not revoked.
   Nothing inside of the payload is read before this.
5. The payload is strict JSON in its RFC 8785 bytes, of our schema.
6. It is of the organization and origin that this gateway serves.
7. Its (epoch, generation) is not lower than the newest ever held: an old signed snapshot must not bring a failed
   release back.
8. Manifests hash to their SHAs and bundle digests, artifacts to their digests, and every reference resolves
   (`reading`, `bundles`).
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from audit.envelope import pae
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads
from releases.gateway.control.errors import SnapshotRefusedError
from releases.gateway.control.fields import number, refuse, text
from releases.gateway.control.reading import snapshot_of
from releases.gateway.control.snapshot import Position, ReleaseEntry, Snapshot
from releases.gateway.control.trust import RoutingKey, Served

PAYLOAD_TYPE: Final = "application/vnd.relcontrol.routing+json"
SCHEMA: Final = "relcontrol/routing/v1"
MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 72  # an artifact of the greatest depth that is hashed, inside of a release, inside of the payload
ENVELOPE_FIELDS: Final = {"payload", "payloadType", "signatures"}

# First bytes, in UTF-8, of characters from U+10000 on and of those from U+E000 to U+FFFF: only between these two does
# the order of RFC 8785 (UTF-16 code units) differ from that of Python's strings.
_BEYOND_FFFF, _FROM_E000 = re.compile(rb"[\xf0-\xf4]"), re.compile(rb"[\xee\xef]")


def verified(
    envelope: bytes,
    *,
    keys: Sequence[RoutingKey],
    organization: Served | None,
    newest: Position | None,
    now: datetime,
    known: Mapping[str, ReleaseEntry] | None = None,
) -> Snapshot:
    """The snapshot inside of these bytes, which may serve. Raises `SnapshotRefusedError`, and nothing else.

    `organization` None takes any, `newest` None is a gateway that never held one, `known` are the releases of the
    snapshot that serves now.
    """
    document = _envelope(envelope)
    payload = _signed_payload(document, keys, now)
    content = _content(payload)
    _check_owner(content, organization)
    _check_position(content, newest)
    return snapshot_of(content, known=known or {})


def _envelope(envelope: bytes) -> dict[str, Any]:
    if len(envelope) > MAX_BYTES:
        raise SnapshotRefusedError("too_large", f"expected at most {MAX_BYTES:,} bytes, got {len(envelope):,}")
    document = _strict(envelope, "envelope")
    if not isinstance(document, dict) or set(document) != ENVELOPE_FIELDS:
        raise refuse("envelope", "the envelope", f"the fields {', '.join(sorted(ENVELOPE_FIELDS))}", document)
    if document["payloadType"] != PAYLOAD_TYPE:
        raise refuse("payload_type", "payloadType", PAYLOAD_TYPE, document["payloadType"])
    return document


def _signed_payload(document: Mapping[str, Any], keys: Sequence[RoutingKey], now: datetime) -> bytes:
    payload, signatures = _base64(document["payload"], "payload"), document["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise refuse("signature", "signatures", "exactly one signature", signatures)
    if set(signatures[0]) != {"keyid", "sig"}:
        raise refuse("signature", "signatures[0]", "the fields keyid, sig", signatures[0])
    keyid, signature = signatures[0]["keyid"], _base64(signatures[0]["sig"], "signatures[0].sig")
    key = next((key for key in keys if key.keyid == keyid), None)
    if key is None:
        raise refuse("unknown_key", "signatures[0].keyid", "a routing key of the trust file", keyid)
    if objection := key.objection(now):
        raise SnapshotRefusedError("key_not_valid", f"expected a key that is valid now, but {objection}: {keyid}")
    try:
        key.public.verify(signature, pae(PAYLOAD_TYPE, payload))
    except InvalidSignature:
        raise SnapshotRefusedError("signature", f"expected a signature of the key {keyid}, got another one") from None
    return payload


def _content(payload: bytes) -> Mapping[str, Any]:
    content = _strict(payload, "payload")
    if not isinstance(content, dict):
        raise refuse("schema", "", "an object", content)
    if not _is_canonical(payload, content):
        raise SnapshotRefusedError("not_canonical", "expected the payload in its RFC 8785 bytes, got another spelling")
    if content.get("schema") != SCHEMA:
        raise refuse("schema", "schema", SCHEMA, content.get("schema"))
    return content


def _is_canonical(payload: bytes, content: Mapping[str, Any]) -> bool:
    """Whether these are the RFC 8785 bytes of `content`.

    The standard library's sorted compact form is the same bytes, but for the order of rare keys, and six times as fast;
    a hundred replicas change over at the same moment. Where it differs, the slow way has the word. A float in a field
    that nobody reads is let pass; where one is read or hashed, it is refused there.
    """
    if not (_BEYOND_FFFF.search(payload) and _FROM_E000.search(payload)):
        compact = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if compact.encode("utf-8", "surrogatepass") == payload:
            return True
    try:
        return canonical_bytes(content) == payload
    except BundleError:
        return False


def _check_owner(content: Mapping[str, Any], expected: Served | None) -> None:
    found = Served(text(content, "organization", ""), text(content, "origin", ""))
    if expected is not None and found != expected:
        raise SnapshotRefusedError(
            "organization",
            f"expected a snapshot of {expected.organization} ({expected.origin}), got one of {found.organization} "
            f"({found.origin}); a gateway serves one organization, another one needs its own token, trust and folder",
        )


def _check_position(content: Mapping[str, Any], newest: Position | None) -> None:
    position = (number(content, "epoch", "", low=1), number(content, "generation", ""))
    if newest is not None and position < newest:
        raise SnapshotRefusedError(
            "older",
            f"expected epoch {newest[0]}, generation {newest[1]} or later, got epoch {position[0]}, generation "
            f"{position[1]}; after a restored database, count the epoch on with manage.py routing-epoch",
        )


def _strict(source: bytes, name: str) -> Any:
    try:
        return strict_loads(source, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH)
    except BundleError as error:
        raise SnapshotRefusedError("not_json", f"expected strict JSON in the {name}, but: {error}") from error


def _base64(value: object, path: str) -> bytes:
    if not isinstance(value, str):
        raise refuse("envelope", path, "base64", value)
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SnapshotRefusedError("envelope", f"{path}: expected base64, got {error}") from error
    if base64.b64encode(decoded).decode("ascii") != value:
        raise refuse("envelope", path, "base64 in its one spelling", value)
    return decoded
