#!/usr/bin/env python3
"""Verify a relcontrol export offline, without trusting whoever issued it.

    python3 verify.py FILE --trust trust.json [--head SEQ:HASH | --head head.txt] [--json] [--quiet]

FILE is an export as JSON, or the ZIP that holds it. One file, standard library only: `cryptography` is used for speed
where it is importable, and for the P-256 signatures of weight attestations; `rfc3161-client` for time stamps. Without
them the verdicts say what was not checked. The code below follows these steps; a step that finds something raises or
records a `VerificationError` that names the check, the receipt's seq and hash, what was expected and what was there.

 1. Read FILE as strict RFC 8785 JSON: no duplicate key, float, NaN, unknown field, nesting over 32. A ZIP must be, byte
    for byte, the one that can be made anew of its files.
 2. Take the keys from the trust file, and those of a keyring that its root signed. Without a trust file, take those
    inside FILE: "self-consistent" is then the most that can be said, because whoever forged the receipts would have put
    their own keys there.
 3. Check the signature of the export's manifest by an `export` key, and only then read it: digests of all parts. The
    same for the ZIP's manifest: digests of all files.
 4. Of each receipt check the signature by a `receipts` key, and only then read it: canonical bytes, closed schema,
    key id repeated inside, key in its period, right customer.
 5. Walk the chains: order, duplicates, forks, links to the receipt before (of the organization and of the release),
    gaps where the scope allows none, a clock that never runs backwards.
 6. Check every opening against the commitment that a receipt made.
 7. Check that each receipt's claim about model weights is consistent in itself and with the attestation of them.
 8. Check the log: each checkpoint's signature by a `log` key and its root, which all receipts together or a proof for
    each lead to; each anchor against the receipt that tells of it; the heads of releases that anchors commit to.
 9. Check what outsiders attest: time stamps (no receipt is later than the stamp over it, nor earlier than the anchor
    that it comes after) and the cosignatures of witnesses.
10. Compare with a head that the auditor already holds, if one is given: seq and hash, or a signed checkpoint.
11. Compare a ZIP's loose files, and what its report embeds, with the export.
12. Give six verdicts apart: INTEGRITY, AUTHENTICITY, TIME, COMPLETENESS, WEIGHTS, COVERAGE.

Exit code: 0 all hold; 1 something failed; 2 usage (a file that cannot be read, a broken trust file); 3 nothing failed,
but something was not checked, and the verdict says what. What each verdict proves, and what it does not, and every
format to the byte: docs/receipts.md.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

INTEGRITY, AUTHENTICITY, TIME = "INTEGRITY", "AUTHENTICITY", "TIME"
COMPLETENESS, WEIGHTS, COVERAGE = "COMPLETENESS", "WEIGHTS", "COVERAGE"
CHECKS = (INTEGRITY, AUTHENTICITY, TIME, COMPLETENESS, WEIGHTS, COVERAGE)
HOLDS, FAILS, NOT_CHECKED = "holds", "fails", "not checked"

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://relcontrol.dev/attestation/release-receipt/v1"
RECEIPT_SPEC = "relcontrol/receipt/v1"
EXPORT_SCHEMAS = ("relcontrol/export/v1", "relcontrol/export/v2")
ARCHIVE_SCHEMA = "relcontrol/bundle/v1"
KEYRING_SCHEMA = "relcontrol/keyring/v1"
PAYLOAD_TYPES = {
    "receipts": "application/vnd.in-toto+json",
    "export": "application/vnd.relcontrol.export+json",
    "root": "application/vnd.relcontrol.keyring+json",
}
GENESIS_PREFIX = b"relcontrol/genesis/v1\0"
COMMITMENT_PREFIX = b"relcontrol/commit/v1\0"
PERSONAL_PREFIX = "personal."

MAX_DEPTH = 32
DEEPEST_READ = 64  # what is deeper is not even read: no value that was read is too deep to be shown or walked
MAX_INTEGER = 2**53 - 1
MAX_PAYLOAD_BYTES = 256 * 1024
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
MAX_FILE_BYTES = 1024**3
MAX_NOTE_SIGNATURES = 64
SHOWN_FAILURES = 20
NONE_BEYOND = "None beyond what the links show:"
TOLERANCE = timedelta(seconds=60)  # between the issuer's clock and an outside one

ANCHOR_MADE = "anchor.made"
ANCHOR_KINDS = ("rfc3161", "witness", "webhook", "file")
ANCHOR_METRICS = ("log", "checkpoint", "release_heads", "anchor")
NOTE_KEY, COSIGNATURE_KEY = 1, 4  # types of keys of signed notes
OMS_PREDICATE_TYPE = "https://model_signing/signature/v1.0"
BUNDLE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

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
    """UTF-8 JSON without duplicate keys, floats, NaN, integers over 2^53−1 or nesting that nobody writes."""
    if _deepest(text, DEEPEST_READ) > DEEPEST_READ:
        raise FormError("", f"nesting of at most {MAX_DEPTH}", "deeper nesting")
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
    except ValueError as error:
        raise FormError("", "JSON in UTF-8", _show(str(error))) from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = {sys.intern(key): item for key, item in pairs}  # ten thousand receipts have one text of each key
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
_spell = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_QUOTE = ord('"')
# Brackets, and strings, which may hold brackets; one without an end goes to the end, so that none is looked at twice.
_BRACKETS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)


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


def respelling(text: bytes) -> Callable[[Any], bytes]:
    """What `canonical_json` does, faster, for values that `read_json` read from this text.

    It is Python's own encoder where that writes the same: it sorts keys by code points, and has no limit of depth.
    """
    if _deepest(text, MAX_DEPTH) > MAX_DEPTH or re.search(rb"[\xf0-\xff]", text):
        return canonical_json
    return _spell_bytes


def _deepest(text: bytes, limit: int) -> int:
    """How deep this JSON nests; only looked at closely, and no further than that, where it could be over the limit."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return 0
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        mark = text[found.start()]
        if mark != _QUOTE:
            depth += 1 if mark in b"[{" else -1
            deepest = max(deepest, depth)
            if deepest > limit:
                break
    return deepest


def _spell_bytes(value: Any) -> bytes:
    try:
        return _spell(value).encode("utf-8")
    except UnicodeEncodeError:
        raise FormError("", "text without lone surrogates", "a lone surrogate") from None


def read_canonical(text: bytes) -> Any:
    """Strict JSON that is also its own RFC 8785 form, byte for byte."""
    value = read_json(text)
    require_same_bytes(text, respelling(text)(value))
    return value


def require_same_bytes(text: bytes, canonical: bytes) -> None:
    """Refuse another spelling of the same JSON; name the first byte that differs."""
    if text != canonical:
        at = _first_difference(text, canonical)
        raise FormError(f"byte {at}", f"canonical JSON {_show(canonical[at : at + 20])}", _show(text[at : at + 20]))


def _first_difference(found: bytes | memoryview, made: bytes) -> int:
    return next((i for i, (a, b) in enumerate(zip(found, made, strict=False)) if a != b), min(len(found), len(made)))


