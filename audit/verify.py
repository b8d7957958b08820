#!/usr/bin/env python3
"""Verify a relcontrol export offline, without trusting whoever issued it.

    python3 verify.py FILE --trust trust.json [--head SEQ:HASH] [--json] [--quiet]

One file, standard library only (`cryptography` is used for speed where it is importable; the verdict is the same
without it). The code below follows these steps; a step that finds something raises or records a `VerificationError`
that names the check, the receipt's seq and hash, what was expected and what was there.

 1. Read FILE as strict RFC 8785 JSON: no duplicate key, float, NaN, unknown field, nesting over 32.
 2. Take the keys from the trust file. Without one, take those inside FILE: "self-consistent" is then the most
    that can be said, because whoever forged the receipts would have put their own keys there.
 3. Check the signature of the export's manifest by an `export` key, and only then read it: digests of all parts.
 4. Of each receipt check the signature by a `receipts` key, and only then read it: canonical bytes, closed schema,
    key id repeated inside, key in its period, right customer.
 5. Walk the chains: order, duplicates, forks, links to the receipt before (of the organization and of the release),
    gaps where the scope allows none, a clock that never runs backwards.
 6. Check every opening against the commitment that a receipt made.
 7. Check that each receipt's claim about model weights is consistent in itself.
 8. Compare with a head (seq and hash) that the auditor already holds, if one is given.
 9. Give six verdicts apart: INTEGRITY, AUTHENTICITY, TIME, COMPLETENESS, WEIGHTS, COVERAGE.

Exit code: 0 all hold; 1 something failed; 2 usage (a file that cannot be read, a broken trust file); 3 nothing failed,
but something was not checked, and the verdict says what.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

INTEGRITY, AUTHENTICITY, TIME = "INTEGRITY", "AUTHENTICITY", "TIME"
COMPLETENESS, WEIGHTS, COVERAGE = "COMPLETENESS", "WEIGHTS", "COVERAGE"
CHECKS = (INTEGRITY, AUTHENTICITY, TIME, COMPLETENESS, WEIGHTS, COVERAGE)
HOLDS, FAILS, NOT_CHECKED = "holds", "fails", "not checked"

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://relcontrol.dev/attestation/release-receipt/v1"
RECEIPT_SPEC = "relcontrol/receipt/v1"
EXPORT_SCHEMA = "relcontrol/export/v1"
PAYLOAD_TYPES = {"receipts": "application/vnd.in-toto+json", "export": "application/vnd.relcontrol.export+json"}
GENESIS_PREFIX = b"relcontrol/genesis/v1\0"
COMMITMENT_PREFIX = b"relcontrol/commit/v1\0"

MAX_DEPTH = 32
MAX_INTEGER = 2**53 - 1
MAX_PAYLOAD_BYTES = 256 * 1024
MAX_FILE_BYTES = 1024**3
SHOWN_FAILURES = 20

EVENT_FAMILIES = {
    "release": "registered archived",
    "gate": "passed failed held overridden carried signed_off",
    "override": "requested rejected withdrawn expired",
    "rollout": "started paused resumed halted aborted completed",
    "checkpoint": "promoted held waiting_review",
    "rollback": "auto manual rehearsed",
    "observer": "armed refused",
    "drift": "alarmed",
    "desired_state": "reconciled",
    "policy": "changed",
    "judge": "calibrated",
    "suite": "imported",
    "ratings": "added",
    "case": "allowlisted",
    "artifact": "created",
    "weights": "observed drifted",
    "organization": "changed",
    "application": "changed",
    "route": "changed",
    "endpoint": "changed",
    "member": "changed",
    "token": "changed",
    "key": "rotated revoked",
    "breakglass": "used",
    "anchor": "made",
    "export": "issued",
    "disclosure": "erased",
    "retention": "expired",
}
EVENTS = frozenset(f"{family}.{word}" for family, words in EVENT_FAMILIES.items() for word in words.split())
DELIVERY_FAMILIES = frozenset({"release", "rollout", "checkpoint", "rollback"})
GATE_FAMILIES = frozenset({"gate", "override"})
APPLICATION_FAMILIES = frozenset({"application", "route"})


# ── What goes wrong ─────────────────────────────────────────────────────────────────────────────────────────────────


class VerificationError(Exception):
    """One failed check. `report` is set on the error that `verify_document` raises: all verdicts, all failures."""

    report: Report | None = None

    def __init__(
        self,
        check: str,
        detail: str,
        *,
        expected: str,
        got: str,
        seq: int | None = None,
        receipt_hash: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.check = check
        self.detail = detail
        self.expected = expected
        self.got = got
        self.seq = seq
        self.receipt_hash = receipt_hash

    def __str__(self) -> str:
        place = f"seq {self.seq if self.seq is not None else 'unknown'}, hash {self.receipt_hash or 'none'}"
        return f"{self.check} {place}: {self.detail}; expected {self.expected}; got {self.got}"

    def as_dict(self) -> dict[str, Any]:
        """For `--json` and for the receipt page."""
        return {
            "check": self.check,
            "seq": self.seq,
            "receipt_hash": self.receipt_hash,
            "detail": self.detail,
            "expected": self.expected,
            "got": self.got,
        }


class TrustError(ValueError):
    """The trust file or the known head cannot be used: nothing can be verified with it."""


class FormError(ValueError):
    """Bytes or values that do not have the form they must have, and where (`predicate.chain.seq`)."""

    def __init__(self, path: str, expected: str, got: str) -> None:
        super().__init__(f"{path or 'the whole'}: expected {expected}, got {got}")
        self.path = path
        self.expected = expected
        self.got = got


class SignatureError(ValueError):
    """The signature was not made by this key over these bytes."""


@dataclass
class Place:
    """Where in the file we are, for the failure's message; seq and hash as soon as they are known."""

    name: str
    seq: int | None = None
    receipt_hash: str | None = None

    def failure(self, check: str, detail: str, *, expected: str, got: str) -> VerificationError:
        return VerificationError(
            check,
            f"{self.name}: {detail}" if self.name else detail,
            expected=expected,
            got=got,
            seq=self.seq,
            receipt_hash=self.receipt_hash,
        )

    @contextmanager
    def blaming(self, check: str, detail: str) -> Iterator[None]:
        """Turn a `FormError` inside the block into a failure of `check` here."""
        try:
            yield
        except FormError as error:
            where = f"{detail}, {error.path}" if error.path else detail
            raise self.failure(check, where, expected=error.expected, got=error.got) from error


def _show(value: object) -> str:
    """A value for a message: printable ASCII, cut, safe for a terminal."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"an integer of {value.bit_length()} bits"
    shown = ascii(value)
    return shown if len(shown) <= 120 else f"{shown[:117]}..."


# ── Step 1: strict JSON, RFC 8785 bytes, strict base64 ──────────────────────────────────────────────────────────────


def read_json(text: bytes) -> Any:
    """UTF-8 JSON without duplicate keys, floats, NaN or integers over 2^53−1."""
    try:
        return json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_int=_exact_integer,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except FormError:
        raise
    except RecursionError:
        raise FormError("", f"nesting of at most {MAX_DEPTH}", "deeper nesting") from None
    except ValueError as error:
        raise FormError("", "JSON in UTF-8", _show(str(error))) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise FormError("", "every key once", f"{_show(twice)} twice")
    return value


def _exact_integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MAX_INTEGER:
        raise FormError("", "an integer of at most 2^53-1", _show(digits))
    return int(digits)


def _refuse_number(digits: str) -> NoReturn:
    raise FormError("", "integers and decimal strings only", _show(digits))


_quote = json.JSONEncoder(ensure_ascii=False).encode


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of a value made of objects, arrays, strings, integers, booleans and null."""
    pieces: list[str] = []
    _write(value, pieces.append, 0)
    try:
        return "".join(pieces).encode("utf-8")
    except UnicodeEncodeError:
        raise FormError("", "text without lone surrogates", "a lone surrogate") from None


