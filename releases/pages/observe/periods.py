"""How far back the chart of a slice goes, and what one of its points is. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Period:
    """One choice: its key in the address, its name, its length, what one point adds up, and that in words."""

    key: str
    name: str
    length: timedelta
    step: timedelta
    point: str

    @property
    def single(self) -> bool:
        """A point is one window, or nearly so."""
        return self.step <= timedelta(minutes=1)


HOURS: Final = Period("3h", "3 hours", timedelta(hours=3), timedelta(minutes=1), "one window")
DAY: Final = Period("24h", "24 hours", timedelta(days=1), timedelta(minutes=15), "the windows of 15 minutes")
WEEK: Final = Period("7d", "7 days", timedelta(days=7), timedelta(hours=2), "the windows of 2 hours")
PERIODS: Final = {period.key: period for period in (HOURS, DAY, WEEK)}


def period_of(key: str) -> Period:
    """The period that an address asks for; three hours where it asks for none of them."""
    return PERIODS.get(key, HOURS)
