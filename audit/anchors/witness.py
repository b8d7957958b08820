"""Sinks that are witnesses (C2SP tlog-witness): each cosigns a checkpoint only if the log has merely grown.

A cosignature proves that what the witness saw before is still there, in order, and when it saw the new size. A chain
that was rolled back and made again gets none.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from audit.anchors.addresses import closed, text_of, url_of
from audit.anchors.orders import Order, Settings
from audit.anchors.sending import TOTAL_SECONDS, Answer, SinkError, posted
from audit.log.notes import COSIGNATURE, DASH, Note, NoteError, parse_note, parse_vkey, verify_cosignature, vkey
from relcontrol.errors import invalid

KEY_BYTES: Final = 32
MOST_HASHES: Final = 63
EACH_SECONDS: Final = TOTAL_SECONDS / 2  # it may have to be asked twice
KEY_SAYS: Final = "Give its Ed25519 key as 32 bytes in base64, or give its whole verifier key (name+id+key) here."


class Witness:
    """Witnesses that answer over HTTP."""

    def checked(self, settings: Settings) -> dict[str, Any]:
        """`{url, name, public_key}`; a verifier key in place of `public_key` gives the name, too."""
        closed(settings, "url", "name", "public_key")
        given = text_of(settings, "public_key", KEY_SAYS, most=400)
        name = settings.get("name") or ""
        if "+" in given and given.count("+") >= 2 and not _is_key(given):
            name, given = _from_vkey(given, name)
        if not _is_key(given):
            raise invalid("settings.public_key", KEY_SAYS)
        name = text_of({"name": name}, "name", "Give the name of its key, such as witness.example/w1.")
        try:
            vkey(name, base64.b64decode(given), COSIGNATURE)
        except NoteError as error:
            raise invalid("settings.name", f"{str(error).capitalize()}.") from error
        return {"url": url_of(settings).rstrip("/"), "name": name, "public_key": given}

    def submit(self, order: Order, settings: Settings) -> bytes:
        """The witness's cosignature lines. It says itself from which size on it wants the proof."""
        answer = _asked(order, settings, min(order.seen, order.size))
        if answer.status == 409:
            size = _size_in(answer)
            if size > order.size:
                raise SinkError(
                    f"It has seen {size:,} receipts of this log, and this checkpoint has {order.size:,}: the log was "
                    "rolled back, or a copy of it was put in its place."
                )
            answer = _asked(order, settings, size)
        lines = _text_of(answer.expected(200).content)
        return "".join(_own_lines(order.body, lines, settings)).encode()

    def verify(self, body: bytes, evidence: bytes, settings: Settings) -> datetime:
        """When the witness says that it saw this checkpoint."""
        try:
            note = _joined(body, _text_of(evidence))
            return datetime.fromtimestamp(_verified(note, settings), UTC)
        except (NoteError, OverflowError, ValueError, OSError) as error:
            raise SinkError(f"Its cosignature does not verify: {error}.") from error


def request_body(old: int, hashes: Sequence[bytes], note: bytes) -> bytes:
    """The body of add-checkpoint: the old size, the consistency proof, the checkpoint."""
    lines = [f"old {old}", *(base64.b64encode(one).decode("ascii") for one in hashes)]
    return "\n".join(lines).encode() + b"\n\n" + note


def _asked(order: Order, settings: Settings, old: int) -> Answer:
    hashes = order.consistency(old) if 0 < old < order.size else []
    body = request_body(old, hashes[:MOST_HASHES], order.body)
    answer = posted(f"{settings['url']}/add-checkpoint", body, "text/plain; charset=utf-8", seconds=EACH_SECONDS)
    return answer.expected(200, 409)


def _size_in(answer: Answer) -> int:
    text = _text_of(answer.content).removesuffix("\n")
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise SinkError("It answered 409 without saying which size it has seen.")
    return int(text)


def _own_lines(body: bytes, lines: str, settings: Settings) -> list[str]:
    """Those lines of the answer that this witness's key made; lines of unknown keys are ignored."""
    try:
        note = _joined(body, lines)
        _verified(note, settings)
    except NoteError as error:
        raise SinkError(f"Its cosignature does not verify: {error}.") from error
    wanted = f"{DASH}{settings['name']} "
    found = [line for line in lines.splitlines(keepends=True) if line.startswith(wanted)]
    return [line for line in found if _holds(body, line, settings)]


def _holds(body: bytes, line: str, settings: Settings) -> bool:
    try:
        _verified(_joined(body, line), settings)
    except NoteError:
        return False
    return True


def _verified(note: Note, settings: Settings) -> int:
    return verify_cosignature(note, settings["name"], base64.b64decode(settings["public_key"]))


def _joined(body: bytes, lines: str) -> Note:
    return parse_note(body.decode("utf-8") + lines)


def _text_of(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SinkError("Its answer is no text.") from error


def _from_vkey(text: str, name: object) -> tuple[str, str]:
    try:
        known, public, kind = parse_vkey(text)
    except NoteError as error:
        raise invalid("settings.public_key", f"This verifier key cannot be read: {error}.") from error
    if kind != COSIGNATURE:
        raise invalid("settings.public_key", "This key signs notes, and no cosignatures: it is no witness's.")
    if name and name != known:
        raise invalid("settings.name", f"This verifier key belongs to {known}, not to {str(name)[:100]}.")
    return known, base64.b64encode(public).decode("ascii")


def _is_key(text: str) -> bool:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(content) == KEY_BYTES and base64.b64encode(content).decode("ascii") == text
