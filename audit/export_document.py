"""The export as one JSON document (receipts.md "Export"), streamed.

The document is `{checkpoints, keys, manifest, openings, receipts}` in RFC 8785 bytes: the keys stand in that order.
`manifest` is a DSSE envelope, signed by a key of purpose `export`, over

    {schema: "relcontrol/export/v1", export_id, scope, created_at, origin, signer {keyid, role: "export"},
     parts {checkpoints, keys, openings, receipts: SHA-256 over the RFC 8785 bytes of the part},
     counts {checkpoints, keys, openings, receipts}}

and stands before the parts that it hashes, so receipts and openings are read twice: each is given as a function that
starts a new pass, and one entry at a time is held. If the passes differ, `build` raises: what it yielded is then
worthless, and the caller throws it away. `scope` holds exactly one of organization, application and release, and
`from` and `to`; a receipt is inside if from ≤ issued_at < to. `checkpoints` is empty until there are anchors.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audit.envelope import sign_envelope
from audit.keys import EXPORT, PublicKey, Signer
from relcontrol.bundle.canonical import canonical_bytes

SCHEMA = "relcontrol/export/v1"


class ExportChangedError(RuntimeError):
    """The second pass over receipts or openings did not give what the first gave."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an export holds: exactly one of the first three, optionally within a time range."""

    organization: bool = False
    application: str | None = None
    release: str | None = None
    start: str | None = None
    end: str | None = None

    def __post_init__(self) -> None:
        if sum([self.organization, self.application is not None, self.release is not None]) != 1:
            raise ValueError("an export has one scope: organization, application or release")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"an export's time range ends after it starts, not at {self.end} after {self.start}")

    def as_json(self) -> dict[str, Any]:
        limits = {"from": self.start, "to": self.end}
        if self.organization:
            return {"organization": True, **limits}
        if self.application is not None:
            return {"application": self.application, **limits}
        return {"release": self.release, **limits}


@dataclass(frozen=True, slots=True)
class Opening:
    """What this auditor may see of what a receipt committed to."""

    receipt_hash: str
    field: str
    salt: str
    value: Any

    def as_json(self) -> dict[str, Any]:
        return {"receipt_hash": self.receipt_hash, "field": self.field, "salt": self.salt, "value": self.value}


Entries = Callable[[], Iterable[dict[str, Any]]]


class _Part:
    """One array of the document, encoded piece by piece; counts and hashes what goes through."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries
        self.count = 0
        self.sha256 = ""

    def pieces(self) -> Iterator[bytes]:
        digest, self.count = hashlib.sha256(), 0
        for piece in self._encoded():
            digest.update(piece)
            yield piece
        self.sha256 = digest.hexdigest()

    def _encoded(self) -> Iterator[bytes]:
        yield b"["
        for entry in self._entries():
            yield (b"," if self.count else b"") + canonical_bytes(entry)
            self.count += 1
        yield b"]"


def build(
    *,
    export_id: str,
    scope: Scope,
    created_at: str,
    origin: str,
    keys: Sequence[PublicKey],
    receipts: Entries,
    openings: Callable[[], Iterable[Opening]] = tuple,
    key: Signer,
) -> Iterator[bytes]:
    """The document in pieces. `receipts` starts a pass over DSSE envelopes in order of seq; it is called twice."""
    if key.purpose != EXPORT:
        raise ValueError(f"exports are signed by a key of purpose {EXPORT}, not {key.purpose}")
    parts = {
        "checkpoints": _Part(tuple),
        "keys": _Part(lambda: (public.as_json() for public in keys)),
        "openings": _Part(lambda: (opening.as_json() for opening in openings())),
        "receipts": _Part(receipts),
    }
    for part in parts.values():
        for _ in part.pieces():
            pass
    manifest = {
        "schema": SCHEMA,
        "export_id": export_id,
        "scope": scope.as_json(),
        "created_at": created_at,
        "origin": origin,
        "signer": {"keyid": key.keyid, "role": EXPORT},
        "parts": {name: part.sha256 for name, part in parts.items()},
        "counts": {name: part.count for name, part in parts.items()},
    }
    return _document(parts, sign_envelope(canonical_bytes(manifest), key))


def _document(parts: dict[str, _Part], manifest: dict[str, Any]) -> Iterator[bytes]:
    separator = b"{"
    for name in sorted([*parts, "manifest"]):
        yield separator + b'"%b":' % name.encode("ascii")
        yield from _again(name, parts[name]) if name in parts else [canonical_bytes(manifest)]
        separator = b","
    yield b"}"


def _again(name: str, part: _Part) -> Iterator[bytes]:
    """The second pass: it must give the bytes that the manifest was signed over."""
    signed = part.sha256
    yield from part.pieces()
    if part.sha256 != signed:
        raise ExportChangedError(f"the {name} changed while the export was written; make it again")
