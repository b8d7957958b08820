"""What an observer saw of weight files, signed: a DSSE envelope over RFC 8785 bytes.

Pure. An observation of depth `load` is of all files; one of depth `sample` of some, and only ever says that they are
the expected ones: where a sample differs, all files are read and that is what is said. It says what was mounted where
the observer ran and when, by its own clock; not that the model server had loaded it.
"""

import base64
import binascii
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from audit.envelope import pae, wrap
from audit.weights.observer_keys import ObserverKey, ObserverPublicKey
from audit.weights.predicates import DIGEST, WeightsError, is_text
from relcontrol.bundle.canonical import MAX_INTEGER, canonical_bytes
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads

SCHEMA: Final = "relcontrol/weights-observation/v1"
PAYLOAD_TYPE: Final = "application/vnd.relcontrol.weights-observation+json"
LOAD, SAMPLE = "load", "sample"
DIGESTS: Final = ("expected_sha256", "observed_sha256", "oms_root_sha256", "keyid")
COUNTS: Final = ("files", "bytes")
FORM, LENGTH = "%Y-%m-%dT%H:%M:%S.%fZ", 27


@dataclass(frozen=True, slots=True)
class Observation:
    """Digests in hex; `files` and `bytes` are those that were read. `seed` is that of a sample, None of a load.

    `origin` is the organization that it is meant for, `observed_at` the end of the reading in the form of receipts.
    """

    origin: str
    expected_sha256: str
    observed_sha256: str
    oms_root_sha256: str
    depth: str
    files: int
    bytes: int
    seed: int | None
    observed_at: str
    keyid: str

    @property
    def moment(self) -> datetime:
        """`observed_at` as a time. Raises `ValueError` for one that `read_observation` would refuse."""
        return datetime.strptime(self.observed_at, FORM).replace(tzinfo=UTC)


def sign_observation(observation: Observation, key: ObserverKey) -> dict[str, Any]:
    """The envelope, as JSON."""
    payload = canonical_bytes({"schema": SCHEMA, **asdict(observation)})
    return wrap(payload, PAYLOAD_TYPE, keyid=observation.keyid, signature=key.sign(pae(PAYLOAD_TYPE, payload)))


def keyid_of(envelope: Any) -> str:
    """Which key an envelope says that it is by; nothing is believed of it until `read_observation` has checked that."""
    return str(_signature(envelope)["keyid"])


def read_observation(envelope: Any, key: ObserverPublicKey) -> Observation:
    """Check form and signature, the signature before what it signs is read. Raises `WeightsError`."""
    named = _signature(envelope)
    payload, signature = _base64(envelope["payload"]), _base64(named["sig"])
    key.verify(signature, pae(PAYLOAD_TYPE, payload))
    try:
        value = strict_loads(payload)
        canonical = canonical_bytes(value) == payload
    except BundleError as error:
        raise WeightsError(f"The observation is no strict JSON: {error}") from None
    expected = {"schema", *(each.name for each in fields(Observation))}
    if not canonical or not isinstance(value, dict) or set(value) != expected or value.pop("schema") != SCHEMA:
        raise WeightsError(f"The observation is no {SCHEMA} in RFC 8785 bytes.")
    return _checked(value, key)


def _checked(value: dict[str, Any], key: ObserverPublicKey) -> Observation:
    wrong = [name for name in DIGESTS if not _is_digest(value[name])]
    wrong += [name for name in COUNTS if not _is_count(value[name])]
    if not _is_moment(value["observed_at"]):
        wrong.append("observed_at")
    if not is_text(value["origin"]):
        wrong.append("origin")
    if value["depth"] not in (LOAD, SAMPLE) or (value["seed"] is None) != (value["depth"] == LOAD):
        wrong.append("depth")
    if value["seed"] is not None and not _is_count(value["seed"]):
        wrong.append("seed")
    if wrong:
        raise WeightsError(f"The observation's {', '.join(wrong)} cannot be what an observer writes.")
    found = Observation(**value)
    if found.keyid != key.keyid:
        raise WeightsError("The observation names another key than the one that signed it.")
    if found.depth == SAMPLE and found.observed_sha256 != found.expected_sha256:
        raise WeightsError("A sample that differs says nothing of the other files: read them all and send that.")
    return found


def _is_moment(text: Any) -> bool:
    if not isinstance(text, str) or len(text) != LENGTH:
        return False
    try:
        datetime.strptime(text, FORM).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INTEGER


def _signature(envelope: Any) -> dict[str, Any]:
    if isinstance(envelope, dict) and set(envelope) == {"payload", "payloadType", "signatures"}:
        signatures = envelope["signatures"]
        if envelope["payloadType"] == PAYLOAD_TYPE and isinstance(signatures, list) and len(signatures) == 1:
            one = signatures[0]
            if isinstance(one, dict) and set(one) == {"keyid", "sig"} and _is_digest(one["keyid"]):
                return one
    raise WeightsError(f"This is no DSSE envelope of type {PAYLOAD_TYPE} with one signature.")


def _base64(text: Any) -> bytes:
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        content = b""
    if not content or base64.b64encode(content).decode() != text:
        raise WeightsError("The envelope's payload and signature are base64.")
    return content
