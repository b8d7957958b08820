"""The end of an edge process: streams that never end by themselves are told of it (architecture.md "Processes").

The server calls `end` when SIGTERM has come, before it waits for what is in flight; what streams has said what to call.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_told: set[Callable[[], None]] = set()


@contextmanager
def told_of_the_end(call: Callable[[], None]) -> Iterator[None]:
    """Call this at the end of the process, as long as the block lasts. On the event loop only."""
    _told.add(call)
    try:
        yield
    finally:
        _told.discard(call)


def end() -> None:
    """The process is about to stop."""
    for call in list(_told):
        call()
