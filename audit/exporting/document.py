"""The export as one JSON document (receipts.md "Export"), streamed.

The document is an object in RFC 8785 bytes, so its members stand in the order of their names: anchors, asides,
attestations, checkpoints, heads, keyring, keys, manifest, openings, proofs, receipts. `manifest` is a DSSE envelope,
signed by a key of purpose `export`, over

    {schema: "relcontrol/export/v2", export_id, scope, created_at, origin, opens, signer {keyid, role: "export"},
     parts {every other member: SHA-256 over its RFC 8785 bytes}, counts {every other member: how many entries}}

(`keyring` is null or one envelope, and counts 0 or 1). What comes after it is hashed before it is written, so openings,
proofs and receipts are gone through twice: each may be given as a function that starts a new pass, and then one entry
at a time is held. If the passes differ, `build` raises: what it yielded is then worthless, and the caller throws it
away. `scope` holds exactly one of organization, application, release and person, and `from` and `to`; a receipt is
inside if from ≤ issued_at < to. Entries are written in the order in which they are given, which is the caller's:
audit/exporting/evidence.py knows it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.envelope import sign_envelope
from audit.keys.signing import EXPORT, PublicKey, Signer
from relcontrol.bundle.canonical import canonical_bytes

SCHEMA = "relcontrol/export/v2"
OPENS = ("all", "impersonal", "nothing")


class ExportChangedError(RuntimeError):
    """The second pass over receipts or openings did not give what the first gave."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an export holds: exactly one of the first four, optionally within a time range."""

    organization: bool = False
    application: str | None = None
    release: str | None = None
    person: str | None = None
    start: str | None = None
    end: str | None = None

    def __post_init__(self) -> None:
        named = [self.application, self.release, self.person]
        if self.organization + sum(name is not None for name in named) != 1:
            raise ValueError("an export has one scope: organization, application, release or person")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError(f"an export's time range ends after it starts, not at {self.end} after {self.start}")

    def as_json(self) -> dict[str, Any]:
        limits = {"from": self.start, "to": self.end}
        if self.organization:
            return {"organization": True, **limits}
        named = {"application": self.application, "release": self.release, "person": self.person}
        return {kind: name for kind, name in named.items() if name is not None} | limits


@dataclass(frozen=True, slots=True)
class Opening:
    """What this auditor may see of what a receipt committed to."""

    receipt_hash: str
    field: str
    salt: str
    value: Any

    def as_json(self) -> dict[str, Any]:
        return {"receipt_hash": self.receipt_hash, "field": self.field, "salt": self.salt, "value": self.value}


Entry = Mapping[str, Any]
Entries = Callable[[], Iterable[Entry]]


class _Part:
    """One member of the document, encoded piece by piece; counts and hashes what goes through."""

    def __init__(self, entries: Iterable[Entry] | Entries) -> None:
        self._entries: Entries = entries if callable(entries) else lambda: entries
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


class _Single(_Part):
    """A member that is one entry, or null."""

    def _encoded(self) -> Iterator[bytes]:
        entry = next(iter(self._entries()), None)
        self.count = int(entry is not None)
        yield canonical_bytes(entry)


def build(
    *,
    export_id: str,
    scope: Scope,
    created_at: str,
    origin: str,
    keys: Sequence[PublicKey],
    receipts: Entries,
    key: Signer,
    opens: str = "all",
    openings: Callable[[], Iterable[Opening]] = tuple,
    keyring: Entry | None = None,
    anchors: Sequence[Entry] | Entries = (),
    asides: Sequence[Entry] = (),
    attestations: Sequence[Entry] = (),
    checkpoints: Sequence[Entry] = (),
    heads: Sequence[Entry] = (),
    proofs: Sequence[Entry] | Entries = (),
) -> Iterator[bytes]:
    """The document in pieces. `receipts` starts a pass over DSSE envelopes in order of seq; it is called twice.

    Raises `ValueError` for a key that signs no exports, and where `opens` is none of `OPENS`.
    """
    if key.purpose != EXPORT:
        raise ValueError(f"exports are signed by a key of purpose {EXPORT}, not {key.purpose}")
    if opens not in OPENS:
        raise ValueError(f"an export opens {', '.join(OPENS)}, not {opens!r}")
    parts = {
        "anchors": _Part(anchors),
        "asides": _Part(asides),
        "attestations": _Part(attestations),
        "checkpoints": _Part(checkpoints),
        "heads": _Part(heads),
        "keyring": _Single([] if keyring is None else [keyring]),
        "keys": _Part([public.as_json() for public in keys]),
        "openings": _Part(lambda: (opening.as_json() for opening in openings())),
        "proofs": _Part(proofs),
        "receipts": _Part(receipts),
    }
    said = {
        "schema": SCHEMA,
        "export_id": export_id,
        "scope": scope.as_json(),
        "created_at": created_at,
        "origin": origin,
        "opens": opens,
        "signer": {"keyid": key.keyid, "role": EXPORT},
    }
    return _document(parts, sign_envelope(canonical_bytes(said | _measured(parts)), key))


def _measured(parts: Mapping[str, _Part]) -> dict[str, Any]:
    """The first pass over every part."""
    for part in parts.values():
        for _ in part.pieces():
            pass
    return {
        "parts": {name: part.sha256 for name, part in parts.items()},
        "counts": {name: part.count for name, part in parts.items()},
    }


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
