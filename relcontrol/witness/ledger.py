"""What a witness remembers: for each log the latest checkpoint that it cosigned, in one file of its folder.

The file is replaced as a whole and synced before any cosignature leaves, and whoever reads it to change it holds the
lock, across threads and processes: a witness that forgets could be shown a log that was rolled back.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from audit.keys.signing import LOG, SigningKey, load_signing_key, new_private_pem
from relcontrol.environment import write_once
from relcontrol.runtime.file_locks import held
from relcontrol.runtime.private_files import write_private
from relcontrol.witness.judging import Seen

KEY_FILE: Final = "witness.pem"


class Ledger:
    """The folder of one witness."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock = Lock()

    def key(self) -> SigningKey:
        """The witness's own key, made at its first start with mode 0600."""
        file = self._folder / KEY_FILE
        if not file.exists():
            write_once(file, new_private_pem())
        return load_signing_key(file.read_bytes(), purpose=LOG)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else reads or writes what was seen during the block."""
        with self._lock, held(self._folder / "lock"):
            yield

    def seen(self, origin: str) -> Seen:
        """The latest checkpoint of this log. A file that cannot be read is an error, never a log that is new."""
        file = self._file(origin)
        if not file.exists():
            return Seen()
        known = json.loads(file.read_text(encoding="utf-8"))
        return Seen(known["size"], bytes.fromhex(known["root"]))

    def keep(self, origin: str, seen: Seen, note: str) -> None:
        """Remember it; `note` is the checkpoint with the log's and the witness's lines."""
        known = {"origin": origin, "size": seen.size, "root": seen.root.hex(), "note": note}
        write_private(self._file(origin), json.dumps(known, indent=1) + "\n")
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def note_of(self, origin_sha256: str) -> str | None:
        """The latest cosigned checkpoint of the log whose origin has this SHA-256, in hex."""
        file = self._folder / f"{origin_sha256}.json"
        return str(json.loads(file.read_text(encoding="utf-8"))["note"]) if file.exists() else None

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"
