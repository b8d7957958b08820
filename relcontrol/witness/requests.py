"""The body of add-checkpoint as C2SP's tlog-witness has it: old size, consistency proof, checkpoint. Pure."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from audit.log.notes import Checkpoint, Note, parse_checkpoint, parse_note

MOST_HASHES: Final = 63
HASH_BYTES: Final = 32
MOST_DIGITS: Final = 18


class MalformedError(ValueError):
    """A body that is none of the protocol's; the message says why."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """What a log asks a witness to cosign. `written` is the note as it came, signatures included."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint
    written: str


def parse(body: bytes) -> AddCheckpoint:
    """The request. Raises `MalformedError` for any other bytes."""
    try:
        text = body.decode("utf-8")
        head, gap, written = text.partition("\n\n")
        first, *proof = head.split("\n")
        if not gap or len(proof) > MOST_HASHES:
            raise MalformedError(
                f"an old size, at most {MOST_HASHES} hashes, an empty line and a checkpoint are wanted"
            )
        note = parse_note(written)
        return AddCheckpoint(_size(first), tuple(map(_hash, proof)), note, parse_checkpoint(note.text), written)
    except ValueError as error:  # of notes, of UTF-8, of base64
        raise MalformedError(str(error)) from error


def _size(line: str) -> int:
    word, _, digits = line.partition(" ")
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= MOST_DIGITS
    if word != "old" or not plain or (digits != "0" and digits.startswith("0")):
        raise MalformedError("the first line is `old`, a space and a size")
    return int(digits)


def _hash(line: str) -> bytes:
    try:
        content = base64.b64decode(line, validate=True)
    except binascii.Error as error:
        raise MalformedError("a line of the proof is no base64") from error
    if len(content) != HASH_BYTES or base64.b64encode(content).decode("ascii") != line:
        raise MalformedError(f"a line of the proof is not the base64 of {HASH_BYTES} bytes")
    return content
