"""The loose files of an export's ZIP, found in one pass over its stored JSON and read from there by place. Pure."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.exporting.bundle import Bytes
from audit.exporting.choosing import sha256_of
from audit.exporting.stored import Stored
from relcontrol.bundle.canonical import canonical_bytes

ENDINGS = {"rfc3161": "tsr", "witness": "txt"}
FILES: Mapping[str, Callable[[Any], bytes]] = {
    "anchors": lambda entry: base64.b64decode(entry["evidence"]),
    "attestations": lambda entry: canonical_bytes(entry["bundle"]),
    "checkpoints": lambda entry: entry["note"].encode("utf-8"),
    "proofs": lambda entry: entry["proof"].encode("utf-8"),
}
WHOLE = {"keys": "keys/keys.json", "openings": "openings.json"}
Places = Callable[[int, int], Iterable[bytes]]


@dataclass(slots=True)
class Loose:
    """Files by name, and what the README and the ZIP's manifest say again."""

    files: dict[str, Bytes] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: dict[str, int] = field(default_factory=dict)  # digest of the note → size


def loose_files(document: Callable[[], Iterable[bytes]], places: Places) -> Loose:
    """The files that the JSON holds. `document` starts a pass over it, `places` gives the bytes from … to …."""
    loose, stored, anchors = Loose(), Stored(document()), []
    for name, entries in stored.members():
        start = stored.place
        for entry in entries:
            if name == "anchors":
                anchors.append((entry.start, entry.end, entry.value["checkpoint"], entry.value["kind"]))
            elif name in FILES:
                loose.files[_name(loose, name, entry.value)] = _part(places, name, entry.start, entry.end)
            elif name == "manifest":
                loose.manifest = json.loads(base64.b64decode(entry.value["payload"]))
            elif name == "keyring" and entry.value:
                loose.files["keys/keyring.json"] = _slice(places, entry.start, entry.end)
        if name in WHOLE:
            loose.files[WHOLE[name]] = _slice(places, start, stored.place)
    for number, (start, end, digest, kind) in enumerate(anchors, 1):
        named = f"anchors/{loose.checkpoints[digest]}-{kind}-{number}.{ENDINGS.get(kind, 'json')}"
        loose.files[named] = _part(places, "anchors", start, end)
    loose.files["receipts.jsonl"] = lambda: _lines(Stored(document()), "receipts")
    return loose


def _name(loose: Loose, member: str, entry: Mapping[str, Any]) -> str:
    if member == "attestations":
        return f"attestations/{entry['weights_sha256']}.json"
    if member == "proofs":
        index = entry["proof"].split("\n", 2)[1].removeprefix("index ")
        return f"proofs/{int(index) + 1}.tlog-proof"
    size = int(entry["note"].split("\n", 2)[1])
    loose.checkpoints[sha256_of(entry["note"])] = size
    return f"checkpoints/{size}.txt"


def _part(places: Places, member: str, start: int, end: int) -> Bytes:
    return lambda: [FILES[member](json.loads(b"".join(places(start, end))))]


def _slice(places: Places, start: int, end: int) -> Bytes:
    return lambda: places(start, end)


def _lines(stored: Stored, member: str) -> Iterator[bytes]:
    """The entries of a member, one in a line."""
    for name, entries in stored.members():
        for entry in entries:
            if name == member:
                yield entry.text.encode("utf-8") + b"\n"
