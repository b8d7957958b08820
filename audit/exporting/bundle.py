"""The export as one ZIP (receipts.md "Export"): deterministic, streamed, signed by digest. Pure.

The container is written here to the byte, and a verifier makes it anew from its entries and compares: entries in
ascending order of their names, stored, no flags but UTF-8 names, version 20, time 1980-01-01 00:00:00, mode 0644, no
extra fields, no comments, no ZIP64, no data descriptors. So no byte of it is free to be flipped.

A file is given as a function that starts a pass over its bytes, and gone through twice: once for its size and digests,
which stand before its bytes, and once to write it. `manifest.json` is a DSSE envelope, signed by a key of purpose
`export`, over the size and SHA-256 of every other file.
"""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from audit.envelope import sign_envelope
from audit.keys.signing import EXPORT, Signer
from relcontrol.bundle.canonical import canonical_bytes

SCHEMA = "relcontrol/bundle/v1"
MANIFEST = "manifest.json"
MOST_BYTES = 1024**3 - 1  # of the files, and of the container
MOST_FILES = 65_534
NAME = re.compile(r"README\.txt|[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)?")
MADE_BY, NEEDED, UTF8, STORED = 0x0314, 20, 0x0800, 0
TIME, DATE = 0, 0x0021
MODE = 0o100644 << 16

Bytes = Callable[[], Iterable[bytes]]


class BundleTooLargeError(ValueError):
    """The files are more than one such ZIP holds."""


class BundleChangedError(RuntimeError):
    """The second pass over a file did not give what the first gave."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of the ZIP after its first pass."""

    name: str
    content: Bytes
    size: int
    crc: int
    sha256: str


def measured(name: str, content: Bytes | bytes) -> File:
    """Go through a file once. Raises `ValueError` for a name that no such ZIP holds."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a file in an export's ZIP")
    opened: Bytes = content if callable(content) else lambda: [content]
    size, crc, digest = 0, 0, sha256()
    for piece in opened():
        size += len(piece)
        crc = crc32(piece, crc)
        digest.update(piece)
    if size > MOST_BYTES:
        raise BundleTooLargeError(f"{name} is {size:,} bytes; all files together may be {MOST_BYTES:,}")
    return File(name, opened, size, crc, digest.hexdigest())


def manifest_of(*, export_id: str, origin: str, created_at: str, files: Iterable[File], key: Signer) -> File:
    """`manifest.json` over all other files. Raises `ValueError` for a key that signs no exports."""
    if key.purpose != EXPORT:
        raise ValueError(f"exports are signed by a key of purpose {EXPORT}, not {key.purpose}")
    payload = {
        "schema": SCHEMA,
        "export_id": export_id,
        "origin": origin,
        "created_at": created_at,
        "signer": {"keyid": key.keyid, "role": EXPORT},
        "files": {file.name: {"sha256": file.sha256, "size": file.size} for file in files},
    }
    return measured(MANIFEST, canonical_bytes(sign_envelope(canonical_bytes(payload), key)))


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """The container of these files, in memory."""
    return b"".join(zip_pieces([measured(name, content) for name, content in files.items()]))


def zip_pieces(files: Sequence[File]) -> Iterator[bytes]:
    """The container in pieces. Raises `BundleTooLargeError` before the first, `ValueError` for a name given twice."""
    ordered = sorted(files, key=lambda file: file.name.encode("utf-8"))
    if len({file.name for file in ordered}) != len(ordered):
        raise ValueError("a name is given twice")
    if container_size(ordered) > MOST_BYTES:
        raise BundleTooLargeError(f"the ZIP would be {container_size(ordered):,} bytes; it may be {MOST_BYTES:,}")
    if len(ordered) > MOST_FILES:
        raise BundleTooLargeError(f"the ZIP would hold {len(ordered):,} files; it may hold {MOST_FILES:,}")
    return _container(ordered)


def container_size(files: Iterable[File]) -> int:
    """How many bytes the ZIP will have: 30 + 46 and twice the name for each file, 22 at the end."""
    return 22 + sum(76 + 2 * len(file.name.encode("utf-8")) + file.size for file in files)


def _container(files: Sequence[File]) -> Iterator[bytes]:
    directory, at = [], 0
    for file in files:
        name, fields = file.name.encode("utf-8"), _fields(file)
        local = struct.pack("<I", 0x04034B50) + fields + name
        yield local
        yield from _again(file)
        numbers = struct.pack("<HHHII", 0, 0, 0, MODE, at)
        directory.append(struct.pack("<IH", 0x02014B50, MADE_BY) + fields + numbers + name)
        at += len(local) + file.size
    yield from directory
    size = sum(len(entry) for entry in directory)
    yield struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(files), len(files), size, at, 0)


def _fields(file: File) -> bytes:
    """What the local header and the directory both say: version to length of extra fields."""
    length = len(file.name.encode("utf-8"))
    return struct.pack("<HHHHHIIIHH", NEEDED, UTF8, STORED, TIME, DATE, file.crc, file.size, file.size, length, 0)


def _again(file: File) -> Iterator[bytes]:
    """The second pass: it must give the bytes that the header was written for."""
    size, crc = 0, 0
    for piece in file.content():
        size += len(piece)
        crc = crc32(piece, crc)
        yield piece
    if (size, crc) != (file.size, file.crc):
        raise BundleChangedError(f"{file.name} changed while the ZIP was written; make it again")