def after_same_bytes(text: bytes, at: int, pieces: Iterable[bytes]) -> int:
    """Where the text goes on after these pieces of canonical JSON, which must stand there."""
    for piece in pieces:
        if not text.startswith(piece, at):
            found = text[at : at + len(piece)]
            differs = _first_difference(found, piece)
            wanted, got = piece[differs : differs + 20], found[differs : differs + 20]
            raise FormError(f"byte {at + differs}", f"canonical JSON {_show(wanted)}", _show(got))
        at += len(piece)
    return at


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
        exists = value[11:13] != "24"  # which Python takes for midnight since 3.14
    except ValueError:
        exists = False
    _require(exists, path, "a moment that exists", value)


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
    left_out = frozenset(optional)
    required = [name for name in forms if name not in left_out]  # in their order: the first one missing is named

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise FormError(path, "an object", _show(value))
        inside = f"{path}." if path else ""
        for name in required:
            if name not in value:
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
_KEY_NAME = r"[^\s+\x00-\x1f\ufeff]"  # U+FEFF is a space to some regular expressions: the same here and in verify.html
_WITNESS_NAME = _matching(rf"{_KEY_NAME}{{1,300}}", "the name of a witness's key, without spaces and plus signs")
_ROOT_KEY = _record({"keyid": _SHA256, "alg": _one_of("ed25519"), "public_key": _text(64)})
_TRUST = _record(
    {
        "organization": _NAME,
        "origin": _ORIGIN,
        "keys": _array(_KEY),
        "witnesses": _array(_record({"name": _WITNESS_NAME, "public_key": _text(64), "vkey": _text(500)})),
        "tsa_roots": _array(_text(100_000)),
        "root": _ROOT_KEY,
    },
    optional=["root"],
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
_BASE64 = _matching(r"[A-Za-z0-9+/]*=*", "base64")
_PLAIN_PARTS = {"keys": _array(_KEY), "openings": _array(_anything), "receipts": _array(_anything)}
_ANCHOR = _record({"receipt_hash": _SHA256, "kind": _one_of(*ANCHOR_KINDS), "checkpoint": _SHA256, "evidence": _BASE64})
_HEAD = _record(
    {
        "checkpoint": _SHA256,
        "manifest_sha256": _SHA256,
        "release_seq": _integer(1),
        "receipt_hash": _SHA256,
        "index": _integer(0),
        "count": _integer(1),
        "proof": _array(_text(44)),
    }
)
_PARTS: tuple[dict[str, Form], ...] = (
    {"checkpoints": _array(_anything, 0, 0), **_PLAIN_PARTS},
    {
        "anchors": _array(_ANCHOR),
        "asides": _array(_anything),
        "attestations": _array(_record({"weights_sha256": _SHA256, "bundle": _anything})),
        "checkpoints": _array(_record({"note": _text(MAX_PAYLOAD_BYTES)})),
        "heads": _array(_HEAD),
        "keyring": _anything,
        "proofs": _array(_record({"receipt_hash": _SHA256, "proof": _text(MAX_PAYLOAD_BYTES)})),
        **_PLAIN_PARTS,
    },
)
_DOCUMENTS = tuple(_record({**parts, "manifest": _anything}) for parts in _PARTS)
_RANGE: dict[str, Form] = {"from": _nullable(_moment), "to": _nullable(_moment)}
_SCOPES = {
    "application": _record({"application": _NAME, **_RANGE}),
    "organization": _record({"organization": _anything, **_RANGE}),
    "person": _record({"person": _NAME, **_RANGE}),
    "release": _record({"release": _SHA256, **_RANGE}),
}
_SIGNED_BY_EXPORT: dict[str, Form] = {
    "export_id": _matching(r"exp_[0-9a-hjkmnp-tv-z]{26}", "an export id, exp_ and 26 characters"),
    "created_at": _moment,
    "origin": _ORIGIN,
    "signer": _record({"keyid": _SHA256, "role": _one_of("export")}),
}
_OPENS: tuple[dict[str, Form], ...] = ({}, {"opens": _one_of("all", "impersonal", "nothing")})
_MANIFESTS = tuple(
    _record(
        {
            "schema": _one_of(schema),
            "scope": _anything,
            "parts": _record(dict.fromkeys(parts, _SHA256)),
            "counts": _record(dict.fromkeys(parts, _integer(0))),
            **opens,
            **_SIGNED_BY_EXPORT,
        }
    )
    for schema, parts, opens in zip(EXPORT_SCHEMAS, _PARTS, _OPENS, strict=True)
)
_FILE_NAME = _matching(r"README\.txt|[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?", "the name of a file of an export")
_ARCHIVE = _record(
    {
        "schema": _one_of(ARCHIVE_SCHEMA),
        "files": _table(_FILE_NAME, _record({"sha256": _SHA256, "size": _integer(0)})),
        **_SIGNED_BY_EXPORT,
    }
)
_KEYRING = _record(
    {
        "schema": _one_of(KEYRING_SCHEMA),
        "sequence": _integer(1),
        "issued_at": _moment,
        "origins": _array(_ORIGIN),
        "keys": _array(_KEY),
    }
)
_ANCHOR_INPUTS = _array(_anything, len(ANCHOR_METRICS), len(ANCHOR_METRICS))
_BUNDLE = _record(
    {
        "mediaType": _one_of(BUNDLE_MEDIA_TYPE),
        "verificationMaterial": _record(
            {
                "publicKey": _record(
                    {"hint": _SHA256, "rawBytes": _BASE64, "keyDetails": _one_of("PKIX_ECDSA_P256_SHA_256")},
                    optional=["rawBytes", "keyDetails"],
                ),
                "tlogEntries": _array(_anything, 0, 0),
            }
        ),
        "dsseEnvelope": _record(
            {
                "payload": _text(MAX_FILE_BYTES),
                "payloadType": _one_of(PAYLOAD_TYPES["receipts"]),
                "signatures": _array(_record({"sig": _text(400), "keyid": _one_of("")}), 1, 1),
            }
        ),
    }
)
_OMS_STATEMENT = _record(
    {
        "_type": _one_of(STATEMENT_TYPE),
        "subject": _array(_record({"name": _NAME, "digest": _record({"sha256": _SHA256})}), 1, 1),
        "predicateType": _one_of(OMS_PREDICATE_TYPE),
        "predicate": _record(
            {
                "serialization": _table(_NAME, _anything),
                "resources": _array(
                    _record({"name": _text(4000), "algorithm": _one_of("sha256"), "digest": _SHA256}), 1
                ),
            }
        ),
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
class Witness:
    """Somebody outside who is trusted to see the log grow."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """How lines of a note name this key."""
        return note_key_id(self.name, COSIGNATURE_KEY, self.public)


@dataclass(frozen=True)
class Trust:
    """What to verify with. `external`: given by the auditor, not found inside the file."""

    origin: str | None
    keys: Mapping[str, Key]
    external: bool = True
    witnesses: tuple[Witness, ...] = ()
    tsa_roots: tuple[str, ...] = ()
    root: Key | None = None


def read_trust(trust: Any) -> Trust:
    """A parsed `trust.json` as the auditor was given it. Raises `TrustError`."""
    try:
        _TRUST(trust, "")
        return Trust(
            origin=trust["origin"],
            keys=_read_keys(trust["keys"]),
            witnesses=tuple(_read_witness(entry, f"witnesses[{i}]") for i, entry in enumerate(trust["witnesses"])),
            tsa_roots=tuple(trust["tsa_roots"]),
            root=_read_root(trust["root"]) if "root" in trust else None,
        )
    except FormError as error:
        raise TrustError(f"the trust file is not usable: {error}") from None


def _read_witness(entry: Mapping[str, Any], path: str) -> Witness:
    public = decode_base64(entry["public_key"], f"{path}.public_key")
    usable_public_key(public)
    witness = Witness(entry["name"], public)
    encoded = base64.b64encode(bytes([COSIGNATURE_KEY]) + public).decode("ascii")
    vkey = f"{witness.name}+{witness.key_id.hex()}+{encoded}"
    _require(entry["vkey"] == vkey, f"{path}.vkey", vkey, entry["vkey"])
    return witness


def _read_root(entry: Mapping[str, Any]) -> Key:
    always = {"purpose": "root", "from": "", "to": None}
    return _read_key({**entry, **always}, "root")


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


def _with_keyring(trust: Trust, envelope: Any) -> Trust:
    """The trust file's keys and those of the keyring that its root signed; of a key in both, the narrower period."""
    if envelope is None or trust.root is None:
        return trust
    place = Place("the keyring")
    payload, _ = _open_envelope(envelope, "root", replace(trust, keys={trust.root.keyid: trust.root}), place)
    with place.blaming(INTEGRITY, "its content"):
        keyring = read_canonical(payload)
        _KEYRING(keyring, "")
        listed = _read_keys(keyring["keys"])
    if trust.origin not in keyring["origins"]:
        got = ", ".join(keyring["origins"]) or "none"
        raise place.failure(AUTHENTICITY, "it is of other customers", expected=f"{trust.origin}", got=_show(got))
    return replace(trust, keys={**listed, **{keyid: _narrower(key, listed) for keyid, key in trust.keys.items()}})


def _narrower(key: Key, listed: Mapping[str, Key]) -> Key:
    other = listed.get(key.keyid, key)
    ends = [end for end in (key.end, other.end) if end is not None]
    revocations = [moment for moment in (key.revoked_at, other.revoked_at) if moment is not None]
    return replace(
        key,
        start=max(key.start, other.start),
        end=min(ends, default=None),
        revoked_at=min(revocations, default=None),
    )


# ── Steps 3 and 4: signature first, then the content ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
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
        most = MAX_PAYLOAD_BYTES if purpose == "receipts" else MAX_MANIFEST_BYTES
        _require(len(payload) <= most, "payload", f"at most {most} bytes", len(payload))
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
    _require(bool(kind), "scope", "organization, application, release or person", scope)
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
            if previous is None or current.seq > previous.seq + 1:
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
        if scope.kind == "person" and current.predicate["actor"]["id"] != scope.name:
            got = _show(current.predicate["actor"]["id"])
            yield place.failure(INTEGRITY, "a receipt of another person", expected=scope.name, got=got)
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
        gapless = complete and self.scope.kind not in {"", "person"} and (last or not self.scope.start)
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


# ── Step 7, with attestations: statements of OpenSSF Model Signing v1.0 about weight files ──────────────────────────


@dataclass(frozen=True)
class Attestation:
    """What a statement says of weight files: their digest as manifests name it, and the root digest of the standard."""

    weights_sha256: str
    root: str
    signer: str  # SHA-256 of the public key's PEM
    verified: bool  # by the key that travels with it: that key signed, whoever has it


def _read_attestation(entry: Mapping[str, Any], place: Place) -> Attestation:
    """Signature first, then the statement. Raises `VerificationError`."""
    with place.blaming(WEIGHTS, "the attestation"):
        bundle = entry["bundle"]
        _BUNDLE(bundle, "bundle")
        named, envelope = bundle["verificationMaterial"]["publicKey"], bundle["dsseEnvelope"]
        payload = decode_base64(envelope["payload"], "payload")
        signature = decode_base64(envelope["signatures"][0]["sig"], "sig")
        pem = decode_base64(named["rawBytes"], "rawBytes") if "rawBytes" in named else None
        hint = hashlib.sha256(pem).hexdigest() if pem is not None else named["hint"]
        _require(hint == named["hint"], "hint", f"SHA-256 of the key, {hint}", named["hint"])
    verified = pem is not None and _verify_p256(pem, signature, pae(envelope["payloadType"], payload), place)
    with place.blaming(WEIGHTS, "the attestation"):
        statement = read_json(payload)
        _OMS_STATEMENT(statement, "")
        resources = statement["predicate"]["resources"]
        _check_names([resource["name"] for resource in resources])
        digest = hashlib.sha256(canonical_json(statement["predicate"])).hexdigest()
    if digest != entry["weights_sha256"]:
        detail = "files and names have another digest than the attestation's"
        raise place.failure(WEIGHTS, detail, expected=entry["weights_sha256"], got=digest)
    root = hashlib.sha256(b"".join(bytes.fromhex(resource["digest"]) for resource in resources)).hexdigest()
    said = statement["subject"][0]["digest"]["sha256"]
    if root != said:
        detail = "the files have another root digest than the attestation says"
        raise place.failure(WEIGHTS, detail, expected=said, got=root)
    return Attestation(digest, root, hint, verified)


def _check_names(names: Sequence[str]) -> None:
    """Paths below the folder of the weights, each once, in the order of their parts."""
    paths = [name.split("/") for name in names]
    for index, path in enumerate(paths):
        label = f"resources[{index}].name"
        _require(not {"", ".", ".."} & set(path), label, "a path below the folder of the weights", names[index])
        ordered = index == 0 or paths[index - 1] < path
        _require(ordered, label, "names in order, each once", names[index])


_P256_PEM = re.compile(  # the one text of a key on P-256, its point not compressed, so that it has one fingerprint
    rb"-----BEGIN PUBLIC KEY-----\n(MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE[A-Za-z0-9+/]{28})\n"
    rb"([A-Za-z0-9+/]{57}[AQgw]==)\n-----END PUBLIC KEY-----\n"
)


def _verify_p256(pem: bytes, signature: bytes, message: bytes, place: Place) -> bool:
    """Whether the signature could be checked, which needs the `cryptography` package. Raises where it does not hold."""
    expected, got = "a P-256 signature by the key in the bundle", "another kind of key, or another spelling of it"
    if found := _P256_PEM.fullmatch(pem):
        try:
            from cryptography.exceptions import InvalidSignature
            from cryptography.hazmat.primitives.asymmetric import ec
            from cryptography.hazmat.primitives.hashes import SHA256
        except ImportError:
            return False
        point = base64.b64decode(found[1] + found[2])[-65:]
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
            key.verify(signature, message, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError) as error:
            got = str(error) or "another signature"
        else:
            return True
    raise place.failure(WEIGHTS, "the attestation's signature does not hold", expected=expected, got=_show(got))


def _claim_failures(
    attestations: Mapping[str, Attestation], receipts: Sequence[Statement]
) -> Iterator[VerificationError]:
    """Each claim says what the attestation of its weights says, and each attestation is of weights claimed here."""
    named = set()
    for statement in receipts:
        weights = statement.predicate["weights"]
        attestation = attestations.get(f"{weights.get('manifest_sha256')}")
        if attestation is None:
            continue
        named.add(attestation.weights_sha256)
        root = weights.get("oms_root_sha256")
        if root is not None and root != attestation.root:
            detail = "the claim names another root digest than the attestation's"
            yield statement.place().failure(WEIGHTS, detail, expected=attestation.root, got=_show(root))
    for digest in sorted(attestations.keys() - named):
        detail = "an attestation of weights that no receipt here names"
        yield Place("attestations").failure(WEIGHTS, detail, expected="a claim with this digest", got=digest)


# ── Step 8: signed notes, checkpoints and Merkle trees (C2SP signed-note, tlog-checkpoint, tlog-proof; RFC 6962) ─────


@dataclass(frozen=True)
class Note:
    """A text with lines of signatures: name of the key, its 4-byte id, what it signed with."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


@dataclass(frozen=True)
class Checkpoint:
    """A signed head of the log: `root` over its first `size` receipts. `submitted`: the note as outsiders got it."""

    note: Note
    origin: str
    size: int
    root: bytes
    submitted: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.submitted).hexdigest()

    def place(self) -> Place:
        return Place(f"the checkpoint of {self.size}")


def note_key_id(name: str, kind: int, public: bytes) -> bytes:
    """The 4 bytes by which a note names a key."""
    return hashlib.sha256(name.encode("utf-8") + b"\n" + bytes([kind]) + public).digest()[:4]


def read_note(text: str) -> Note:
    """A signed note, taken apart; no signature is checked yet. Raises `FormError`."""
    _require(not re.search(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]", text), "note", "text without control characters", text)
    body, gap, tail = text.rpartition("\n\n")
    _require(bool(gap) and tail.endswith("\n"), "note", "a text, an empty line and lines of signatures", text[-80:])
    return Note(f"{body}\n", _read_note_lines(tail))


def _read_note_lines(text: str) -> tuple[tuple[str, bytes, bytes], ...]:
    """Lines of signatures, each with its newline."""
    lines = text.split("\n")
    _require(lines.pop() == "", "signatures", "a newline at the end", text[-20:])
    _require(0 < len(lines) <= MAX_NOTE_SIGNATURES, "signatures", f"1 to {MAX_NOTE_SIGNATURES} lines", len(lines))
    signatures = tuple(_read_note_line(line, f"signatures[{index}]") for index, line in enumerate(lines))
    keys = {(name, key_id) for name, key_id, _ in signatures}
    _require(len(keys) == len(signatures), "signatures", "one line for each key", text[:80])
    return signatures


def _read_note_line(line: str, path: str) -> tuple[str, bytes, bytes]:
    match = re.fullmatch(rf"\u2014 ({_KEY_NAME}+) ([A-Za-z0-9+/]+=*)", line)
    if match is None:
        raise FormError(path, "a dash (U+2014), the name of a key and a signature", _show(line))
    raw = decode_base64(match[2], path)
    _require(len(raw) > 4, path, "a key id and a signature", f"{len(raw)} bytes")
    return match[1], raw[:4], raw[4:]


def read_checkpoint(text: str) -> Checkpoint:
    """A signed note whose text is origin, size and root, and nothing else. Raises `FormError`."""
    note = read_note(text)
    match = re.fullmatch(r"([!-~]{1,300})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n", note.text)
    if match is None:
        raise FormError("note", "origin, size and root in three lines", _show(note.text))
    root = decode_base64(match[3], "root")
    return Checkpoint(note, match[1], _exact_integer(match[2]), root, text.encode("utf-8"))


def _log_key(checkpoint: Checkpoint, trust: Trust, place: Place) -> Key:
    """The log key that signed a checkpoint. Raises if none did that is trusted, or its signature does not hold."""
    keys = [key for key in trust.keys.values() if key.purpose == "log"]
    by_id = {note_key_id(checkpoint.origin, NOTE_KEY, key.public): key for key in keys}
    for name, key_id, signature in checkpoint.note.signatures:
        key = by_id.get(key_id)
        if key is None or name != checkpoint.origin:
            continue
        try:
            verify_signature(key.public, signature, checkpoint.note.text.encode("utf-8"))
        except SignatureError as error:
            expected = f"a signature by key {key.keyid}"
            raise place.failure(
                AUTHENTICITY, "the signature does not hold", expected=expected, got=str(error)
            ) from None
        return key
    got = ", ".join(f"{name}+{key_id.hex()}" for name, key_id, _ in checkpoint.note.signatures)
    expected = f"a signature by a trusted log key under the name {checkpoint.origin}"
    raise place.failure(AUTHENTICITY, "signed by no log key that is trusted", expected=expected, got=_show(got))


def _cosigned_at(checkpoint: Checkpoint, payload: bytes, witness: Witness) -> int:
    """When the witness saw the checkpoint, in seconds since 1970. Raises `SignatureError`."""
    at = int.from_bytes(payload[:8], "big")
    message = f"cosignature/v1\ntime {at}\n{checkpoint.note.text}".encode()
    if not 0 < at < 2**63:
        raise SignatureError("a cosignature has a time")
    verify_signature(witness.public, payload[8:], message)
    return at


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A growing Merkle tree: the roots of its complete subtrees, the largest first."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """One more leaf: each 1 at the end of the size in binary is a subtree that it completes."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Of all leaves so far."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_by_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root to which an inclusion proof leads (RFC 9162, section 2.1.3.2). Raises `FormError`."""
    _require(index < size, "index", f"a leaf of {size}", index)
    at, last, root = index, size - 1, leaf
    for sibling in proof:
        _require(len(sibling) == 32 and last > 0, "proof", "as many hashes of 32 bytes as the tree is high", len(proof))
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    _require(last == 0, "proof", "as many hashes as the tree is high", len(proof))
    return root


def _read_proof(text: str) -> tuple[int, list[bytes], Checkpoint]:
    """The index, hashes and checkpoint of a C2SP tlog-proof. Raises `FormError`."""
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    _require(lines[0] == "c2sp.org/tlog-proof@v1", "line 1", "c2sp.org/tlog-proof@v1", lines[0])
    match = re.fullmatch(r"index (0|[1-9][0-9]{0,15})", lines[1] if len(lines) > 1 else "")
    if match is None:
        raise FormError("line 2", "index and a number", _show(lines[1:2]))
    hashes = [decode_base64(line, f"line {number}") for number, line in enumerate(lines[2:], 3)]
    return _exact_integer(match[1]), hashes, read_checkpoint(note)


@dataclass(frozen=True)
class Anchor:
    """What an `anchor.made` receipt says: which checkpoint somebody outside was given, and what came back."""

    statement: Statement
    size: int
    root: str
    checkpoint: str
    releases: int
    release_heads: str
    kind: str
    evidence: str

    @property
    def proved_at(self) -> datetime:
        """When it was anchored, as the issuer says."""
        return _datetime(self.statement.predicate["occurred_at"])


_Stamp = tuple[datetime, timedelta]  # when, and by how much it may be off
_SHA256_OID = "2.16.840.1.101.3.4.2.1"


def _utf8(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormError("", "text in UTF-8", _show(str(error))) from None


def _datetime(moment: str) -> datetime:
    return datetime.fromisoformat(moment[:-1]).replace(tzinfo=UTC)


def _moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_anchor(statement: Statement) -> Anchor:
    """From the inputs of its decision, which are in clear. Raises `VerificationError`."""
    with statement.place().blaming(INTEGRITY, "what the anchor says"):
        inputs = statement.predicate["decision"]["inputs"]
        _ANCHOR_INPUTS(inputs, "inputs")
        metrics = [entry["metric"] for entry in inputs]
        _require(metrics == list(ANCHOR_METRICS), "inputs", ", ".join(ANCHOR_METRICS), metrics)
        log, note, heads, made = inputs
        _one_of(*ANCHOR_KINDS)(made["evidence"], "inputs[3].evidence")
        for index, entry in enumerate(inputs):
            _SHA256(entry["evidence_sha256"], f"inputs[{index}].evidence_sha256")
        _integer(1)(log["n"], "inputs[0].n")
        _integer(0)(heads["n"], "inputs[2].n")
        _require(log["n"] < statement.seq, "inputs[0].n", f"fewer receipts than seq {statement.seq}", log["n"])
    return Anchor(
        statement=statement,
        size=log["n"],
        root=log["evidence_sha256"],
        checkpoint=note["evidence_sha256"],
        releases=heads["n"],
        release_heads=heads["evidence_sha256"],
        kind=made["evidence"],
        evidence=made["evidence_sha256"],
    )


@dataclass
class _Log:
    """Steps 8 and 9 over one export: what its checkpoints, anchors, proofs and heads show of its receipts.

    `whole`: every receipt from the genesis on is here and could be opened, so that roots are computed anew.
    """

    document: Mapping[str, Any]
    trust: Trust
    scope: Scope
    origin: str | None
    receipts: Sequence[Statement]
    asides: Sequence[Statement]
    complete: bool
    failures: list[VerificationError] = field(default_factory=list)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    by_text: dict[str, Checkpoint] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    anchors: dict[str, Anchor] = field(default_factory=dict)
    evidence: dict[str, bytes] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)  # checkpoints whose root all receipts lead to
    proofs: dict[str, list[Checkpoint]] = field(default_factory=dict)
    release_heads: dict[str, tuple[int, str]] = field(default_factory=dict)  # of each checkpoint that is anchored
    heads: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    stamps: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)  # verified, of each checkpoint
    stamped: set[str] = field(default_factory=set)  # checkpoints with a time stamp, verified or not
    existed: dict[str, datetime] = field(default_factory=dict)  # when each receipt existed, by a verified stamp
    witnessed: dict[str, tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        statements = [*self.receipts, *self.asides]
        self.by_hash = {statement.receipt_hash: statement for statement in statements}
        self.in_order = sorted(statements, key=lambda statement: statement.seq)
        self.by_release: dict[str | None, dict[int, Statement]] = {}
        for statement in self.receipts:
            seqs = self.by_release.setdefault(statement.manifest_sha256, {})
            seqs[statement.predicate["chain"]["release_seq"] or 0] = statement
        contiguous = all(statement.seq == index for index, statement in enumerate(self.receipts, 1))
        self.whole = self.complete and self.scope.kind == "organization" and not self.scope.start and contiguous

    def run(self) -> None:
        """Everything, in order; what fails is kept."""
        self._each(self._read_checkpoint, self.document["checkpoints"])
        self._ascending("checkpoints", self.sizes)
        self._tell_anchors()
        self._each(self._check_anchor, self.document["anchors"])
        told = [one["receipt_hash"] for one in self.document["anchors"] if one["receipt_hash"] in self.anchors]
        self._ascending("anchors", [(self.anchors[one].size, one) for one in told])
        self._check_asides()
        self._check_roots()
        self._each(self._check_proof, self.document["proofs"])
        self._each(self._check_head, self.document["heads"])
        self._require_heads()
        self._check_last_anchors()
        self._each(self._check_evidence, [*self.evidence])
        self._check_stamps()

    def _each(self, step: Callable[[int, Any], None], entries: Iterable[Any]) -> None:
        for index, entry in enumerate(entries):
            try:
                step(index, entry)
            except VerificationError as failure:
                self.failures.append(failure)

    def _ascending(self, name: str, values: Sequence[Any]) -> None:
        for index in range(1, len(values)):
            if values[index] <= values[index - 1]:
                expected = f"more than {_show(values[index - 1])}"
                place = Place(f"{name}[{index}]")
                self.failures.append(
                    place.failure(INTEGRITY, "out of order", expected=expected, got=_show(values[index]))
                )

    def _read_checkpoint(self, index: int, entry: Mapping[str, Any]) -> None:
        place = Place(f"checkpoints[{index}]")
        with place.blaming(INTEGRITY, "the checkpoint"):
            checkpoint = read_checkpoint(entry["note"])
            _require(checkpoint.size > 0, "size", "1 or more", checkpoint.size)
            lines = len(checkpoint.note.signatures)
            _require(lines == 1, "signatures", "the log's alone", f"{lines} lines")
        self.checkpoints.setdefault(checkpoint.sha256, checkpoint)
        self.by_text.setdefault(checkpoint.note.text, checkpoint)
        self.sizes.append(checkpoint.size)
        if self.origin is not None and checkpoint.origin != self.origin:
            detail = "a checkpoint of another log"
            raise place.failure(AUTHENTICITY, detail, expected=self.origin, got=checkpoint.origin)
        key = _log_key(checkpoint, self.trust, place)
        if key.revoked_at is not None:
            self._check_revoked(checkpoint, key.revoked_at, place)

    def _check_revoked(self, checkpoint: Checkpoint, revoked_at: str, place: Place) -> None:
        """A note has no time of its own: only an anchor shows that it was signed before the revocation."""
        made = [entry["receipt_hash"] for entry in self.document["anchors"] if entry["checkpoint"] == checkpoint.sha256]
        times = [self.by_hash[one].predicate["occurred_at"] for one in made if one in self.by_hash]
        if min(times, default="9") >= revoked_at:
            expected = f"an anchor before {revoked_at}"
            got = min(times, default="none")
            raise place.failure(AUTHENTICITY, "signed by a revoked log key", expected=expected, got=got)

    def _tell_anchors(self) -> None:
        """What each `anchor.made` here says; the evidence of those in scope must be here too."""
        entries = {entry["receipt_hash"] for entry in self.document["anchors"]}
        for statement in self.in_order:
            if statement.predicate["event"] != ANCHOR_MADE:
                continue
            try:
                self.anchors[statement.receipt_hash] = _read_anchor(statement)
            except VerificationError as failure:
                self.failures.append(failure)
            if statement.receipt_hash not in entries:
                place, expected = statement.place(), "an entry of it among the anchors"
                detail = "the evidence of this anchor is not here"
                self.failures.append(place.failure(INTEGRITY, detail, expected=expected, got="none"))

    def _check_anchor(self, index: int, entry: Mapping[str, Any]) -> None:
        place = Place(f"anchors[{index}]", None, entry["receipt_hash"])
        statement = self.by_hash.get(entry["receipt_hash"])
        if statement is None or statement.predicate["event"] != ANCHOR_MADE:
            expected = f"an {ANCHOR_MADE} here, in scope or aside"
            raise place.failure(INTEGRITY, "no receipt of an anchor", expected=expected, got=entry["receipt_hash"])
        place.seq = statement.seq
        anchor = self.anchors.get(entry["receipt_hash"])
        if anchor is None:
            return
        if entry["kind"] != anchor.kind:
            raise place.failure(
                INTEGRITY, "of another kind than was receipted", expected=anchor.kind, got=entry["kind"]
            )
        if entry["checkpoint"] != anchor.checkpoint:
            detail = "of another checkpoint than was receipted"
            raise place.failure(INTEGRITY, detail, expected=anchor.checkpoint, got=entry["checkpoint"])
        if entry["checkpoint"] not in self.checkpoints:
            detail, expected = "of a checkpoint that is not here", "one of the checkpoints"
            raise place.failure(INTEGRITY, detail, expected=expected, got=entry["checkpoint"])
        self._check_checkpoint(anchor, self.checkpoints[entry["checkpoint"]], place)
        with place.blaming(INTEGRITY, "the evidence"):
            evidence = decode_base64(entry["evidence"], "evidence")
        digest = hashlib.sha256(evidence).hexdigest()
        if digest != anchor.evidence:
            detail = "the evidence of the anchor is not the one that was receipted"
            raise place.failure(INTEGRITY, detail, expected=anchor.evidence, got=digest)
        self.evidence[entry["receipt_hash"]] = evidence

    def _check_checkpoint(self, anchor: Anchor, checkpoint: Checkpoint, place: Place) -> None:
        if anchor.size != checkpoint.size:
            detail = "receipted with another size than the checkpoint's"
            raise place.failure(INTEGRITY, detail, expected=f"{checkpoint.size}", got=f"{anchor.size}")
        if anchor.root != checkpoint.root.hex():
            detail = "receipted with another root than the checkpoint's"
            raise place.failure(INTEGRITY, detail, expected=checkpoint.root.hex(), got=anchor.root)
        heads = (anchor.releases, anchor.release_heads)
        same = self.release_heads.setdefault(anchor.checkpoint, heads)
        if heads != same:
            detail = "receipted with other release heads than another anchor of the checkpoint"
            raise place.failure(INTEGRITY, detail, expected=f"{same[0]}, {same[1]}", got=f"{heads[0]}, {heads[1]}")

    def _check_asides(self) -> None:
        needed = {entry["receipt_hash"] for entry in self.document["anchors"]}
        inside = {statement.seq for statement in self.receipts}
        self._ascending("asides", [statement.seq for statement in self.asides])
        for statement in self.asides:
            if statement.receipt_hash not in needed or statement.seq in inside:
                detail, expected = "no anchor here needs it", f"an {ANCHOR_MADE} that is not among the receipts"
                got = statement.predicate["event"]
                self.failures.append(statement.place().failure(INTEGRITY, detail, expected=expected, got=got))
        for previous, current in zip(self.in_order, self.in_order[1:], strict=False):
            if not (previous.seq in inside and current.seq in inside):
                self.failures.extend(_link_failures(previous, current))

    def _check_roots(self) -> None:
        """All receipts together must lead to each checkpoint's root, and to the release heads that anchors name."""
        if not self.whole:
            return
        tree, releases, at = Tree(), _Releases(), 0
        by_size: dict[int, list[Anchor]] = {}
        for anchor in self.anchors.values():
            by_size.setdefault(anchor.size, []).append(anchor)
        for checkpoint in sorted(self.checkpoints.values(), key=lambda checkpoint: checkpoint.size):
            for statement in self.receipts[at : checkpoint.size]:
                tree.append(leaf_hash(bytes.fromhex(statement.receipt_hash)))
                releases.add(statement)
            at = tree.size
            if at == checkpoint.size:
                self._compare_root(checkpoint, tree.root())
                self.failures.extend(releases.failures(by_size.get(at, [])))
            elif self.scope.end is None:
                expected, got = f"receipts up to seq {checkpoint.size}", f"up to seq {at}"
                self.failures.append(
                    checkpoint.place().failure(COMPLETENESS, "the tail is cut off", expected=expected, got=got)
                )

    def _compare_root(self, checkpoint: Checkpoint, root: bytes) -> None:
        if root == checkpoint.root:
            self.confirmed.add(checkpoint.sha256)
            return
        detail = "the receipts make another log than the checkpoint's"
        self.failures.append(
            checkpoint.place().failure(COMPLETENESS, detail, expected=checkpoint.root.hex(), got=root.hex())
        )

    def _check_proof(self, index: int, entry: Mapping[str, Any]) -> None:
        place = Place(f"proofs[{index}]", None, entry["receipt_hash"])
        with place.blaming(INTEGRITY, "the proof"):
            at, hashes, proved = _read_proof(entry["proof"])
        statement = self.by_hash.get(entry["receipt_hash"])
        if statement is None:
            detail, expected = "the proof of a receipt that is not here", "a receipt of this export"
            raise place.failure(INTEGRITY, detail, expected=expected, got=entry["receipt_hash"])
        place.seq = statement.seq
        listed = self.by_text.get(proved.note.text)
        if listed is None or not set(listed.note.signatures) <= set(proved.note.signatures):
            detail, got = "the proof leads to a checkpoint that is not here", f"one of {proved.size}"
            raise place.failure(INTEGRITY, detail, expected="one of the checkpoints, with its signature", got=got)
        if at != statement.seq - 1:
            detail = "the proof of another receipt"
            raise place.failure(INTEGRITY, detail, expected=f"index {statement.seq - 1}", got=f"index {at}")
        with place.blaming(INTEGRITY, "the proof"):
            root = root_by_proof(leaf_hash(bytes.fromhex(statement.receipt_hash)), at, listed.size, hashes)
        if root != listed.root:
            detail = "the proof leads to another root"
            raise place.failure(INTEGRITY, detail, expected=listed.root.hex(), got=root.hex())
        self.proofs.setdefault(statement.receipt_hash, []).append(listed)
        self._cosignatures(listed, proved.note.signatures, place)

    def _check_head(self, index: int, entry: Mapping[str, Any]) -> None:
        """The head of one release at a checkpoint: that anchors commit to it, and that the receipts here reach it."""
        place = Place(f"heads[{index}]", None, entry["receipt_hash"])
        name, manifest = "the head of the release", entry["manifest_sha256"]
        if entry["checkpoint"] not in self.release_heads:
            expected, got = "a checkpoint that an anchor here names", entry["checkpoint"]
            raise place.failure(INTEGRITY, f"{name} at an unknown checkpoint", expected=expected, got=got)
        count, heads = self.release_heads[entry["checkpoint"]]
        with place.blaming(INTEGRITY, name):
            inside = self.scope.kind == "application" or (self.scope.kind, self.scope.name) == ("release", manifest)
            _require(inside, "manifest_sha256", f"a release of {self.scope.words}", manifest)
            _require(entry["count"] == count, "count", f"{count}", entry["count"])
            leaf = leaf_hash(canonical_json([manifest, entry["release_seq"], entry["receipt_hash"]]))
            proof = [decode_base64(one, f"proof[{number}]") for number, one in enumerate(entry["proof"])]
            root = root_by_proof(leaf, entry["index"], entry["count"], proof)
            _require(root.hex() == heads, "proof", heads, root.hex())
        self.heads[entry["checkpoint"], manifest] = entry
        self._compare_head(entry, self.by_release.get(manifest, {}), place)

    def _compare_head(self, entry: Mapping[str, Any], seqs: Mapping[int, Statement], place: Place) -> None:
        found = seqs.get(entry["release_seq"])
        if found is not None and found.receipt_hash != entry["receipt_hash"]:
            detail = "another receipt stands where the release's head stood"
            raise place.failure(COMPLETENESS, detail, expected=entry["receipt_hash"], got=found.receipt_hash)
        if found is None and self.complete and self.scope.end is None and max(seqs, default=0) < entry["release_seq"]:
            detail = "the release's tail is cut off"
            expected, got = f"receipts up to release_seq {entry['release_seq']}", f"up to {max(seqs, default=0)}"
            raise place.failure(COMPLETENESS, detail, expected=expected, got=got)

    @property
    def newest(self) -> Checkpoint | None:
        """The newest checkpoint that an anchor here is of."""
        found = [self.checkpoints[self.anchors[one].checkpoint] for one in self.evidence]
        return max(found, key=lambda checkpoint: checkpoint.size, default=None)

    def _require_heads(self) -> None:
        """Of each release in an open scope the head at the newest checkpoint must be here."""
        newest, scope = self.newest, self.scope
        if newest is None or scope.kind not in {"release", "application"} or scope.start or scope.end:
            return
        missed = set()
        for statement in self.receipts:
            manifest = statement.manifest_sha256
            if manifest is None or statement.seq > newest.size or manifest in missed:
                continue
            if (newest.sha256, manifest) not in self.heads:
                missed.add(manifest)
                detail, expected = "the release's head is not here", f"its head at the checkpoint of {newest.size}"
                self.failures.append(statement.place().failure(COMPLETENESS, detail, expected=expected, got="none"))

    def _check_last_anchors(self) -> None:
        """`last_anchor` names the newest anchor before, and nothing is issued before what it comes after."""
        newest: Statement | None = None
        for statement in self.in_order:
            named = statement.predicate["chain"]["last_anchor"]
            known = named is None or named in self.by_hash
            expected = newest.receipt_hash if newest else None
            if named != expected and (self.whole or known):
                detail = "another last anchor than the newest before it"
                failure = statement.place().failure(TIME, detail, expected=f"{expected}", got=f"{named}")
                self.failures.append(failure)
            elif named == expected and newest is not None:
                self._check_after(statement, newest)
            if statement.predicate["event"] == ANCHOR_MADE:
                newest = statement

    def _check_after(self, statement: Statement, anchor: Statement) -> None:
        proved = _datetime(anchor.predicate["occurred_at"])
        if proved - _datetime(statement.issued_at) > TOLERANCE:
            detail = "issued before the anchor that it comes after"
            expected = f"{anchor.predicate['occurred_at']} (less 60 s) or later"
            self.failures.append(statement.place().failure(TIME, detail, expected=expected, got=statement.issued_at))

    def _check_evidence(self, _: int, receipt_hash: str) -> None:
        """Step 9: what came back from outside."""
        anchor = self.anchors[receipt_hash]
        checkpoint, place = self.checkpoints[anchor.checkpoint], anchor.statement.place()
        if anchor.kind == "witness":
            with place.blaming(INTEGRITY, "the lines of the witness"):
                lines = _read_note_lines(_utf8(self.evidence[receipt_hash]))
            at = self._cosignatures(checkpoint, lines, place)
            if at is not None and abs(at - anchor.proved_at.timestamp()) > TOLERANCE.total_seconds():
                detail, got = "receipted with another time than the cosignature's", _moment_text(anchor.proved_at)
                raise place.failure(TIME, detail, expected=_seconds_text(at), got=got)
        if anchor.kind == "rfc3161":
            self.stamped.add(anchor.checkpoint)
            self._check_stamp(anchor, self.evidence[receipt_hash], place)

    def _check_stamp(self, anchor: Anchor, evidence: bytes, place: Place) -> None:
        verify_stamp = _time_stamps() if self.trust.tsa_roots else None
        if verify_stamp is None:
            return
        try:
            body = self.checkpoints[anchor.checkpoint].submitted
            at, accuracy = verify_stamp(evidence, body, self.trust.tsa_roots)
        except SignatureError as error:
            detail, expected = "the time stamp does not hold", "one of the checkpoint, by an authority you trust"
            raise place.failure(TIME, detail, expected=expected, got=_show(str(error))) from None
        tolerance = max(accuracy, TOLERANCE)
        if abs(at - anchor.proved_at) > tolerance:
            detail, got = "receipted with another time than the time stamp's", _moment_text(anchor.proved_at)
            raise place.failure(TIME, detail, expected=_moment_text(at), got=got)
        self.stamps[anchor.checkpoint] = min(self.stamps.get(anchor.checkpoint, (at, tolerance)), (at, tolerance))

    def _cosignatures(
        self, checkpoint: Checkpoint, lines: Iterable[tuple[str, bytes, bytes]], place: Place
    ) -> int | None:
        """When a trusted witness that is among the lines saw it; its signature must then hold. None: there is none."""
        found = None
        for name, key_id, payload in lines:
            for witness in self.trust.witnesses:
                if (name, key_id) != (witness.name, witness.key_id):
                    continue
                try:
                    found = _cosigned_at(checkpoint, payload, witness)
                except SignatureError as error:
                    detail, expected = "the cosignature does not hold", f"a cosignature by {name} of the checkpoint"
                    raise place.failure(COMPLETENESS, detail, expected=expected, got=str(error)) from None
                self.witnessed.setdefault(checkpoint.sha256, (name, found))
        return found

    def _check_stamps(self) -> None:
        """No receipt is issued after a time stamp over it."""
        for statement, (at, tolerance) in self._earliest(self.stamps):
            self.existed[statement.receipt_hash] = at
            if _datetime(statement.issued_at) > at + tolerance:
                detail, expected = "issued after the time stamp over it", f"{_moment_text(at)} or earlier"
                got = statement.issued_at
                self.failures.append(statement.place().failure(TIME, detail, expected=expected, got=got))

    def _earliest(self, times: Mapping[str, _Stamp]) -> Iterator[tuple[Statement, _Stamp]]:
        """Each receipt that a checkpoint with a time covers, and the earliest such time."""
        spans = sorted(self.spans(times), key=lambda span: span[0])
        earliest: _Stamp | None = None
        for statement in reversed(self.receipts):
            while spans and spans[-1][0] >= statement.seq:
                found = times[spans.pop()[1]]
                earliest = min(earliest or found, found)
            proved = [times[one.sha256] for one in self.proofs.get(statement.receipt_hash, ()) if one.sha256 in times]
            if best := min([*proved, *([earliest] if earliest else [])], default=None):
                yield statement, best

    def spans(self, times: Container[str]) -> Iterator[tuple[int, str]]:
        """Up to which seq a checkpoint holds every receipt here: all of them make its root, or lead to a proven one."""
        yield from ((self.checkpoints[one].size, one) for one in self.confirmed if one in times)
        if self.scope.kind == "organization" and self.complete:
            for statement in self.receipts:
                for checkpoint in self.proofs.get(statement.receipt_hash, ()):
                    if checkpoint.sha256 in times:
                        yield statement.seq, checkpoint.sha256

    def tail(self, checkpoints: Iterable[str]) -> int:
        """How many of the newest receipts none of these checkpoints covers; anchors told of at the end do not count."""
        anytime = (datetime.min.replace(tzinfo=UTC), TOLERANCE)
        covered = {statement.receipt_hash for statement, _ in self._earliest(dict.fromkeys(checkpoints, anytime))}
        return self._uncovered(covered)

    def uncovered(self) -> int:
        """How many receipts no verified time stamp covers; anchors told of at the end do not count."""
        return self._uncovered(set(self.existed))

    def _uncovered(self, covered: set[str]) -> int:
        last = max((i for i, one in enumerate(self.receipts) if one.predicate["event"] != ANCHOR_MADE), default=-1)
        return sum(one.receipt_hash not in covered for one in self.receipts[: last + 1])


class _Releases:
    """The newest receipt of each release, receipt by receipt: what `anchor.made` commits to."""

    def __init__(self) -> None:
        self.leaves: dict[str, bytes] = {}

    def add(self, statement: Statement) -> None:
        manifest = statement.manifest_sha256
        if manifest is not None:
            seq = statement.predicate["chain"]["release_seq"]
            self.leaves[manifest] = leaf_hash(canonical_json([manifest, seq, statement.receipt_hash]))

    def failures(self, anchors: Sequence[Anchor]) -> Iterator[VerificationError]:
        """Of anchors at this very size."""
        if not anchors:
            return
        tree = Tree()
        for manifest in sorted(self.leaves):
            tree.append(self.leaves[manifest])
        heads = (tree.size, tree.root().hex())
        for anchor in anchors:
            if (anchor.releases, anchor.release_heads) != heads:
                detail = "receipted with other release heads than the receipts make"
                yield anchor.statement.place().failure(
                    INTEGRITY,
                    detail,
                    expected=f"{heads[0]}, {heads[1]}",
                    got=f"{anchor.releases}, {anchor.release_heads}",
                )


# ── Step 9: time stamps (RFC 3161) ──────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=1)
def _time_stamps() -> Callable[[bytes, bytes, Sequence[str]], _Stamp] | None:
    """What verifies a time stamp, by the package `rfc3161-client`, where it is installed."""
    try:
        from cryptography.x509 import ObjectIdentifier
        from rfc3161_client import VerificationError as StampError
        from rfc3161_client import VerifierBuilder, decode_timestamp_response
    except ImportError:
        return None

    def verify_stamp(evidence: bytes, body: bytes, roots: Sequence[str]) -> _Stamp:
        """Only the roots given are trusted; what else the token needs it brings along. Raises `SignatureError`."""
        verifier = VerifierBuilder(roots=_certificates(roots)).build()
        try:
            response = decode_timestamp_response(evidence)
            token = response.tst_info
            if response.as_bytes() != evidence or token.message_imprint.hash_algorithm != ObjectIdentifier(_SHA256_OID):
                raise SignatureError("a token over a SHA-256, in DER and nothing else, is needed")
            verifier.verify(response, hashlib.sha256(body).digest())
        except (StampError, ValueError) as error:
            raise SignatureError(str(error)) from None
        accuracy: Any = token.accuracy  # None where the authority says nothing of it
        parts = (0, 0, 0) if accuracy is None else (accuracy.seconds, accuracy.millis, accuracy.micros)
        seconds, millis, micros = (part or 0 for part in parts)
        accurate = timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)
        return token.gen_time.replace(tzinfo=token.gen_time.tzinfo or UTC), accurate

    return verify_stamp


def _certificates(roots: Sequence[str]) -> list[Any]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return [found for text in roots for found in load_pem_x509_certificates(text.encode("utf-8"))]
    except ValueError as error:
        raise TrustError(f"the trust file is not usable: tsa_roots: {error}") from None


# ── Step 10: a head that the auditor holds ───────────────────────────────────────────────────────────────────────────


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


def read_known_head(text: str, trust: Mapping[str, Any] | None) -> Head | Checkpoint:
    """`SEQ:HASH`, or a signed checkpoint of the log, by a log key of the trust file. Raises `TrustError`."""
    text = text.strip("\ufeff \t\r\n") + "\n"  # as editors and terminals leave it
    if "\n\n" not in text:
        return read_head(text)
    if trust is None:
        raise TrustError("a signed head needs the trust file (--trust): without it its signature shows nothing")
    try:
        checkpoint = read_checkpoint(text)
        known = read_trust(trust)
        _log_key(checkpoint, known, Place("the known head"))
    except (FormError, VerificationError) as error:
        raise TrustError(f"the known head is not usable: {error}") from None
    if checkpoint.origin != known.origin:
        raise TrustError(f"the known head is of another log, {_show(checkpoint.origin)}")
    return checkpoint


def _check_head(head: Head, receipts: Sequence[Statement], asides: Sequence[Statement], scope: Scope) -> int:
    """Up to which seq the chain reaches the head; 0: this scope cannot tell. Raises where it contradicts the head."""
    place = Place("the known head", head.seq, head.receipt_hash)
    found = next((receipt for receipt in [*receipts, *asides] if receipt.seq == head.seq), None)
    if found is not None and found.receipt_hash != head.receipt_hash:
        detail = "another receipt stands where the known one stood"
        raise place.failure(COMPLETENESS, detail, expected=head.receipt_hash, got=found.receipt_hash)
    if scope.kind != "organization":
        return 0
    last = receipts[-1].seq if receipts else 0
    if found is None and scope.end is None and last < head.seq:
        expected, got = f"a chain up to seq {head.seq}", f"up to seq {last}"
        raise place.failure(COMPLETENESS, "the tail is cut off", expected=expected, got=got)
    return head.seq if any(receipt is found for receipt in receipts) else 0


def _check_signed_head(head: Checkpoint, log: _Log) -> int:
    """Up to which seq the log is the one of the head; 0: this scope cannot tell. Raises where it contradicts it."""
    place = Place("the known head")
    listed = next((one for one in log.checkpoints.values() if one.size == head.size), None)
    last = log.receipts[-1].seq if log.receipts else 0
    reached, root = 0, None
    if log.whole and last >= head.size:
        tree = Tree()
        for statement in log.receipts[: head.size]:
            tree.append(leaf_hash(bytes.fromhex(statement.receipt_hash)))
        reached, root = head.size, tree.root()
    elif log.scope.kind == "organization" and log.complete and log.scope.end is None and last < head.size:
        expected, got = f"a chain up to seq {head.size}", f"up to seq {last}"
        raise place.failure(COMPLETENESS, "the tail is cut off", expected=expected, got=got)
    elif listed is not None:
        reached, root = max(log.spans({listed.sha256}), default=(0, ""))[0], listed.root
    if root is not None and root != head.root:
        detail = f"another log than the known head's at {head.size}"
        raise place.failure(COMPLETENESS, detail, expected=head.root.hex(), got=root.hex())
    return reached


# ── Steps 1 and 11: the ZIP ─────────────────────────────────────────────────────────────────────────────────────────

_LOCAL, _CENTRAL, _END = 0x04034B50, 0x02014B50, 0x06054B50
_ENTRY = struct.Struct(
    "<HHHHHIIIHH"
)  # version, flags, method, time, date, CRC-32, two sizes, lengths of name and extra
_FOLDERS = ("anchors/", "attestations/", "checkpoints/", "keys/", "proofs/")
_SINGLE = ("README.txt", "export.json", "manifest.json", "openings.json", "receipts.jsonl", "report.pdf", "schema.json")
_KNOWN_FILES = frozenset({*_SINGLE, "verify.html", "verify.py"})
_NEEDED_FILES = frozenset({"export.json", "keys/keys.json", "manifest.json", "openings.json", "receipts.jsonl"})
_ENDINGS = {"rfc3161": "tsr", "witness": "txt"}
REPORT_STREAMS, REPORT_TRIES = 20_000, 16


def read_archive(data: bytes) -> dict[str, memoryview]:
    """The files of a ZIP that is, byte for byte, the one that is made of them. Raises `FormError`.

    Entries in order of their names, stored, one spelling for every field: nothing in it is free, and nothing is
    unpacked to more than it is.
    """
    whole, files, directory, at, last = memoryview(data), {}, [], 0, ""
    while data[at : at + 4] == _LOCAL.to_bytes(4, "little"):
        name, start, size = _read_entry(data, at)
        _require(last < name, f"byte {at}", f"a name after {_show(last)}", name)
        last, files[name] = name, whole[start : start + size]
        fields = _entry_fields(name, files[name])
        _same(whole[at:start], struct.pack("<I", _LOCAL) + fields + name.encode("ascii"), at)
        numbers = struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, at)
        directory.append(struct.pack("<IH", _CENTRAL, 0x0314) + fields + numbers + name.encode("ascii"))
        at = start + size
    _require(len(files) < 65_535, "entries", "at most 65,534 files", len(files))
    entries = b"".join(directory)
    end = struct.pack("<IHHHHIIH", _END, 0, 0, len(files), len(files), len(entries), at, 0)
    _same(whole[at:], entries + end, at)
    return files


def _read_entry(data: bytes, at: int) -> tuple[str, int, int]:
    """Name, start and size of the file whose entry begins here."""
    _require(at + 30 <= len(data), f"byte {at}", "an entry of 30 bytes", "the end of the file")
    *_, packed, size, length, extra = _ENTRY.unpack_from(data, at + 4)
    name = data[at + 30 : at + 30 + length].decode("utf-8", "replace")
    _FILE_NAME(name, f"byte {at + 30}")
    start = at + 30 + length + extra
    _require(packed == size, f"byte {at + 18}", f"one size, stored as it is: {size}", packed)
    _require(start + size <= len(data), f"byte {at + 22}", f"at most {max(len(data) - start, 0)} bytes", size)
    return name, start, size


def _entry_fields(name: str, content: memoryview) -> bytes:
    """What the entry and the directory both say of a file."""
    size = len(content)
    return _ENTRY.pack(20, 0x0800, 0, 0, 0x0021, zlib.crc32(content), size, size, len(name), 0)


def _same(found: memoryview, made: bytes, at: int) -> None:
    if found == made:
        return
    first = _first_difference(found, made)
    expected, got = (bytes(part[first : first + 8]).hex(" ") or "the end of the file" for part in (made, found))
    raise FormError(f"byte {at + first}", expected, got)


@dataclass
class _Archive:
    """Step 11 over one ZIP, whose export was examined before."""

    files: Mapping[str, memoryview]
    trust: Trust
    document: Mapping[str, Any] | None
    encoded: Mapping[str, memoryview]
    manifest: Mapping[str, Any] | None
    seqs: Mapping[str, int]

    def failures(self) -> Iterator[VerificationError]:
        """Of the manifest, the list of files, their digests, and what they say again."""
        place = Place("the files")
        unknown = [name for name in self.files if name not in _KNOWN_FILES and not name.startswith(_FOLDERS)]
        if missing := sorted(_NEEDED_FILES - self.files.keys()):
            yield place.failure(INTEGRITY, "files are missing", expected=", ".join(missing), got="none of them")
        if unknown:
            expected, got = "only files of an export", _show(", ".join(unknown))
            yield place.failure(INTEGRITY, "the files hold unknown ones", expected=expected, got=got)
        if "manifest.json" in self.files:
            try:
                yield from self._listed_failures(self._read_manifest())
            except VerificationError as failure:
                yield failure
        if self.document is not None:
            yield from self._loose_failures(dict(self._loose(self.document)))
        if "report.pdf" in self.files and "export.json" in self.files:
            yield from self._report_failures()

    def _read_manifest(self) -> Mapping[str, Any]:
        """Step 3 for the ZIP."""
        place = Place("the ZIP's manifest")
        with place.blaming(INTEGRITY, "it is not in canonical form"):
            envelope = read_canonical(bytes(self.files["manifest.json"]))
        payload, key = _open_envelope(envelope, "export", self.trust, place)
        with place.blaming(INTEGRITY, "its content"):
            manifest: dict[str, Any] = read_canonical(payload)
            _ARCHIVE(manifest, "")
        _check_signer(key, manifest["signer"], manifest["created_at"], place)
        for name in ("export_id", "origin"):
            if self.manifest is not None and manifest[name] != self.manifest[name]:
                detail, expected = f"another export: {name}", self.manifest[name]
                raise place.failure(INTEGRITY, detail, expected=expected, got=manifest[name])
        return manifest

    def _listed_failures(self, manifest: Mapping[str, Any]) -> Iterator[VerificationError]:
        listed, here = manifest["files"], self.files.keys() - {"manifest.json"}
        if listed.keys() != here:
            place, detail = Place("the files"), "the files are not those of the ZIP's manifest"
            missing, more = sorted(listed.keys() - here), sorted(here - listed.keys())
            got = f"without {_show(', '.join(missing))}, with {_show(', '.join(more))}"
            yield place.failure(INTEGRITY, detail, expected=f"{len(listed)} files", got=got)
        for name in sorted(listed.keys() & here):
            content, said = self.files[name], listed[name]
            found = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            if found != said:
                place, expected = Place(name), f"{said['size']} bytes, {said['sha256']}"
                detail, got = "another file than the ZIP's manifest names", f"{found['size']} bytes, {found['sha256']}"
                yield place.failure(INTEGRITY, detail, expected=expected, got=got)

    def _loose(self, document: Mapping[str, Any]) -> Iterator[tuple[str, bytes | memoryview]]:
        """What the loose files must hold, by the export."""
        lines = bytearray()  # grows in place: joining pieces would hold all of them twice
        for envelope in document["receipts"]:
            lines += canonical_json(envelope) + b"\n"
        yield "receipts.jsonl", memoryview(lines)
        yield from (
            (name, self.encoded[part])
            for name, part in (("openings.json", "openings"), ("keys/keys.json", "keys"))
            if part in self.encoded
        )
        if document.get("keyring") is not None:
            yield "keys/keyring.json", canonical_json(document["keyring"])
        sizes = {}
        for entry in document["checkpoints"]:
            size = entry["note"].partition("\n")[2].partition("\n")[0]
            note = entry["note"].encode("utf-8", "surrogatepass")
            sizes[hashlib.sha256(note).hexdigest()] = size
            yield f"checkpoints/{size}.txt", note
        for number, entry in enumerate(document.get("anchors", ()), 1):
            kind, size = entry["kind"], sizes.get(entry["checkpoint"], "unknown")
            yield f"anchors/{size}-{kind}-{number}.{_ENDINGS.get(kind, 'json')}", _lenient_base64(entry["evidence"])
        for entry in document.get("attestations", ()):
            yield f"attestations/{entry['weights_sha256']}.json", canonical_json(entry["bundle"])
        for entry in document.get("proofs", ()):
            seq = self.seqs.get(entry["receipt_hash"], 0)
            yield f"proofs/{seq}.tlog-proof", entry["proof"].encode("utf-8", "surrogatepass")

    def _loose_failures(self, expected: Mapping[str, bytes | memoryview]) -> Iterator[VerificationError]:
        loose = {name for name in self.files if name.startswith(_FOLDERS)} | {"receipts.jsonl", "openings.json"}
        for name in sorted((loose | expected.keys()) & (self.files.keys() | expected.keys())):
            found, said = self.files.get(name), expected.get(name)
            if found != said:
                detail = "is not what export.json holds"
                yield Place(name).failure(INTEGRITY, detail, expected=_size(said), got=_size(found))

    def _report_failures(self) -> Iterator[VerificationError]:
        if not embeds(self.files["report.pdf"], self.files["export.json"]):
            detail, expected = "embeds another export than export.json", "the bytes of export.json, embedded"
            yield Place("report.pdf").failure(INTEGRITY, detail, expected=expected, got="no such file in it")


def _lenient_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _size(content: bytes | memoryview | None) -> str:
    if content is None:
        return "no such file"
    return f"{len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


def embeds(report: memoryview | bytes, export: memoryview | bytes) -> bool:
    """Whether a compressed stream of a PDF, up to its `endstream`, holds exactly these bytes and nothing else.

    What begins otherwise is dropped at its first byte; a report begins like its export once, and not for ever again.
    """
    raw, end, begun = bytes(report), 0, 0
    starts = (match.end() for match in re.finditer(rb"stream\r?\n", raw))
    packed = (start for start in starts if raw[start : start + 1].hex()[1:] == "8")  # zlib's first byte
    text = memoryview(raw)
    for start in islice(packed, REPORT_STREAMS):
        if end < start:
            end = raw.find(b"endstream", start)
        if end < 0 or begun == REPORT_TRIES:
            return False
        if _inflates_to(text[start:end], memoryview(export[:1]), whole=False):
            begun += 1
            if _inflates_to(text[start:end], memoryview(export)):
                return True
    return False


def _inflates_to(packed: memoryview, expected: memoryview, *, whole: bool = True) -> bool:
    """Whether zlib's stream gives these bytes (and no more, if `whole`), and only an end of line comes after it."""
    inflater, at, piece = zlib.decompressobj(), 0, 65_536 if whole else 1
    try:
        while not inflater.eof:
            waiting = inflater.unconsumed_tail
            found = inflater.decompress(waiting or packed[:65_536], piece)
            if found != expected[at : at + len(found)] or not (waiting or packed or found):
                return False
            at, packed = at + len(found), packed if waiting else packed[65_536:]
            if at and not whole:
                return True
    except zlib.error:
        return False
    rest = inflater.unused_data[:3] + bytes(packed[:3])
    return at == len(expected) and rest in {b"", b"\n", b"\r", b"\r\n"}


# ── Step 12: the document and its verdicts ───────────────────────────────────────────────────────────────────────────


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
    manifest: Mapping[str, Any], document: Mapping[str, Any], encoded: Mapping[str, memoryview]
) -> Iterator[VerificationError]:
    """Step 3: each part is the one that the manifest was signed over."""
    for name in manifest["parts"]:
        place, digest = Place(f"the part {name!r}"), hashlib.sha256(encoded[name]).hexdigest()
        count = len(document[name]) if name != "keyring" else int(document[name] is not None)
        stated, counted = manifest["parts"][name], manifest["counts"][name]
        if digest != stated:
            yield place.failure(INTEGRITY, "not the part that was exported", expected=stated, got=digest)
        if count != counted:
            yield place.failure(INTEGRITY, "another number of entries", expected=f"{counted}", got=f"{count}")


