"""The snapshot that serves: one reference, swapped whole. Requests in flight keep the one that they started with."""

from collections.abc import Callable

from releases.gateway.control.snapshot import Snapshot


class SnapshotHolder:
    """Where requests look; `None` until the first snapshot was verified."""

    def __init__(self) -> None:
        self._current: Snapshot | None = None
        self._listeners: list[Callable[[Snapshot], None]] = []

    @property
    def current(self) -> Snapshot | None:
        return self._current

    def listen(self, listener: Callable[[Snapshot], None]) -> None:
        """Call `listener` after each swap; it must not wait and must not raise."""
        self._listeners.append(listener)

    def replace(self, snapshot: Snapshot) -> None:
        """Serve by this snapshot from now on."""
        self._current = snapshot
        for listener in self._listeners:
            listener(snapshot)