def _write(value: Any, put: Callable[[str], None], depth: int) -> None:
    if isinstance(value, str):
        put(_quote(value))
    elif value is None or value is True or value is False:
        put({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        put(str(_exact(value)))
    elif depth == MAX_DEPTH:
        raise FormError("", f"nesting of at most {MAX_DEPTH}", "deeper nesting")
    elif isinstance(value, dict):
        _write_object(value, put, depth + 1)
    elif isinstance(value, list):
        _write_array(value, put, depth + 1)
    else:
        raise FormError("", "objects, arrays, strings, integers, booleans, null", _show(value))


def _write_object(value: dict[str, Any], put: Callable[[str], None], depth: int) -> None:
    """Keys in the order of their UTF-16 code units (RFC 8785, 3.2.3): not the order of code points."""
    separator = "{"
    for key in sorted(value, key=_utf16):
        put(separator)
        put(_quote(key))
        put(":")
        _write(value[key], put, depth)
        separator = ","
    put("}" if value else "{}")


def _write_array(value: list[Any], put: Callable[[str], None], depth: int) -> None:
    separator = "["
    for item in value:
        put(separator)
        _write(item, put, depth)
        separator = ","
    put("]" if value else "[]")


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise FormError("", "text as key", _show(key))
    return key.encode("utf-16-be", "surrogatepass")


def _exact(value: int) -> int:
    if abs(value) > MAX_INTEGER:
        raise FormError("", "an integer of at most 2^53-1", _show(value))
    return value


def read_canonical(text: bytes) -> Any:
    """Strict JSON that is also its own RFC 8785 form, byte for byte."""
    value = read_json(text)
    require_same_bytes(text, canonical_json(value))
    return value


def require_same_bytes(text: bytes, canonical: bytes) -> None:
    """Refuse another spelling of the same JSON; name the first byte that differs."""
    if text == canonical:
        return
    shorter = min(len(text), len(canonical))
    at = next((i for i in range(shorter) if text[i] != canonical[i]), shorter)
    raise FormError(f"byte {at}", f"canonical JSON {_show(canonical[at : at + 20])}", _show(text[at : at + 20]))


def decode_base64(text: str, path: str) -> bytes:
    """Standard base64 with padding; another spelling of the same bytes is refused."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormError(path, "base64", _show(str(error))) from None
    if base64.b64encode(raw).decode("ascii") != text:
        raise FormError(path, "canonical base64", _show(text[-12:]))
    return raw


# ── Steps 3 and 4: Ed25519 (RFC 8032) and DSSE ──────────────────────────────────────────────────────────────────────

_Point = tuple[int, int, int, int]  # extended homogeneous coordinates (X, Y, Z, T), RFC 8032 section 5.1.4
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_NEUTRAL: _Point = (0, 1, 1, 0)


def verify_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Ed25519, strictly: S < L, canonical points, no key of small order. Returns, or raises `SignatureError`."""
    usable_public_key(public)
    if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= _ORDER:
        raise SignatureError("a signature of 64 bytes whose S is below the group order is needed")
    accelerated = _accelerated()
    holds = (accelerated or _holds)(public, signature, message)
    if not holds:
        raise SignatureError("the signature was not made by this key over these bytes")


@lru_cache(maxsize=1)
def _accelerated() -> Callable[[bytes, bytes, bytes], bool] | None:
    """The same equation by the `cryptography` package, some hundred times faster, where it is installed."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        return None

    def holds(public: bytes, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return holds


def _holds(public: bytes, signature: bytes, message: bytes) -> bool:
    """RFC 8032 section 5.1.7 without the cofactor: the encoding of S·B − h·A is R."""
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    s, h = int.from_bytes(signature[32:], "little"), int.from_bytes(challenge, "little") % _ORDER
    return _encode_point(_add(_multiply(s, _base_table()), _multiply(h, _negated_table(public)))) == signature[:32]


@lru_cache(maxsize=256)
def usable_public_key(public: bytes) -> None:
    """Refuse what is no point, another spelling of one, or of small order (a signature for every message)."""
    point = _decode_point(public)
    for _ in range(3):
        point = _add(point, point)
    if _encode_point(point) == _encode_point(_NEUTRAL):
        raise FormError("public_key", "a key of large order", "a point of small order")


def _add(a: _Point, b: _Point) -> _Point:
    """Complete addition on the twisted Edwards curve, RFC 8032 section 5.1.4."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    left, right = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    cross, double = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = right - left, double - cross, double + cross, right + left
    return (e * f % _P, g * h % _P, f * g % _P, e * h % _P)


def _decode_point(encoded: bytes) -> _Point:
    """RFC 8032 section 5.1.3; a y of p or more, and −0 as x, are refused."""
    if len(encoded) != 32:
        raise FormError("public_key", "32 bytes", f"{len(encoded)} bytes")
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = _recover_x(y) if y < _P else None
    if x is None or (x == 0 and sign):
        raise FormError("public_key", "a point of edwards25519 in its one encoding", encoded.hex())
    if x & 1 != sign:
        x = _P - x
    return (x, y, 1, x * y % _P)


def _recover_x(y: int) -> int | None:
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _SQRT_MINUS_ONE % _P
    return None if (x * x - square) % _P else x


def _encode_point(point: _Point) -> bytes:
    x, y, z, _ = point
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return int.to_bytes(y | (x & 1) << 255, 32, "little")


def _windows(point: _Point) -> list[list[_Point]]:
    """Row i holds 0, 1, … 15 times 16^i times the point: a product is then 64 additions."""
    rows = []
    for _ in range(64):
        row = [_NEUTRAL]
        for _ in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[-1], point)
    return rows


@lru_cache(maxsize=1)
def _base_table() -> list[list[_Point]]:
    return _windows(_decode_point(b"\x58" + b"\x66" * 31))


@lru_cache(maxsize=16)
def _negated_table(public: bytes) -> list[list[_Point]]:
    x, y, z, t = _decode_point(public)
    return _windows((_P - x, y, z, _P - t))


def _multiply(scalar: int, table: list[list[_Point]]) -> _Point:
    product = _NEUTRAL
    for row in table:
        product = _add(product, row[scalar & 15])
        scalar >>= 4
    return product


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE v1.0.2 pre-authentication encoding: what is signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


# ── The closed schema ───────────────────────────────────────────────────────────────────────────────────────────────

Form = Callable[[Any, str], None]


def _matching(pattern: str, meaning: str) -> Form:
    compiled = re.compile(pattern)

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or not compiled.fullmatch(value):
            raise FormError(path, meaning, _show(value))

    return check


def _text(limit: int) -> Form:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or not 0 < len(value) <= limit:
            raise FormError(path, f"text of 1 to {limit} characters", _show(value))

    return check


def _one_of(*values: str) -> Form:
    known = frozenset(values)
    expected = " or ".join(values) if len(values) < 10 else f"one of {len(values)} known words"

    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value not in known:
            raise FormError(path, expected, _show(value))

    return check


def _integer(least: int) -> Form:
    def check(value: Any, path: str) -> None:
        if type(value) is not int or not least <= value <= MAX_INTEGER:
            raise FormError(path, f"an integer from {least} to 2^53-1", _show(value))

    return check


def _moment(value: Any, path: str) -> None:
    _TIME_FORM(value, path)
    try:
        datetime.fromisoformat(value[:-1])
    except ValueError:
        raise FormError(path, "a moment that exists", _show(value)) from None


def _nullable(form: Form) -> Form:
    def check(value: Any, path: str) -> None:
        if value is not None:
            form(value, path)

    return check


def _array(form: Form, least: int = 0, most: int = MAX_INTEGER) -> Form:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise FormError(path, "an array" if least != most else f"an array of {most}", _show(value))
        for index, item in enumerate(value):
            form(item, f"{path}[{index}]")

    return check


def _table(key: Form, form: Form) -> Form:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise FormError(path, "an object", _show(value))
        for name, item in value.items():
            key(name, path)
            form(item, f"{path}[{_show(name)}]")

    return check


def _record(forms: Mapping[str, Form], optional: Iterable[str] = ()) -> Form:
    required = frozenset(forms) - frozenset(optional)

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise FormError(path, "an object", _show(value))
        inside = f"{path}." if path else ""
        for name in required - value.keys():
            raise FormError(f"{inside}{name}", "this field", "nothing")
        for name, item in value.items():
            if name not in forms:
                raise FormError(path, "only known fields", f"unknown field {_show(name)}")
            forms[name](item, f"{inside}{name}")

    return check


def _anything(value: Any, path: str) -> None:
    """A value whose form is not this verifier's business."""


_SHA256 = _matching(r"[0-9a-f]{64}", "a SHA-256 in lower-case hex")
_TIME_FORM = _matching(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", "UTC with microseconds, 27 characters"
)
_ORIGIN = _matching(r"[!-~]{1,300}", "a chain origin: 1 to 300 printable ASCII characters")
_WORD = _matching(r"[a-z0-9][a-z0-9_.:+-]{0,119}", "a word in lower case")
_SLUG = _matching(r"[a-z0-9][a-z0-9-]{0,62}", "the slug of an application")
_NAME = _matching(r"[^\x00-\x1f\x7f]{1,300}", "text of 1 to 300 characters on one line")
_DELIVERY = _one_of("registered", "rolling", "stable", "superseded", "halted", "rolled_back", "archived")
_DECIMAL = _matching(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", "a decimal number as text")

_STATEMENT = _record(
    {
        "_type": _one_of(STATEMENT_TYPE),
        "subject": _array(_record({"name": _NAME, "digest": _record({"sha256": _SHA256})}), 1, 1),
        "predicateType": _one_of(PREDICATE_TYPE),
        "predicate": _record(
            {
                "spec": _one_of(RECEIPT_SPEC),
                "event": _one_of(*EVENTS),
                "event_id": _matching(r"rcp_[0-9a-hjkmnp-tv-z]{26}", "a receipt id, rcp_ and 26 characters"),
                "issued_at": _moment,
                "occurred_at": _moment,
                "chain": _record(
                    {
                        "customer": _ORIGIN,
                        "seq": _integer(1),
                        "prev": _SHA256,
                        "release_seq": _nullable(_integer(1)),
                        "release_prev": _nullable(_SHA256),
                        "last_anchor": _nullable(_SHA256),
                    }
                ),
                "signer": _record({"keyid": _SHA256, "role": _one_of("receipts")}),
                "actor": _record(
                    {
                        "kind": _one_of("person", "service", "system"),
                        "id": _NAME,
                        "auth": _nullable(_WORD),
                        "session": _nullable(_NAME),
                        "signature_meaning": _nullable(_NAME),
                    }
                ),
                "application": _nullable(_SLUG),
                "release": _record(
                    {"manifest_sha256": _nullable(_SHA256), "id": _nullable(_NAME), "route": _nullable(_NAME)}
                ),
                "delivery": _record({"from": _nullable(_DELIVERY), "to": _DELIVERY}),
                "decision": _record(
                    {
                        "policy": _nullable(_record({"id": _NAME, "revision": _integer(0), "sha256": _SHA256})),
                        "inputs": _array(
                            _record(
                                {
                                    "metric": _NAME,
                                    "slice": _nullable(_NAME),
                                    "value": _nullable(_DECIMAL),
                                    "threshold": _nullable(_DECIMAL),
                                    "op": _nullable(_one_of(">=", ">", "<=", "<", "==", "!=")),
                                    "verdict": _WORD,
                                    "evidence": _nullable(_text(4000)),
                                    "n": _nullable(_integer(0)),
                                    "evidence_sha256": _nullable(_SHA256),
                                }
                            )
                        ),
                        "outcome": _WORD,
                        "override": _nullable(
                            _record(
                                {
                                    "gate_override_sha256": _SHA256,
                                    "slices": _array(_NAME),
                                    "accepted_levels": _table(_NAME, _nullable(_DECIMAL)),
                                    "reason": _text(8000),
                                    "requested_by": _NAME,
                                    "approved_by": _nullable(_NAME),
                                    "expires_at": _nullable(_moment),
                                }
                            )
                        ),
                    }
                ),
                "weights": _table(_NAME, _anything),
                "commitments": _array(_record({"field": _NAME, "commitment": _SHA256})),
                "retention": _record({"class": _WORD, "until": _nullable(_moment)}),
                "build": _record({"version": _NAME, "commit": _nullable(_NAME)}),
            },
            optional=["application", "delivery"],  # the first receipts of all did not name an application
        ),
    }
)

_NOT_CLAIMED = _record(
    {
        "provenance": _one_of("not-claimed"),
        "reason": _one_of("closed-api", "no-weights-digest"),
        "provider": _NAME,
        "model": _NAME,
        "assurance": _one_of("none"),
    }
)
_ATTESTED = _record(
    {
        "provenance": _one_of("attested"),
        "assurance": _one_of("declared", "files-at-load", "files-sampled"),
        "manifest_sha256": _nullable(_SHA256),
        "oms_root_sha256": _nullable(_SHA256),
        "observed_manifest_sha256": _nullable(_SHA256),
        "observed_at": _nullable(_moment),
        "observer_keyid": _nullable(_SHA256),
    }
)
_NOT_APPLICABLE = _record(
    {"provenance": _one_of("not-applicable"), "reason": _one_of("no-release"), "assurance": _one_of("none")}
)
_WEIGHTS = {"not-claimed": _NOT_CLAIMED, "attested": _ATTESTED, "not-applicable": _NOT_APPLICABLE}

_KEY = _record(
    {
        "keyid": _SHA256,
        "alg": _one_of("ed25519"),
        "public_key": _text(64),
        "purpose": _one_of("receipts", "export", "log", "routing"),
        "from": _moment,
        "to": _nullable(_moment),
        "revoked_at": _nullable(_moment),
        "reason": _nullable(_text(1000)),
    },
    optional=["revoked_at", "reason"],
)
_TRUST = _record(
    {
        "organization": _NAME,
        "origin": _ORIGIN,
        "keys": _array(_KEY),
        "witnesses": _array(_anything),
        "tsa_roots": _array(_anything),
    }
)
_SIGNATURE = _record({"keyid": _SHA256, "sig": _text(200)})
_ENVELOPE = _record(
    {"payload": _text(MAX_FILE_BYTES), "payloadType": _text(200), "signatures": _array(_SIGNATURE, 1, 1)}
)
_OPENING = _record(
    {
        "receipt_hash": _SHA256,
        "field": _NAME,
        "salt": _matching(r"([0-9a-f]{2}){16,64}", "a salt of at least 16 bytes in lower-case hex"),
        "value": _anything,
    }
)
_PARTS = ("checkpoints", "keys", "openings", "receipts")
_DOCUMENT = _record(
    {
        "checkpoints": _array(_anything, 0, 0),
        "keys": _array(_KEY),
        "manifest": _anything,
        "openings": _array(_anything),
        "receipts": _array(_anything),
    }
)
_RANGE: dict[str, Form] = {"from": _nullable(_moment), "to": _nullable(_moment)}
_SCOPES = {
    "application": _record({"application": _NAME, **_RANGE}),
    "organization": _record({"organization": _anything, **_RANGE}),
    "release": _record({"release": _SHA256, **_RANGE}),
}
_MANIFEST = _record(
    {
        "schema": _one_of(EXPORT_SCHEMA),
        "export_id": _matching(r"exp_[0-9a-hjkmnp-tv-z]{26}", "an export id, exp_ and 26 characters"),
        "scope": _anything,
        "created_at": _moment,
        "origin": _ORIGIN,
        "signer": _record({"keyid": _SHA256, "role": _one_of("export")}),
        "parts": _record(dict.fromkeys(_PARTS, _SHA256)),
        "counts": _record(dict.fromkeys(_PARTS, _integer(0))),
    }
)


def check_statement(statement: Any) -> None:
    """The closed schema of a receipt, with the rules between its fields. Raises `FormError` with the field's path."""
    _STATEMENT(statement, "")
    predicate = statement["predicate"]
    _check_release(predicate)
    _check_application(predicate)
    _check_subject(statement["subject"][0], predicate["release"]["manifest_sha256"])
    _require(
        ("delivery" in predicate) == (_family(predicate) in DELIVERY_FAMILIES),
        "predicate.delivery",
        "on events of releases, rollouts, checkpoints and rollbacks, and on no other",
        predicate["event"],
    )
    fields = [commitment["field"] for commitment in predicate["commitments"]]
    _require(len(set(fields)) == len(fields), "predicate.commitments", "one commitment for each field", fields)


def _check_release(predicate: Mapping[str, Any]) -> None:
    release, chain = predicate["release"], predicate["chain"]
    named, seq, prev = release["manifest_sha256"] is not None, chain["release_seq"], chain["release_prev"]
    label = "predicate.chain"
    _require(named == (seq is not None), f"{label}.release_seq", "a number if there is a release, else null", seq)
    first = seq in (None, 1)
    _require((prev is None) == first, f"{label}.release_prev", "null on the release's first receipt, else a hash", prev)
    label = "predicate.release"
    _require(named or release["id"] is None, f"{label}.id", "null without a manifest", release["id"])
    _require(named or release["route"] is None, f"{label}.route", "null without a manifest", release["route"])
    if _family(predicate) in GATE_FAMILIES:
        bare = release["id"] is None and release["route"] is None
        _require(bare, label, "the manifest alone in a receipt of a gate", release)
    if _family(predicate) in DELIVERY_FAMILIES | GATE_FAMILIES:
        _require(named, f"{label}.manifest_sha256", "a manifest on this event", predicate["event"])


def _check_application(predicate: Mapping[str, Any]) -> None:
    """What is about a release, an application or a route names the application; what serves several names none."""
    if "application" not in predicate:
        return
    must = predicate["release"]["manifest_sha256"] is not None or _family(predicate) in APPLICATION_FAMILIES
    named = predicate["application"] is not None
    _require(named or not must, "predicate.application", "the slug of an application on this event", None)


def _check_subject(subject: Mapping[str, Any], manifest_sha256: str | None) -> None:
    if manifest_sha256 is None:
        _require(":" in subject["name"], "subject[0].name", "<kind>:<id> without a release", subject["name"])
        return
    _require(subject["name"] == "manifest", "subject[0].name", "manifest", subject["name"])
    same = subject["digest"]["sha256"] == manifest_sha256
    _require(same, "subject[0].digest.sha256", manifest_sha256, subject["digest"]["sha256"])


def _family(predicate: Mapping[str, Any]) -> str:
    return str(predicate["event"]).partition(".")[0]


def _require(holds: bool, path: str, expected: str, got: object) -> None:
    if not holds:
        raise FormError(path, expected, _show(got))


def check_weights(statement: Mapping[str, Any]) -> None:
    """Step 7: one of three shapes, never more assurance than observed. Raises `FormError`."""
    predicate = statement["predicate"]
    weights, path = predicate["weights"], "predicate.weights"
    provenance = weights.get("provenance")
    _one_of(*_WEIGHTS)(provenance, f"{path}.provenance")
    _WEIGHTS[provenance](weights, path)
    without_release = predicate["release"]["manifest_sha256"] is None
    _require(
        (provenance == "not-applicable") == without_release,
        f"{path}.provenance",
        "not-applicable without a release, a claim or its refusal with one",
        provenance,
    )
    if provenance == "attested":
        _check_attested(weights, path, predicate["event"])


def _check_attested(weights: Mapping[str, Any], path: str, event: str) -> None:
    """Declared weights were seen by nobody; all others by somebody, and are the registered ones."""
    observation = [weights["observed_manifest_sha256"], weights["observed_at"], weights["observer_keyid"]]
    if weights["assurance"] == "declared":
        _require(observation == [None] * 3, path, "no observation with assurance declared", observation)
        return
    _require(
        None not in observation, path, f"who saw what and when, with assurance {weights['assurance']}", observation
    )
    registered, observed = weights["manifest_sha256"], weights["observed_manifest_sha256"]
    _require(registered is not None, f"{path}.manifest_sha256", "the registered weights", registered)
    drifted = event == "weights.drifted"
    _require(
        (registered == observed) != drifted,
        f"{path}.observed_manifest_sha256",
        "another digest than the registered one" if drifted else _show(registered),
        observed,
    )


# ── Step 2: trust ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Key:
    """A public key, what it may sign, and when (both ends included)."""

    keyid: str
    public: bytes
    purpose: str
    start: str
    end: str | None
    revoked_at: str | None


@dataclass(frozen=True)
class Trust:
    """The keys to verify with. `external`: given by the auditor, not found inside the file."""

    origin: str | None
    keys: Mapping[str, Key]
    external: bool = True


def read_trust(trust: Any) -> Trust:
    """A parsed `trust.json` as the auditor was given it. Raises `TrustError`."""
    try:
        _TRUST(trust, "")
        return Trust(origin=trust["origin"], keys=_read_keys(trust["keys"]))
    except FormError as error:
        raise TrustError(f"the trust file is not usable: {error}") from None


def _read_keys(entries: Sequence[Mapping[str, Any]]) -> dict[str, Key]:
    keys: dict[str, Key] = {}
    for index, entry in enumerate(entries):
        key = _read_key(entry, f"keys[{index}]")
        _require(key.keyid not in keys, f"keys[{index}].keyid", "each key once", key.keyid)
        keys[key.keyid] = key
    return keys


def _read_key(entry: Mapping[str, Any], path: str) -> Key:
    public = decode_base64(entry["public_key"], f"{path}.public_key")
    usable_public_key(public)
    keyid = hashlib.sha256(public).hexdigest()
    _require(entry["keyid"] == keyid, f"{path}.keyid", f"SHA-256 of the key, {keyid}", entry["keyid"])
    return Key(keyid, public, entry["purpose"], entry["from"], entry["to"], entry.get("revoked_at"))


# ── Steps 3 and 4: signature first, then the content ────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Statement:
    """A receipt whose signature, form and signer were checked."""

    value: dict[str, Any] = field(repr=False)
    receipt_hash: str
    key: Key = field(repr=False)

    @property
    def predicate(self) -> dict[str, Any]:
        predicate: dict[str, Any] = self.value["predicate"]
        return predicate

    @property
    def seq(self) -> int:
        return int(self.predicate["chain"]["seq"])

    @property
    def issued_at(self) -> str:
        return str(self.predicate["issued_at"])

    @property
    def application(self) -> str | None:
        name: str | None = self.predicate.get("application")
        return name

    @property
    def manifest_sha256(self) -> str | None:
        sha256: str | None = self.predicate["release"]["manifest_sha256"]
        return sha256

    def place(self) -> Place:
        return Place("", self.seq, self.receipt_hash)


def verify_envelope(envelope: Any, trust: Mapping[str, Any]) -> Statement:
    """One receipt alone against a trust file: steps 4 and 7. Returns its statement or raises `VerificationError`."""
    statement = _open_receipt(envelope, read_trust(trust), None, Place("receipt"))
    _check_weights_of(statement)
    return statement


def _open_envelope(envelope: Any, purpose: str, trust: Trust, place: Place) -> tuple[bytes, Key]:
    """The signed bytes and who signed them; nothing of the payload is read before the signature holds."""
    with place.blaming(INTEGRITY, "the envelope"):
        _ENVELOPE(envelope, "")
        expected = PAYLOAD_TYPES[purpose]
        _require(envelope["payloadType"] == expected, "payloadType", expected, envelope["payloadType"])
        payload = decode_base64(envelope["payload"], "payload")
        signature = decode_base64(envelope["signatures"][0]["sig"], "signatures[0].sig")
        place.receipt_hash = hashlib.sha256(payload).hexdigest()
        _require(len(payload) <= MAX_PAYLOAD_BYTES, "payload", f"at most {MAX_PAYLOAD_BYTES} bytes", len(payload))
    key = _key_for(envelope["signatures"][0]["keyid"], purpose, trust, place)
    try:
        verify_signature(key.public, signature, pae(expected, payload))
    except SignatureError as error:
        raise place.failure(
            AUTHENTICITY, "the signature does not hold", expected=f"a signature by key {key.keyid}", got=str(error)
        ) from None
    return payload, key


def _key_for(keyid: str, purpose: str, trust: Trust, place: Place) -> Key:
    key = trust.keys.get(keyid)
    if key is None:
        source = "the trust file" if trust.external else "the export itself"
        raise place.failure(AUTHENTICITY, "signed by an unknown key", expected=f"a key of {source}", got=keyid)
    if key.purpose != purpose:
        got = f"{key.purpose}, key {keyid}"
        raise place.failure(AUTHENTICITY, "signed by a key of another purpose", expected=f"purpose {purpose}", got=got)
    return key


def _check_signer(key: Key, signer: Mapping[str, Any], moment: str, place: Place) -> None:
    """The key id outside is unauthenticated: it must be repeated inside, and the key be valid at that moment."""
    if signer["keyid"] != key.keyid:
        raise place.failure(AUTHENTICITY, "the signer inside differs", expected=key.keyid, got=signer["keyid"])
    if moment < key.start or (key.end is not None and moment > key.end):
        period = f"a moment from {key.start} to {key.end or 'now'}, when key {key.keyid} was in use"
        raise place.failure(AUTHENTICITY, "signed outside the key's period", expected=period, got=moment)
    if key.revoked_at is not None and moment >= key.revoked_at:
        raise place.failure(
            AUTHENTICITY, "signed by a revoked key", expected=f"before {key.revoked_at}, key {key.keyid}", got=moment
        )


def _open_receipt(envelope: Any, trust: Trust, origin: str | None, place: Place) -> Statement:
    payload, key = _open_envelope(envelope, "receipts", trust, place)
    with place.blaming(INTEGRITY, "the statement"):
        value = read_canonical(payload)
        check_statement(value)
    statement = Statement(value, hashlib.sha256(payload).hexdigest(), key)
    place.seq = statement.seq
    _check_signer(key, statement.predicate["signer"], statement.issued_at, place)
    customer, owner = statement.predicate["chain"]["customer"], trust.origin or origin
    if owner is not None and customer != owner:
        raise place.failure(AUTHENTICITY, "a receipt of another customer", expected=owner, got=customer)
    return statement


def _check_weights_of(statement: Statement) -> str:
    """The claim in words, if it is consistent."""
    with statement.place().blaming(WEIGHTS, "the claim about weights"):
        check_weights(statement.value)
    weights = statement.predicate["weights"]
    if weights["provenance"] == "attested":
        return f"open weights, {weights['assurance']}"
    if weights["provenance"] == "not-applicable":
        return "without a release"
    return "closed API, not claimed" if weights["reason"] == "closed-api" else "not claimed, as no digest was given"


# ── Step 5: the chains ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Scope:
    """What the export says it holds. `kind` is empty where its manifest could not be believed."""

    kind: str = ""
    name: str = ""
    start: str | None = None
    end: str | None = None

    @property
    def words(self) -> str:
        limits = "".join([f" from {self.start}" if self.start else "", f" until {self.end}" if self.end else ""])
        return f"{self.kind or 'unknown'}{' ' + self.name if self.name else ''}{limits}"


def _read_scope(scope: Any) -> Scope:
    _require(isinstance(scope, dict), "scope", "an object", scope)
    kind = next((kind for kind in _SCOPES if kind in scope), "")
    _require(bool(kind), "scope", "organization, application or release", scope)
    _SCOPES[kind](scope, "scope")
    if kind == "organization":
        _require(scope[kind] is True, "scope.organization", "true", scope[kind])
    return Scope(kind, "" if kind == "organization" else _printable(scope[kind]), scope["from"], scope["to"])


def _printable(name: str) -> str:
    return name if name.isascii() and name.isprintable() else ascii(name)


def genesis_prev(origin: str) -> str:
    """What the first receipt of a chain points to."""
    return hashlib.sha256(GENESIS_PREFIX + origin.encode("utf-8")).hexdigest()


def check_link(previous: Statement, current: Statement) -> None:
    """`current` comes after `previous` in the chain; directly after it, it links to it. Raises the first failure."""
    for failure in _link_failures(previous, current):
        raise failure


def _link_failures(previous: Statement, current: Statement) -> Iterator[VerificationError]:
    place = current.place()
    if current.seq <= previous.seq:
        expected = f"a seq over {previous.seq}"
        yield place.failure(INTEGRITY, _disorder(previous, current), expected=expected, got=f"{current.seq}")
    elif current.seq == previous.seq + 1 and current.predicate["chain"]["prev"] != previous.receipt_hash:
        yield place.failure(
            INTEGRITY,
            "the link to the receipt before is broken",
            expected=f"prev {previous.receipt_hash}",
            got=current.predicate["chain"]["prev"],
        )
    if current.seq > previous.seq and current.issued_at < previous.issued_at:
        expected = f"{previous.issued_at} or later"
        yield place.failure(TIME, "issued before the receipt in front of it", expected=expected, got=current.issued_at)


def _disorder(previous: Statement, current: Statement) -> str:
    if current.seq < previous.seq:
        return "out of order"
    if current.receipt_hash == previous.receipt_hash:
        return "the same receipt twice"
    return "a fork: two receipts with one seq"


def _same_application(last: Statement | None, current: Statement) -> Iterator[VerificationError]:
    """A release belongs to one application; a receipt from before applications were named says nothing of it."""
    expected, got = last.application if last else None, current.application
    if expected and got and expected != got:
        detail = "the receipts of one release name two applications"
        yield current.place().failure(INTEGRITY, detail, expected=expected, got=got)


@dataclass
class _Walk:
    """Step 5 over the receipts that could be opened; `None` stands for one that could not."""

    scope: Scope
    receipts: Sequence[Statement | None]
    gaps: int = 0
    seen: dict[str, int] = field(default_factory=dict)
    releases: dict[str, Statement] = field(default_factory=dict)

    def failures(self) -> Iterator[VerificationError]:
        """Every failure of order, links, gaps, clock and scope."""
        previous: Statement | None = None
        unread, complete = 0, all(receipt is not None for receipt in self.receipts)
        for current in self.receipts:
            if current is None:
                unread += 1
                continue
            yield from self._once_failures(current)
            yield from self._scope_failures(current)
            if previous is not None:
                yield from _link_failures(previous, current)
            elif not unread:
                yield from self._first_failures(current)
            yield from self._gap_failures(previous.seq if previous else 0, current, unread)
            yield from self._release_failures(current, complete=complete)
            previous, unread = current, 0

    def _once_failures(self, current: Statement) -> Iterator[VerificationError]:
        """An event id, or a predecessor, belongs to one receipt."""
        chain = current.predicate["chain"]
        for name, value in (("event_id", current.predicate["event_id"]), ("prev", chain["prev"])):
            earlier = self.seen.setdefault(f"{name} {value}", current.seq)
            if earlier != current.seq:
                detail = "a fork: two receipts after one" if name == "prev" else "an event twice"
                yield current.place().failure(
                    INTEGRITY, detail, expected=f"another {name} than seq {earlier}", got=value
                )

    def _scope_failures(self, current: Statement) -> Iterator[VerificationError]:
        scope, place = self.scope, current.place()
        if scope.kind == "release" and current.manifest_sha256 != scope.name:
            got = current.manifest_sha256 or "no release"
            yield place.failure(INTEGRITY, "a receipt of another release", expected=scope.name, got=got)
        if scope.kind == "application" and current.application != scope.name:
            got = current.application or "no application"
            yield place.failure(INTEGRITY, "a receipt of another application", expected=scope.name, got=got)
        early = scope.start is not None and current.issued_at < scope.start
        if early or (scope.end is not None and current.issued_at >= scope.end):
            yield place.failure(
                INTEGRITY, "outside the export's time range", expected=scope.words, got=current.issued_at
            )

    def _first_failures(self, current: Statement) -> Iterator[VerificationError]:
        chain = current.predicate["chain"]
        genesis = genesis_prev(chain["customer"])
        if (current.seq == 1) != (chain["prev"] == genesis):
            expected = f"prev {genesis}" if current.seq == 1 else "seq 1 after the genesis"
            got = f"seq {current.seq}, prev {chain['prev']}"
            detail = "the chain does not begin at its genesis"
            yield current.place().failure(INTEGRITY, detail, expected=expected, got=got)

    def _gap_failures(self, before: int, current: Statement, unread: int) -> Iterator[VerificationError]:
        """Missing receipts: counted everywhere, a failure where the scope allows none."""
        missing = current.seq - before - 1 - unread
        if missing <= 0 or (before == 0 and self.scope.start is not None):
            return
        self.gaps += 1
        if self.scope.kind == "organization":
            yield current.place().failure(
                COMPLETENESS,
                f"{missing} missing before this one",
                expected=f"seq {current.seq - missing}",
                got=f"seq {current.seq}",
            )

    def _release_failures(self, current: Statement, *, complete: bool) -> Iterator[VerificationError]:
        """The same rules along the chain of one release."""
        release, chain, place = current.manifest_sha256, current.predicate["chain"], current.place()
        if release is None:
            return
        last = self.releases.get(release)
        self.releases[release] = current
        before = last.predicate["chain"]["release_seq"] if last else 0
        seq, prev = chain["release_seq"], chain["release_prev"]
        gapless = complete and bool(self.scope.kind) and (last or not self.scope.start)
        expected, got = f"release_seq {before + 1}", f"release_seq {seq}"
        yield from _same_application(last, current)
        if seq <= before:
            yield place.failure(INTEGRITY, "out of order in its release", expected=expected, got=got)
        elif last and seq == before + 1 and prev != last.receipt_hash:
            detail = "the link to the release's receipt before is broken"
            yield place.failure(INTEGRITY, detail, expected=f"release_prev {last.receipt_hash}", got=prev)
        elif seq > before + 1 and gapless:
            yield place.failure(COMPLETENESS, "a receipt of this release is missing", expected=expected, got=got)


# ── Step 6: openings ────────────────────────────────────────────────────────────────────────────────────────────────


def commitment(name: str, salt: str, value: Any) -> str:
    """The digest by which a receipt commits to a value that it does not show."""
    return hashlib.sha256(COMMITMENT_PREFIX + canonical_json([name, salt, value])).hexdigest()


def _check_opening(
    opening: Any, commitments: Mapping[tuple[str, str], tuple[int, str]], place: Place
) -> tuple[str, str]:
    with place.blaming(COVERAGE, "the opening"):
        _OPENING(opening, "")
    key = (opening["receipt_hash"], opening["field"])
    place.receipt_hash = opening["receipt_hash"]
    if key not in commitments:
        expected = "a commitment that a receipt in this export made to this field"
        raise place.failure(COVERAGE, "opens nothing", expected=expected, got=_show(key[1]))
    place.seq, expected = commitments[key]
    with place.blaming(COVERAGE, "the value"):
        got = commitment(opening["field"], opening["salt"], opening["value"])
    if got != expected:
        detail = f"the value of {_show(key[1])} is not the one committed to"
        raise place.failure(COVERAGE, detail, expected=expected, got=got)
    return key


# ── Step 8: a head that the auditor holds ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Head:
    """The newest receipt of the organization's chain that the auditor knows of, from an earlier visit or a witness."""

    seq: int
    receipt_hash: str


def read_head(text: str) -> Head:
    """`SEQ:HASH`. Raises `TrustError`."""
    match = re.fullmatch(r"([1-9][0-9]{0,15}):([0-9a-f]{64})", text.strip())
    if match is None:
        raise TrustError(f"a known head is written SEQ:HASH (or is a file that holds that), not {_show(text[:80])}")
    return Head(int(match[1]), match[2])


def _check_head(head: Head, receipts: Sequence[Statement], scope: Scope) -> bool:
    """True: the chain reaches the head. False: this scope cannot tell. Raises where it contradicts the head."""
    place = Place("the known head", head.seq, head.receipt_hash)
    found = next((receipt for receipt in receipts if receipt.seq == head.seq), None)
    if found is not None and found.receipt_hash != head.receipt_hash:
        detail = "another receipt stands where the known one stood"
        raise place.failure(COMPLETENESS, detail, expected=head.receipt_hash, got=found.receipt_hash)
    if scope.kind != "organization":
        return False
    last = receipts[-1].seq if receipts else 0
    if found is None and scope.end is None and last < head.seq:
        expected, got = f"a chain up to seq {head.seq}", f"up to seq {last}"
        raise place.failure(COMPLETENESS, "the tail is cut off", expected=expected, got=got)
    return found is not None


# ── Step 9: the document and its verdicts ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Verdict:
    """One of the six, with what it proves and what it does not."""

    check: str
    outcome: str
    proves: str
    does_not_prove: str


@dataclass(frozen=True)
class Report:
    """All verdicts and failures of one export, and its last receipt: the head to keep for the next visit."""

    export_id: str | None
    origin: str | None
    scope: str
    receipts: int
    head: Head | None
    verdicts: tuple[Verdict, ...]
    failures: tuple[VerificationError, ...]

    @property
    def exit_code(self) -> int:
        if self.failures:
            return 1
        return 0 if all(verdict.outcome == HOLDS for verdict in self.verdicts) else 3

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "export_id": self.export_id,
            "origin": self.origin,
            "scope": self.scope,
            "receipts": self.receipts,
            "head": f"{self.head.seq}:{self.head.receipt_hash}" if self.head else None,
            "verdicts": [vars(verdict) for verdict in self.verdicts],
            "failures": [failure.as_dict() for failure in self.failures],
            "exit_code": self.exit_code,
        }


def _part_failures(
    manifest: Mapping[str, Any], document: Mapping[str, Any], encoded: Mapping[str, bytes]
) -> Iterator[VerificationError]:
    """Step 3: each part is the one that the manifest was signed over."""
    for name in _PARTS:
        place, digest, count = (
            Place(f"the part {name!r}"),
            hashlib.sha256(encoded[name]).hexdigest(),
            len(document[name]),
        )
        stated, counted = manifest["parts"][name], manifest["counts"][name]
        if digest != stated:
            yield place.failure(INTEGRITY, "not the part that was exported", expected=stated, got=digest)
        if count != counted:
            yield place.failure(INTEGRITY, "another number of entries", expected=f"{counted}", got=f"{count}")


@dataclass
class _Examination:
    """One run over one document: what was found so far."""

    trust: Trust | None
    known_head: Head | None
    failures: list[VerificationError] = field(default_factory=list)
    manifest: dict[str, Any] | None = None
    scope: Scope = field(default_factory=Scope)
    total: int = 0
    opened: list[Statement | None] = field(default_factory=list)
    gaps: int = 0
    commitments: int = 0
    openings: int = 0
    claims: Counter[str] = field(default_factory=Counter)
    reaches_head: bool = False

    @property
    def receipts(self) -> list[Statement]:
        return [statement for statement in self.opened if statement is not None]

    def attempt(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Do one step; a failure is kept, so that the others are still done."""
        try:
            return step(*arguments)
        except VerificationError as failure:
            self.failures.append(failure)
            return None

    def run(self, text: bytes) -> None:
        """Steps 1 to 8."""
        document = self.attempt(self._read, text)
        if document is None:
            return
        self.total = len(document["receipts"])
        encoded = self.attempt(self._encode, document, text)
        trust = self.trust or self.attempt(self._inside_trust, document) or Trust(None, {}, external=False)
        self.manifest = self.attempt(self._read_manifest, document, trust)
        if self.manifest is not None and encoded is not None:
            self.failures.extend(_part_failures(self.manifest, document, encoded))
        self._open_all(document["receipts"], trust)
        walk = _Walk(self.scope, self.opened)
        self.failures.extend(walk.failures())
        self.gaps = walk.gaps
        receipts = self.receipts
        self._open_commitments(document["openings"], receipts)
        claims = (self.attempt(_check_weights_of, statement) for statement in receipts)
        self.claims = Counter(claim for claim in claims if claim is not None)
        if self.known_head is not None:
            self.reaches_head = bool(self.attempt(_check_head, self.known_head, receipts, self.scope))

    def _read(self, text: bytes) -> dict[str, Any]:
        with Place("the file").blaming(INTEGRITY, "it cannot be read"):
            document: dict[str, Any] = read_json(text)
            _DOCUMENT(document, "")
        return document

    def _encode(self, document: dict[str, Any], text: bytes) -> dict[str, bytes]:
        """The canonical bytes of each part; together they must be the bytes of the file."""
        with Place("the file").blaming(INTEGRITY, "it is not in canonical form"):
            encoded = {name: canonical_json(document[name]) for name in sorted(document)}
            pieces = b",".join(b'"%b":%b' % (name.encode(), part) for name, part in encoded.items())
            require_same_bytes(text, b"{" + pieces + b"}")
        return encoded

    def _inside_trust(self, document: dict[str, Any]) -> Trust:
        with Place("the export's own keys").blaming(INTEGRITY, "unusable"):
            return Trust(None, _read_keys(document["keys"]), external=False)

    def _read_manifest(self, document: dict[str, Any], trust: Trust) -> dict[str, Any]:
        """Step 3."""
        place = Place("the export's manifest")
        payload, key = _open_envelope(document["manifest"], "export", trust, place)
        with place.blaming(INTEGRITY, "its content"):
            manifest: dict[str, Any] = read_canonical(payload)
            _MANIFEST(manifest, "")
            scope = _read_scope(manifest["scope"])
        _check_signer(key, manifest["signer"], manifest["created_at"], place)
        if trust.origin is not None and manifest["origin"] != trust.origin:
            raise place.failure(
                AUTHENTICITY, "an export of another customer", expected=trust.origin, got=manifest["origin"]
            )
        self.scope = scope
        return manifest

    def _open_all(self, envelopes: Sequence[Any], trust: Trust) -> None:
        """Step 4. In a whole chain a receipt's place in the file is its seq, known before it may be read."""
        origin = self.manifest["origin"] if self.manifest else None
        whole = self.scope.kind == "organization" and self.scope.start is None
        for index, envelope in enumerate(envelopes):
            place = Place(f"receipts[{index}]", index + 1 if whole else None)
            self.opened.append(self.attempt(_open_receipt, envelope, trust, origin, place))

    def _open_commitments(self, openings: Sequence[Any], receipts: Sequence[Statement]) -> None:
        """Step 6."""
        made = {
            (statement.receipt_hash, entry["field"]): (statement.seq, entry["commitment"])
            for statement in receipts
            for entry in statement.predicate["commitments"]
        }
        opened: set[tuple[str, str]] = set()
        for index, opening in enumerate(openings):
            place = Place(f"openings[{index}]")
            key = self.attempt(_check_opening, opening, made, place)
            if key in opened:
                detail = f"{_show(key[1])} is opened a second time"
                self.failures.append(place.failure(COVERAGE, detail, expected="one opening", got="another"))
            elif key is not None:
                opened.add(key)
        self.commitments, self.openings = len(made), len(opened)

    def report(self) -> Report:
        receipts, manifest = self.receipts, self.manifest
        return Report(
            export_id=manifest["export_id"] if manifest else None,
            origin=manifest["origin"] if manifest else None,
            scope=self.scope.words,
            receipts=self.total,
            head=Head(receipts[-1].seq, receipts[-1].receipt_hash) if receipts else None,
            verdicts=tuple(self._verdict(check) for check in CHECKS),
            failures=tuple(self.failures),
        )

    def _verdict(self, check: str) -> Verdict:
        """Without every receipt and the manifest, what did not fail was not wholly checked either."""
        outcome, proves, limits = {
            INTEGRITY: self._integrity,
            AUTHENTICITY: self._authenticity,
            TIME: self._time,
            COMPLETENESS: self._completeness,
            WEIGHTS: self._weights,
            COVERAGE: self._coverage,
        }[check]()
        failed = sum(failure.check == check for failure in self.failures)
        if failed:
            return Verdict(check, FAILS, f"{failed} failure{'s' if failed > 1 else ''}, named below.", limits)
        if self.manifest is None or len(self.receipts) < self.total:
            return Verdict(check, NOT_CHECKED, "Not everything could be read: see the failures below.", limits)
        return Verdict(check, outcome, proves, limits)

    def _integrity(self) -> tuple[str, str, str]:
        return (
            HOLDS,
            f"Every byte is as it was signed, and the links between the {self.total} receipts here are unbroken.",
            "Not who signed, nor that nothing is missing at the end.",
        )

    def _authenticity(self) -> tuple[str, str, str]:
        limits = "Not that the holder of the key told the truth, nor that the key was never stolen."
        if self.trust is None:
            own = "Self-consistent only: the keys came with the file, and anybody can make such a file. Give --trust."
            return NOT_CHECKED, own, limits
        late = sum(statement.key.revoked_at is not None for statement in self.receipts)
        if late:
            limits += (
                f" {late} rely on a key revoked later: only an outside clock could show that they are not back-dated."
            )
        return HOLDS, f"All signatures are by keys of {self.trust.origin} that your trust file names.", limits

    def _time(self) -> tuple[str, str, str]:
        return (
            NOT_CHECKED,
            "No outside clock in this export; the issuer's own clock never ran backwards.",
            "Not when anything happened: the times are the issuer's own statement.",
        )

    def _completeness(self) -> tuple[str, str, str]:
        tail = "A cut tail cannot be seen from inside: only a later head or a witness shows it."
        if self.scope.kind != "organization":
            return NOT_CHECKED, *self._partly_complete(tail)
        begin = f"from seq {self.receipts[0].seq}" if self.scope.start and self.receipts else "from the genesis"
        if self.known_head is not None and self.reaches_head:
            proves = f"Nothing is missing {begin} to the head that you hold, seq {self.known_head.seq}."
            return HOLDS, proves, "Not what was issued after that head."
        return NOT_CHECKED, f"No gap {begin} to the last receipt here; no head to compare with (--head).", tail

    def _partly_complete(self, tail: str) -> tuple[str, str]:
        """What the receipts of a release or an application prove of themselves, and what only the whole chain does."""
        counted = f"{self.gaps} gap{'' if self.gaps == 1 else 's'}"
        gaps = f"{counted} in the organization's chain, as expected of a part of it."
        span = "between its first and its last here" if self.scope.start else "before its last"
        if self.scope.kind == "release":
            return f"No receipt of this release is missing {span}; {gaps}", tail
        if self.scope.kind == "application":
            known = "Every receipt here was signed as one of this application, and no release here misses one"
            limits = (
                "Not that every release and route of it is here: one that was left out whole is a gap like any other. "
                f"Only an export of the organization shows that. {tail}"
            )
            return f"{known} {span}; {gaps}", limits
        return f"{gaps[0].upper()}{gaps[1:]}", tail

    def _weights(self) -> tuple[str, str, str]:
        counted = "; ".join(f"{count} {claim}" for claim, count in sorted(self.claims.items())) or "no receipts"
        return (
            HOLDS,
            f"The claims are consistent in themselves: {counted}.",
            "Not which weights served: nothing is said of what is not claimed, and nobody saw declared weights.",
        )

    def _coverage(self) -> tuple[str, str, str]:
        closed = self.commitments - self.openings
        limits = "Not the truth of a value, only that it is the one committed to; closed values stay unknown."
        proves = f"{self.openings} of {self.commitments} commitments are opened here, and match; {closed} stay closed."
        return (NOT_CHECKED if closed else HOLDS), proves, limits


def verify_document(text: bytes, trust: Mapping[str, Any] | None, head: Head | None = None) -> Report:
    """Verify an export. Returns the report if nothing failed, else raises the first failure with `report` set.

    Raises `TrustError` if the trust file itself is unusable.
    """
    examination = _Examination(None if trust is None else read_trust(trust), head)
    examination.run(text)
    report = examination.report()
    if report.failures:
        failure = report.failures[0]
        failure.report = report
        raise failure
    return report


# ── Command line ────────────────────────────────────────────────────────────────────────────────────────────────────


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the files, verify, print; the exit code is the verdict."""
    options = _parser().parse_args(arguments)
    try:
        text = _read_file(options.file, "the export")
        trust = _load_trust(options.trust) if options.trust else None
        head = _load_head(options.head) if options.head else None
        report = _examine(text, trust, head)
    except TrustError as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        print("\n".join(_lines(report, quiet=options.quiet)), end="\n" if report.failures or not options.quiet else "")
    return report.exit_code


def _examine(text: bytes, trust: Mapping[str, Any] | None, head: Head | None) -> Report:
    try:
        return verify_document(text, trust, head)
    except VerificationError as failure:
        assert failure.report is not None
        return failure.report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Verify a relcontrol export offline. "
        "Exit 0: all holds, 1: something failed, 2: usage, 3: something was not checked.",
        epilog="Example: python3 verify.py export.json --trust trust.json --head 41:9f2c...",
    )
    parser.add_argument("file", metavar="FILE", help="the export, a JSON file")
    parser.add_argument("--trust", metavar="FILE", help="trust.json, given to you by another way than the export")
    parser.add_argument("--head", metavar="SEQ:HASH", help="the newest receipt you know of, or a file with SEQ:HASH")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="print failures only")
    return parser


def _read_file(name: str, what: str) -> bytes:
    path = Path(name)
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TrustError(f"{what} {name} is larger than {MAX_FILE_BYTES} bytes")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise TrustError(f"{what} cannot be read: {error}") from None


def _load_trust(name: str) -> Any:
    try:
        return read_json(_read_file(name, "the trust file"))
    except FormError as error:
        raise TrustError(f"the trust file is not usable: {error}") from None


def _load_head(text: str) -> Head:
    if re.match("[0-9]+:", text):
        return read_head(text)
    return read_head(_read_file(text, "the known head").decode("utf-8", "replace"))


def _lines(report: Report, *, quiet: bool) -> Iterator[str]:
    if not quiet:
        head = f", head {report.head.seq}:{report.head.receipt_hash}" if report.head else ""
        yield f"export {report.export_id or 'unknown'} of {report.origin or 'unknown'}"
        yield f"scope {report.scope}, {report.receipts} receipts{head}"
        yield ""
        for verdict in report.verdicts:
            yield f"{verdict.check:<13} {verdict.outcome:<12} {verdict.proves}"
            yield f"{'':<26} {verdict.does_not_prove}"
    for failure in report.failures[:SHOWN_FAILURES]:
        yield f"FAILED {failure}"
    hidden = len(report.failures) - SHOWN_FAILURES
    if hidden > 0:
        yield f"and {hidden} more failures (--json lists all)"


if __name__ == "__main__":
    sys.exit(main())