def _spelled(value: Any, respell: Callable[[Any], bytes]) -> Iterator[bytes]:
    """A part of an export in pieces: a list entry by entry, as it may be all of the file."""
    if not isinstance(value, list):
        yield respell(value)
        return
    for index, entry in enumerate(value):
        yield (b"," if index else b"[") + respell(entry)
    yield b"]" if value else b"[]"


def _version(document: Any) -> int:
    """Which of the two formats: only the second has anchors."""
    return int(isinstance(document, dict) and "anchors" in document)


@dataclass
class _Examination:
    """One run over one export: what was found so far."""

    trust: Trust | None
    known_head: Head | Checkpoint | None
    failures: list[VerificationError] = field(default_factory=list)
    inside: Trust | None = None
    document: dict[str, Any] | None = None
    encoded: dict[str, memoryview] = field(default_factory=dict)
    manifest: dict[str, Any] | None = None
    scope: Scope = field(default_factory=Scope)
    total: int = 0
    opened: list[Statement | None] = field(default_factory=list)
    asides: list[Statement | None] = field(default_factory=list)
    gaps: int = 0
    commitments: int = 0
    openings: int = 0
    claims: Counter[str] = field(default_factory=Counter)
    attestations: dict[str, Attestation] = field(default_factory=dict)
    log: _Log | None = None
    reached: int = 0  # the seq up to which the known head vouches for the chain

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

    def run_archive(self, data: bytes) -> None:
        """A ZIP: its container, its export, and then what lies beside it."""
        files = self.attempt(self._unpack, data)
        if files is None:
            return
        if "export.json" in files:
            self.run(bytes(files["export.json"]))
        seqs = {statement.receipt_hash: statement.seq for statement in [*self.receipts, *filter(None, self.asides)]}
        archive = _Archive(files, self._trusted(), self.document, self.encoded, self.manifest, seqs)
        self.failures.extend(archive.failures())

    def run(self, text: bytes) -> None:
        """An export as JSON: steps 1 to 10."""
        document = self.attempt(self._read, text)
        if document is None:
            return
        self.document, self.total = document, len(document["receipts"])
        self.encoded = self.attempt(self._encode, document, text) or {}
        if self.trust is not None:
            self.trust = self.attempt(_with_keyring, self.trust, document.get("keyring")) or self.trust
        trust = self._trusted()
        self.manifest = self.attempt(self._read_manifest, document, trust)
        if self.manifest is not None and self.encoded:
            self.failures.extend(_part_failures(self.manifest, document, self.encoded))
        self._open_all(document["receipts"], document.get("asides", ()), trust)
        walk = _Walk(self.scope, self.opened)
        self.failures.extend(walk.failures())
        self.gaps = walk.gaps
        receipts = self.receipts
        self._open_commitments(document["openings"], receipts)
        claims = (self.attempt(_check_weights_of, statement) for statement in receipts)
        self.claims = Counter(claim for claim in claims if claim is not None)
        self._read_attestations(document.get("attestations", ()), receipts)
        self._follow_log(document, trust)
        if self.known_head is not None and self.log is not None:
            self.reached = self.attempt(self._compare_head, self.known_head, self.log) or 0

    def _trusted(self) -> Trust:
        """The auditor's keys, or those inside the file, which show no more than that it agrees with itself."""
        if self.trust is not None:
            return self.trust
        if self.inside is None:
            found = self.attempt(self._inside_trust, self.document) if self.document is not None else None
            self.inside = found or Trust(None, {}, external=False)
        return self.inside

    def _unpack(self, data: bytes) -> dict[str, memoryview]:
        with Place("the file").blaming(INTEGRITY, "the container is not the one made of its files"):
            return read_archive(data)

    def _read(self, text: bytes) -> dict[str, Any]:
        with Place("the file").blaming(INTEGRITY, "it cannot be read"):
            document: dict[str, Any] = read_json(text)
            _DOCUMENTS[_version(document)](document, "")
        return document

    def _encode(self, document: dict[str, Any], text: bytes) -> dict[str, memoryview]:
        """The canonical bytes of each part, as slices of the file: they and their names must be all of it."""
        with Place("the file").blaming(INTEGRITY, "it is not in canonical form"):
            if _deepest(text, MAX_DEPTH) > MAX_DEPTH:
                raise FormError("", f"nesting of at most {MAX_DEPTH}", "deeper nesting")
            respell, encoded, at = respelling(text), {}, 0
            for name in sorted(document):
                start = after_same_bytes(text, at, [b'%b"%b":' % (b"," if at else b"{", name.encode())])
                at = after_same_bytes(text, start, _spelled(document[name], respell))
                encoded[name] = memoryview(text)[start:at]
            at = after_same_bytes(text, at, [b"}"])
            _require(at == len(text), f"byte {at}", "the end of the file", text[at : at + 20])
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
            _MANIFESTS[_version(document)](manifest, "")
            scope = _read_scope(manifest["scope"])
        _check_signer(key, manifest["signer"], manifest["created_at"], place)
        if trust.origin is not None and manifest["origin"] != trust.origin:
            raise place.failure(
                AUTHENTICITY, "an export of another customer", expected=trust.origin, got=manifest["origin"]
            )
        self.scope = scope
        return manifest

    def _open_all(self, envelopes: Sequence[Any], asides: Sequence[Any], trust: Trust) -> None:
        """Step 4. In a whole chain a receipt's place in the file is its seq, known before it may be read."""
        origin = self.manifest["origin"] if self.manifest else None
        whole = self.scope.kind == "organization" and self.scope.start is None
        for index, envelope in enumerate(envelopes):
            place = Place(f"receipts[{index}]", index + 1 if whole else None)
            self.opened.append(self.attempt(_open_receipt, envelope, trust, origin, place))
        for index, envelope in enumerate(asides):
            self.asides.append(self.attempt(_open_receipt, envelope, trust, origin, Place(f"asides[{index}]")))

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
                self.attempt(self._check_opens, key[1], place)
        self.commitments, self.openings = len(made), len(opened)

    def _check_opens(self, name: str, place: Place) -> None:
        """An export that opens nothing, or nothing personal, opens no more than that."""
        opens = (self.manifest or {}).get("opens", "all")
        if opens == "nothing" or (opens == "impersonal" and name.startswith(PERSONAL_PREFIX)):
            detail, expected = "the export opens more than it says", f"what opens: {opens} allows"
            raise place.failure(COVERAGE, detail, expected=expected, got=_show(name))

    def _read_attestations(self, entries: Sequence[Mapping[str, Any]], receipts: Sequence[Statement]) -> None:
        """Step 7, of what others signed."""
        before = ""
        for index, entry in enumerate(entries):
            place = Place(f"attestations[{index}]")
            if entry["weights_sha256"] <= before:
                expected, got = f"more than {before}", entry["weights_sha256"]
                self.failures.append(place.failure(INTEGRITY, "out of order", expected=expected, got=got))
            before = entry["weights_sha256"]
            attestation = self.attempt(_read_attestation, entry, place)
            if attestation is not None:
                self.attestations[attestation.weights_sha256] = attestation
        self.failures.extend(_claim_failures(self.attestations, receipts))

    def _follow_log(self, document: Mapping[str, Any], trust: Trust) -> None:
        """Steps 8 and 9; a document of the first format has no log, but its receipts name their last anchors."""
        parts = {name: document.get(name, ()) for name in ("anchors", "checkpoints", "heads", "proofs")}
        asides = [statement for statement in self.asides if statement is not None]
        self.log = _Log(
            document=parts,
            trust=trust,
            scope=self.scope,
            origin=self.manifest["origin"] if self.manifest else trust.origin,
            receipts=self.receipts,
            asides=asides,
            complete=None not in self.opened,
        )
        self.log.run()
        self.failures.extend(self.log.failures)

    def _compare_head(self, head: Head | Checkpoint, log: _Log) -> int:
        """Step 10."""
        if isinstance(head, Head):
            return _check_head(head, log.receipts, log.asides, self.scope)
        return _check_signed_head(head, log)

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
        if self.manifest is None or len(self.receipts) < self.total or None in self.asides:
            return Verdict(check, NOT_CHECKED, "Not everything could be read: see the failures below.", limits)
        return Verdict(check, outcome, proves, limits)

    def _integrity(self) -> tuple[str, str, str]:
        proves = f"Every byte is as it was signed, and the links between the {self.total} receipts here are unbroken."
        if self.log is not None and self.log.checkpoints:
            counted = _count(len(self.log.checkpoints), "checkpoint")
            proves += f" The log and its anchors agree with them, at {counted}."
        return HOLDS, proves, "Not who signed, nor that nothing is missing at the end."

    def _authenticity(self) -> tuple[str, str, str]:
        limits = "Not that the holder of the key told the truth, nor that the key was never stolen."
        if self.trust is None:
            own = "Self-consistent only: the keys came with the file, and anybody can make such a file. Give --trust."
            return NOT_CHECKED, own, limits
        existed = self.log.existed if self.log else {}
        late = sum(_may_be_back_dated(statement, existed) for statement in self.receipts)
        if late:
            limits += (
                f" {late} rely on a key revoked later: only an outside clock could show that they are not back-dated."
            )
        ring = self.document is not None and self.document.get("keyring") is not None and self.trust.root is not None
        named = "that your trust file names, or its root signed" if ring else "that your trust file names"
        return HOLDS, f"All signatures are by keys of {self.trust.origin} {named}.", limits

    def _time(self) -> tuple[str, str, str]:
        limits = "Not when anything happened, only when it existed at the latest: issued_at is the issuer's statement."
        log = self.log
        if log is None or not log.stamped:
            proves = "No outside clock in this export; the issuer's own clock never ran backwards."
            return NOT_CHECKED, proves, "Not when anything happened: the times are the issuer's own statement."
        if not log.stamps and (why := self._unstamped(log)):
            tail = self._tail(log.tail(log.stamped))
            return NOT_CHECKED, f"The time stamps of {_count(len(log.stamped), 'checkpoint')} {why}. {tail}", limits
        first, last = min(at for at, _ in log.stamps.values()), max(at for at, _ in log.stamps.values())
        if not log.stamps:
            return NOT_CHECKED, "No time stamp here holds.", limits
        counted = _count(len(log.stamps), "checkpoint")
        until = f" to {_moment_text(last)}" if last > first else ""
        span = f"The time stamps of {counted} hold, from {_moment_text(first)}{until}."
        open_ended = log.uncovered()
        if open_ended:
            return NOT_CHECKED, f"{span} {self._tail(open_ended)}", limits
        return HOLDS, f"{span} Every receipt here existed by the stamp over it, and none is issued after it.", limits

    def _unstamped(self, log: _Log) -> str:
        """Why the time stamps were not verified, if so."""
        if not log.trust.tsa_roots:
            return "were not verified: your trust file names no time-stamping authority"
        if _time_stamps() is None:
            return "were not verified: that needs the package rfc3161-client (pip install rfc3161-client)"
        return ""

    def _tail(self, count: int) -> str:
        if not count:
            return "They cover every receipt here."
        covered, verb = len(self.receipts) - count, "is" if count == 1 else "are"
        here = _count(len(self.receipts), "receipt")
        return f"They cover {covered} of the {here} here; {count} {verb} not yet anchored."

    def _completeness(self) -> tuple[str, str, str]:
        tail = "A cut tail cannot be seen from inside: only a later head or a witness shows it."
        if self.scope.kind != "organization":
            return self._partly_complete(tail)
        begin = f"from seq {self.receipts[0].seq}" if self.scope.start and self.receipts else "from the genesis"
        seen = max(self.log.spans(self.log.witnessed), default=(0, "")) if self.log else (0, "")
        if self.reached and self.reached >= seen[0]:
            proves = f"Nothing is missing {begin} to the head that you hold, seq {self.reached}."
            return HOLDS, proves, "Not what was issued after that head."
        if self.log is not None and seen[0]:
            name, at = self.log.witnessed[seen[1]]
            after = sum(statement.seq > seen[0] for statement in self.receipts)
            proves = f"Nothing is missing {begin} to seq {seen[0]}, in the log that {name} saw at {_seconds_text(at)}."
            return HOLDS, proves, f"Not what was issued after that: {after} of the receipts here no witness has seen."
        proves = f"None: no gap {begin} to the last receipt here, but no later head (--head) and no witness that you "
        return NOT_CHECKED, f"{proves}trust to compare with. A chain that was made again would look the same.", tail

    def _partly_complete(self, tail: str) -> tuple[str, str, str]:
        """What the receipts of a release or an application prove of themselves, and what only the whole chain does."""
        counted = f"{self.gaps} gap{'' if self.gaps == 1 else 's'}"
        gaps = f"{counted} in the organization's chain, as expected of a part of it."
        span = "between its first and its last here" if self.scope.start else "before its last"
        if self.scope.kind == "release":
            if known := self._release_known():
                proves = f"No receipt of this release is missing up to {known}; {gaps}"
                return (
                    HOLDS,
                    proves,
                    "Not what came after, nor that the issuer told the true head there: the whole chain shows that.",
                )
            links = f"{NONE_BEYOND} no receipt of this release is missing {span}; {gaps}"
            return NOT_CHECKED, f"{links}{self._heads_words()}", tail
        if self.scope.kind == "application":
            known = (
                f"{NONE_BEYOND} every receipt here was signed as one of this application, and no release here misses"
            )
            limits = (
                "Not that every release and route of it is here: one that was left out whole is a gap like any other. "
                f"Only an export of the organization shows that. {tail}"
            )
            return NOT_CHECKED, f"{known} one {span}; {gaps}{self._heads_words()}", limits
        return NOT_CHECKED, f"{NONE_BEYOND} {gaps}", tail

    def _release_known(self) -> str:
        """Up to which anchor the release is whole: by its head there, in a receipt that somebody outside holds too.

        The witness saw the log, not the heads: these are told by the anchor's receipt, which comes later. So it counts
        where that receipt is proven to be in a log that was seen.
        """
        if self.log is None or self.scope.start:
            return ""
        for anchor in sorted(self.log.anchors.values(), key=lambda anchor: -anchor.size):
            held, head = self._held_by(anchor, self.log), self.log.heads.get((anchor.checkpoint, self.scope.name))
            if held and head is not None and head["receipt_hash"] in self.log.by_hash:
                size = _count(anchor.size, "receipt")
                return f"its head at the anchor of {size}, told by seq {anchor.statement.seq}, {held}"
        return ""

    def _held_by(self, anchor: Anchor, log: _Log) -> str:
        """Who outside holds the receipt of this anchor, in words; empty for nobody."""
        head, receipt_hash = self.known_head, anchor.statement.receipt_hash
        if isinstance(head, Head) and head.receipt_hash == receipt_hash:
            return "which is the head that you hold"
        for checkpoint in log.proofs.get(receipt_hash, ()):
            if isinstance(head, Checkpoint) and (head.size, head.root) == (checkpoint.size, checkpoint.root):
                return f"which is in the log that you hold the head of, {head.size} receipts"
            if checkpoint.sha256 in log.witnessed:
                name, at = log.witnessed[checkpoint.sha256]
                return f"which is in the log that {name} saw at {_seconds_text(at)}"
        return ""

    def _heads_words(self) -> str:
        """What the heads of releases say where nobody outside vouches for the anchor."""
        newest = self.log.newest if self.log else None
        if self.log is None or newest is None or not self.log.heads:
            return ""
        return f" Each reaches its head at the anchor of {_count(newest.size, 'receipt')}, as the issuer told it there."

    def _weights(self) -> tuple[str, str, str]:
        counted = "; ".join(f"{count} {claim}" for claim, count in sorted(self.claims.items())) or "no receipts"
        proves = f"The claims are consistent in themselves: {counted}."
        limits = "Not which weights served: nothing is said of what is not claimed, and nobody saw declared weights."
        if not self.attestations:
            return HOLDS, proves, limits
        limits += " Nor whose keys signed the attestations: compare the fingerprints with ones that you know."
        signers = ", ".join(sorted({found.signer[:16] for found in self.attestations.values()}))
        counted = _count(len(self.attestations), "attestation")
        if unverified := sum(not found.verified for found in self.attestations.values()):
            missing = (
                f"The signature of {_count(unverified, 'attestation')} was not checked: that needs the key in it, and"
            )
            return NOT_CHECKED, f"{proves} {missing} the package cryptography.", limits
        return HOLDS, f"{proves} {counted} of weight files agree with them, signed by {signers}.", limits

    def _coverage(self) -> tuple[str, str, str]:
        closed = self.commitments - self.openings
        limits = "Not the truth of a value, only that it is the one committed to; closed values stay unknown."
        proves = f"{self.openings} of {self.commitments} commitments are opened here, and match; {closed} stay closed."
        opens = (self.manifest or {}).get("opens", "all")
        if opens != "all":
            proves += f" The export says that it opens {'nothing' if opens == 'nothing' else 'nothing personal'}."
        return (NOT_CHECKED if closed else HOLDS), proves, limits


