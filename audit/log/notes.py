"""Signed notes and checkpoints as C2SP has them (signed-note, tlog-checkpoint, tlog-cosignature): Ed25519 only.

A note is a text, an empty line and lines of signatures, each with the name and the id of its key. What a checkpoint
says is its text: origin, size and root. A cosignature is a witness's line, which carries the time that it signs with.
What is read is read strictly: one form only, so that no byte can change unseen. Pure: keys and time are given in.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE, COSIGNATURE = 0x01, 0x04  # types of signatures
KEY_ID_BYTES, TIME_BYTES, KEY_BYTES, SIGNATURE_BYTES, ROOT_BYTES = 4, 8, 32, 64, 32
MOST_SIGNATURES = 64
LARGEST_NOTE = 256 * 1024
LATEST = 2**63 - 1
DASH = "— "
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
CONTROL = frozenset(map(chr, range(32))) - {"\n"}


class NoteError(ValueError):
    """A note, key or signature that is not what it should be; the message says why."""


class NoteKey(Protocol):
    """What signs notes: `audit.keys.signing.SigningKey` does, and so does the key of a witness."""

    @property
    def public(self) -> bytes: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart. `signatures` holds (name of the key, its 4-byte id, what was signed) in their order."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the text of a checkpoint says; extension lines are allowed and mean nothing here."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The text of a checkpoint, ready to be signed. `root`: 32 raw bytes."""
    if not origin or "\n" in origin or len(root) != ROOT_BYTES or size < 0:
        raise NoteError("a checkpoint has an origin in one line, a size and a root of 32 bytes")
    return f"{origin}\n{size}\n{_base64(root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The text of a note as a checkpoint. Raises `NoteError` for any other text."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise NoteError("a checkpoint is an origin, a size and a root, each in a line of its own")
    origin, size, root, *extensions = lines
    if not SIZE.fullmatch(size) or int(size) > LATEST:
        raise NoteError(f"{size[:30]!r} is no size of a log")
    return Checkpoint(origin, int(size), _bytes(root, ROOT_BYTES), tuple(extensions))


def sign_note(text: str, name: str, key: NoteKey) -> str:
    """The note with this text and one signature."""
    if not text.endswith("\n") or CONTROL & set(text):
        raise NoteError("the text of a note ends with a newline and holds no other control character")
    return f"{text}\n{_line(name, NOTE, key.public, key.sign(_utf8(text)))}"


def cosign(text: str, name: str, key: NoteKey, at: int) -> str:
    """A witness's line below a checkpoint with this text, with its newline. `at`: seconds since 1970."""
    if not 1 <= at <= LATEST:
        raise NoteError(f"{at} is no time in seconds since 1970")
    signature = key.sign(_cosigned(text, at))
    return _line(name, COSIGNATURE, key.public, at.to_bytes(TIME_BYTES) + signature)


def parse_note(text: str) -> Note:
    """The note with its signatures, of which none is verified yet. Raises `NoteError` for what is no note."""
    if len(_utf8(text)) > LARGEST_NOTE or CONTROL & set(text):
        raise NoteError(f"a note has at most {LARGEST_NOTE} bytes and no control characters")
    body, gap, tail = text.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() or not 1 <= len(lines) <= MOST_SIGNATURES:
        raise NoteError(f"a note is a text, an empty line and 1 to {MOST_SIGNATURES} lines of signatures")
    signatures = tuple(parse_signature(line) for line in lines)
    if len({(name, key_id) for name, key_id, _ in signatures}) != len(signatures):
        raise NoteError("two signatures of a note are by the same key")
    return Note(f"{body}\n", signatures)


def parse_signature(line: str) -> tuple[str, bytes, bytes]:
    """(name, 4-byte key id, what was signed) of one line, without its newline. Raises `NoteError` for no such line."""
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH):
        raise NoteError("a line of a signature begins with a dash (U+2014) and a space")
    payload = _bytes(encoded)
    if len(payload) <= KEY_ID_BYTES:
        raise NoteError(f"the signature of {name[:100]} is too short")
    return _checked_name(name), payload[:KEY_ID_BYTES], payload[KEY_ID_BYTES:]


def vkey(name: str, public: bytes, kind: int) -> str:
    """The key as text to be given to verifiers. `kind`: `NOTE` or `COSIGNATURE`."""
    if kind not in {NOTE, COSIGNATURE} or len(public) != KEY_BYTES:
        raise NoteError("a verifier key is an Ed25519 key for notes (1) or cosignatures (4)")
    return f"{_checked_name(name)}+{_key_id(name, kind, public).hex()}+{_base64(bytes([kind]) + public)}"


def parse_vkey(text: str) -> tuple[str, bytes, int]:
    """(name, raw public key, kind) of a verifier key. Raises `NoteError` if its parts do not fit each other."""
    name, _, rest = text.partition("+")
    _, _, encoded = rest.partition("+")
    content = _bytes(encoded, 1 + KEY_BYTES)
    if vkey(name, content[1:], content[0]) != text:
        raise NoteError("the id of this verifier key is not that of its name and key")
    return name, content[1:], content[0]


def verify_note(note: Note, name: str, public: bytes) -> None:
    """Raise `NoteError` unless this key signed the note under this name."""
    _verify(public, _payload_of(note, name, NOTE, public), _utf8(note.text), name)


def verify_cosignature(note: Note, name: str, public: bytes) -> int:
    """When this witness saw the checkpoint, in seconds since 1970. Raises `NoteError` unless it cosigned it."""
    payload = _payload_of(note, name, COSIGNATURE, public)
    at = int.from_bytes(payload[:TIME_BYTES])
    if not 0 < at <= LATEST:
        raise NoteError(f"the cosignature of {name} has no time")
    _verify(public, payload[TIME_BYTES:], _cosigned(note.text, at), name)
    return at


def _cosigned(text: str, at: int) -> bytes:
    return _utf8(f"cosignature/v1\ntime {at}\n{text}")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("the text of a note is not UTF-8") from error


def _line(name: str, kind: int, public: bytes, payload: bytes) -> str:
    return f"{DASH}{_checked_name(name)} {_base64(_key_id(name, kind, public) + payload)}\n"


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(_utf8(name) + b"\n" + bytes([kind]) + public).digest()[:KEY_ID_BYTES]


def _checked_name(name: str) -> str:
    if not name or "+" in name or any(character.isspace() for character in name) or CONTROL & set(name):
        raise NoteError(f"{name[:100]!r} is no name of a key: it has spaces or plus signs, or is empty")
    return name


def _payload_of(note: Note, name: str, kind: int, public: bytes) -> bytes:
    known = (name, _key_id(name, kind, public))
    found = [payload for signer, key_id, payload in note.signatures if (signer, key_id) == known]
    if not found:
        raise NoteError(f"the note is not signed by the key {known[1].hex()} of {name}")
    return found[0]


def _verify(public: bytes, signature: bytes, message: bytes, name: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise NoteError(f"the signature of {name} does not hold") from error


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str, size: int | None = None) -> bytes:
    """Of canonical base64: nothing left over, no bits set that say nothing."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError(f"{text[:60]!r} is no base64") from error
    if _base64(content) != text or (size is not None and len(content) != size):
        raise NoteError(f"{text[:60]!r} is no canonical base64 of what belongs here")
    return content
