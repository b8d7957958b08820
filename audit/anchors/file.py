"""Sinks that are folders: the checkpoint as a file, for a copy, a tape or a repository that somebody else keeps.

A folder must lie below one that RELCONTROL_ANCHOR_FOLDERS names on the machine (by default `anchors` in the data
folder), so that no page can make the product write elsewhere. The time is our own clock's: such a file proves nothing
until somebody else holds it.
"""

import hashlib
import json
import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.conf import settings as installation

from audit.anchors.addresses import closed, text_of
from audit.anchors.orders import Order, Settings
from audit.anchors.sending import SinkError
from relcontrol import environment
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.errors import invalid

VARIABLE: Final = "RELCONTROL_ANCHOR_FOLDERS"
SAYS: Final = f"Give a folder below one of those that {VARIABLE} names on this machine."


class Folder:
    """Folders of this machine."""

    def checked(self, settings: Settings) -> dict[str, Any]:
        """`{folder}`, an absolute path."""
        closed(settings, "folder")
        text = text_of(settings, "folder", SAYS, most=500)
        if not _is_allowed(Path(text)):
            raise invalid("settings.folder", f"{SAYS} Now: {', '.join(allowed_folders())}.")
        return {"folder": text}

    def submit(self, order: Order, settings: Settings) -> bytes:
        """Which file was written, when, and its SHA-256, as RFC 8785 bytes."""
        folder = Path(settings["folder"])
        if not _is_allowed(folder):
            raise SinkError(f"{folder} does not lie below a folder that {VARIABLE} names on this machine.")
        file = folder / f"{_slug(order.origin)}-{order.size}.txt"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(file, order.body)
        except OSError as error:
            raise SinkError(f"{file} cannot be written: {error.strerror or error}.") from error
        digest = hashlib.sha256(order.body).hexdigest()
        at = order.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return canonical_bytes({"path": str(file), "at": at, "sha256": digest})

    def verify(self, body: bytes, evidence: bytes, settings: Settings) -> datetime:
        """When the file with this body was written, by our clock."""
        known = json.loads(evidence)
        if known["sha256"] != hashlib.sha256(body).hexdigest():
            raise SinkError("The file does not hold this checkpoint.")
        return datetime.fromisoformat(known["at"])


def _write(file: Path, body: bytes) -> None:
    """Whole or not at all. A file with other bytes under this name stays: two heads of one size are a finding."""
    if file.exists() and file.read_bytes() != body:
        raise SinkError(f"{file} is there with another checkpoint of the same size. Keep both, and find out why.")
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with draft.open("wb") as stream:
        stream.write(body)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def _is_allowed(folder: Path) -> bool:
    if not folder.is_absolute():
        return False
    real = folder.resolve()
    return any(real.is_relative_to(Path(root).resolve()) for root in allowed_folders())


def allowed_folders() -> list[str]:
    """Below which folders of this machine heads may be written."""
    return environment.words(VARIABLE) or [str(Path(installation.DATA_DIR) / "anchors")]


def _slug(origin: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", origin).strip("-.")[:150] or "log"
