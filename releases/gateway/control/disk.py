"""The last good snapshot on disk, for a restart without control plane, and how far this gateway has ever been.

`routing.json` is the envelope as it was signed: it is verified again when it is read, like one from the network.
`routing.newest.json` remembers organization, origin, epoch and generation by itself, so that a damaged envelope does
not open the door to an older one. Workers of one machine share the folder: the newest wins. A writer holds a lock of
the kernel for that comparison, which ends with its process; readers need none.
"""

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads
from releases.gateway.control.errors import SnapshotRefusedError
from releases.gateway.control.fields import mapping, number, text
from releases.gateway.control.private_files import private_folder, remove_partial, write_private
from releases.gateway.control.snapshot import Position, Snapshot
from releases.gateway.control.trust import Served

ENVELOPE: Final = "routing.json"
NEWEST: Final = "routing.newest.json"
LOCK: Final = "routing.lock"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Held:
    """The newest snapshot that this folder has ever held."""

    served: Served
    position: Position


class LastGood:
    """The snapshot's place in the data folder. Raises `OSError` where the disk does not do what it is asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)
        remove_partial(folder)

    def envelope(self) -> bytes | None:
        """What was stored last, to be verified; `None` in a new folder."""
        return _content(self._folder / ENVELOPE)

    def held(self) -> Held | None:
        """How far this folder has been; `None` in a new one. A damaged record is said in the log."""
        content = _content(self._folder / NEWEST)
        if content is None:
            return None
        try:
            record = mapping(strict_loads(content), "")
            served = Served(text(record, "organization", ""), text(record, "origin", ""))
            return Held(served, (number(record, "epoch", ""), number(record, "generation", "")))
        except (BundleError, SnapshotRefusedError) as error:
            logger.warning("%s is damaged and is ignored: %s", self._folder / NEWEST, error)
            return None

    def store(self, envelope: bytes, snapshot: Snapshot) -> bool:
        """Keep a verified snapshot, unless another worker has kept a newer one meanwhile."""
        with self._alone():
            held = self.held()
            if held is not None and held.position > snapshot.position:
                return False
            write_private(self._folder / ENVELOPE, envelope)
            write_private(self._folder / NEWEST, _record(snapshot))
            return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _record(snapshot: Snapshot) -> bytes:
    record = {
        "organization": snapshot.organization,
        "origin": snapshot.origin,
        "epoch": snapshot.epoch,
        "generation": snapshot.generation,
    }
    return json.dumps(record).encode()


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
