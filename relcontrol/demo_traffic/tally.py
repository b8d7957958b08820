"""What became of the requests of the last minute, in one line. It counts; nothing that was said is in it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

ANSWERED: Final = "answered"
UNSERVED: Final = "not served"
FAILED: Final = "failed"
BROKEN: Final = "broken off"
UNREACHED: Final = "not sent, as the gateway was away"
HELD_BACK: Final = "not sent, as too many were open"
ORDER: Final = (ANSWERED, UNSERVED, FAILED, BROKEN, UNREACHED, HELD_BACK)


@dataclass(slots=True)
class Tally:
    """Counts since the last line."""

    outcomes: Counter[str] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str, release: str = "") -> None:
        """One request, and the release that it was told of."""
        self.outcomes[outcome] += 1
        if release:
            self.releases[release] += 1

    def line(self, seconds: float) -> str:
        """The counts as a sentence; they begin again at none."""
        total = sum(self.outcomes.values())
        said = ", ".join(f"{self.outcomes[name]:,} {name}" for name in ORDER if self.outcomes[name])
        by = ", ".join(f"{name} {count:,}" for name, count in self.releases.most_common())
        self.outcomes.clear()
        self.releases.clear()
        line = f"{total:,} requests in {seconds:.0f} s: {said or 'none'}"
        return f"{line}; by release: {by}" if by else line
