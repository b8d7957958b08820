"""Requests in flight by release, so that a drain can be seen to end (gateway.md "The snapshot")."""

from collections import Counter


class InFlight:
    """Counted on the event loop of one worker; no locks."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def begin(self, sha: str) -> None:
        """A request starts on this release."""
        self._counts[sha] += 1

    def end(self, sha: str) -> None:
        """It is over, however it ended. Raises `ValueError` where none was begun."""
        if self._counts[sha] < 1:
            del self._counts[sha]
            raise ValueError(f"no request is in flight on {sha}; each end needs its begin")
        self._counts[sha] -= 1
        if not self._counts[sha]:
            del self._counts[sha]

    def counts(self) -> dict[str, int]:
        """Releases with at least one request in flight."""
        return dict(self._counts)
