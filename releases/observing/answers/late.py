"""What comes after its window was closed: counted there, kept in part, never scored (statistics.md R16)."""

from bisect import bisect_right
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F

from releases.observer_models import ObservedAnswer, ObservedSlice, QualityWindow
from releases.observing.answers.seen import Seen, chosen

LOOK_BACK: Final = timedelta(hours=1)  # what comes later than that is stored as a trace and counted nowhere here
KEPT: Final = 20  # rows of late answers for each slice and look; all are counted
LATE: Final = "It came after its window had been closed."


class Late:
    """The closed windows of the slices of one look, and what came late to each."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._windows: dict[int, list[tuple[datetime, datetime, datetime, int]]] = {}
        self._counts: Counter[int] = Counter()
        self._kept: Counter[int] = Counter()

    def take(self, row: ObservedSlice, seen: Seen) -> ObservedAnswer | None:
        """Count a trace where it was received after its window was closed; the row to keep of it, for the first few.

        One that was received before was there in time, and is no matter here.
        """
        windows = self._of(row)
        place = bisect_right(windows, seen.started_at, key=lambda window: window[0]) - 1
        if place < 0:
            return None
        _, end, closed_at, key = windows[place]
        if not (seen.started_at < end and closed_at <= seen.received_at):
            return None
        self._counts[key] += 1
        self._kept[row.pk] += 1
        if self._kept[row.pk] > KEPT:
            return None
        missing = ObservedAnswer.State.MISSING
        return chosen(row, seen, self._now, late=True, state=missing, problem=LATE, scored_at=self._now)

    def write(self) -> None:
        """Add to the windows' counts; nothing else of a closed window ever changes."""
        for key, count in sorted(self._counts.items()):
            QualityWindow.objects.filter(pk=key).update(late=F("late") + count)

    def _of(self, row: ObservedSlice) -> list[tuple[datetime, datetime, datetime, int]]:
        if row.pk not in self._windows:
            found = QualityWindow.objects.filter(observed=row, ended_at__gt=self._now - LOOK_BACK)
            self._windows[row.pk] = sorted(found.values_list("started_at", "ended_at", "closed_at", "pk"))
        return self._windows[row.pk]