def _may_be_back_dated(statement: Statement, existed: Mapping[str, datetime]) -> bool:
    """Signed by a key that was revoked later, and no outside clock shows that it existed before."""
    if statement.key.revoked_at is None:
        return False
    at = existed.get(statement.receipt_hash)
    return at is None or at >= _datetime(statement.key.revoked_at)


def _count(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"


def _seconds_text(seconds: int) -> str:
    """Of seconds since 1970, which a witness may set to anything."""
    try:
        return _moment_text(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"


def verify_document(text: bytes, trust: Mapping[str, Any] | None, head: Head | Checkpoint | None = None) -> Report:
    """Verify an export as JSON. Returns the report if nothing failed, else raises the first failure with `report` set.

    Raises `TrustError` if the trust file itself is unusable.
    """
    examination = _Examination(None if trust is None else read_trust(trust), head)
    examination.run(text)
    return _reported(examination)


def verify_file(data: bytes, trust: Mapping[str, Any] | None, head: Head | Checkpoint | None = None) -> Report:
    """The same for an export as JSON or as the ZIP that holds it."""
    examination = _Examination(None if trust is None else read_trust(trust), head)
    if data[:2] == b"PK":
        examination.run_archive(data)
    else:
        examination.run(data)
    return _reported(examination)


def _reported(examination: _Examination) -> Report:
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
        head = _load_head(options.head, trust) if options.head else None
        report = _examine(text, trust, head)
    except TrustError as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        print("\n".join(_lines(report, quiet=options.quiet)), end="\n" if report.failures or not options.quiet else "")
    return report.exit_code


def _examine(text: bytes, trust: Mapping[str, Any] | None, head: Head | Checkpoint | None) -> Report:
    try:
        return verify_file(text, trust, head)
    except VerificationError as failure:
        assert failure.report is not None
        return failure.report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="Verify a relcontrol export offline. "
        "Exit 0: all holds, 1: something failed, 2: usage, 3: something was not checked.",
        epilog="Example: python3 verify.py export.zip --trust trust.json --head 41:9f2c...",
    )
    parser.add_argument("file", metavar="FILE", help="the export: its ZIP or its JSON file")
    parser.add_argument("--trust", metavar="FILE", help="trust.json, given to you by another way than the export")
    parser.add_argument(
        "--head", metavar="HEAD", help="the newest head that you know of: SEQ:HASH, or a file with it or a signed head"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="print failures only")
    return parser


def _read_file(name: str, what: str) -> bytes:
    path = Path(name)
    try:
        with path.open("rb") as file:  # a pipe or a device has no size that could be asked before
            sized = path.is_file() and path.stat().st_size <= MAX_FILE_BYTES
            content = file.read(-1 if sized else MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TrustError(f"{what} cannot be read: {error}") from None
    if len(content) > MAX_FILE_BYTES:
        raise TrustError(f"{what} {name} is larger than {MAX_FILE_BYTES} bytes")
    return content


def _load_trust(name: str) -> Any:
    try:
        return read_json(_read_file(name, "the trust file"))
    except FormError as error:
        raise TrustError(f"the trust file is not usable: {error}") from None


def _load_head(text: str, trust: Mapping[str, Any] | None) -> Head | Checkpoint:
    if re.match("[0-9]+:", text):
        return read_head(text)
    return read_known_head(_read_file(text, "the known head").decode("utf-8", "replace"), trust)


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
    beside = Path(__file__).resolve().parent  # what lies beside this file is no package that it may import
    sys.path[:] = [folder for folder in sys.path if Path(folder).resolve() != beside]
    sys.exit(main())
