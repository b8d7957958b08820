"""Choosing which served answers are scored (domain.md "Observe"): a fixed budget for each slice and minute.

In a minute a slice gets 5 % of its answers, or as many as a window needs where that is more, and never more than 20.
Those of the 5 % are told by the digest of their trace as traces come in, each exactly once, in the order in which their
transactions became visible, and one of a person, so that nobody's flood is the window; where they are too few, others
of the minute are added as it passes, so that scoring does not wait for its end, people before further answers to the
same people. Whoever chooses again chooses the same.

What comes after its window was closed is counted there as late and never scored.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.db import transaction

from releases.observer_models import ObservedAnswer, ObservedSlice, Observer
from releases.observing.anchors import choose_anchors
from releases.observing.answers.late import LOOK_BACK, Late
from releases.observing.answers.seen import Seen, chosen, good_answers, read
from releases.observing.starting import boundary_before, minute_of
from releases.observing.windows import LONGEST_MINUTES
from releases.traces.rows import AHEAD
from releases.traces.selectors import xact_horizon

EVERY: Final = timedelta(seconds=10)
LOOKS_A_MINUTE: Final = 6
SPARE: Final = 5  # one more for each five that a window needs, as some get no score


@dataclass
class _Slice:
    """One slice at work: what is chosen of each minute already, and what is being added."""

    row: ObservedSlice
    budget: "Budget"
    minute: timedelta
    chosen: dict[datetime, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    known: set[tuple[str, datetime]] = field(default_factory=set)
    added: list[ObservedAnswer] = field(default_factory=list)

    def note(self, trace_id: str, at: datetime, subject: bytes) -> None:
        """This answer is chosen."""
        self.known.add((trace_id, at))
        self.chosen[boundary_before(at, self.minute)][subject] += 1

    def room(self, minute: datetime, up_to: int) -> int:
        """How many more of a minute may be chosen."""
        return up_to - self.chosen[minute].total()

    def add(self, seen: Seen, now: datetime) -> None:
        """Choose an answer."""
        self.note(seen.trace_id, seen.started_at, seen.subject)
        self.added.append(chosen(self.row, seen, now))


@dataclass(frozen=True, slots=True)
class Budget:
    """How many answers of a slice are scored in a minute."""

    share: float
    per_window: int
    n_min: int

    @property
    def needed(self) -> int:
        """What is chosen where the share is less: a window's scores with some to spare."""
        return min(self.per_window, self.n_min + ceil(self.n_min / SPARE))

    def by_now(self, passed: float) -> int:
        """How much of that, when so much of the minute has passed (0 to 1)."""
        return ceil(self.needed * min(1.0, max(0.0, passed)))


def sample(observer: Observer, now: datetime) -> int:
    """Choose what is due by now; how many are new. None are within ten seconds of the last look, or while one runs."""
    minute = minute_of(observer)
    with transaction.atomic():
        rows = Observer.objects.select_related("organization", "release")
        locked = rows.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(pk=observer.pk).first()
        if locked is None or now - locked.folded_at < min(EVERY, minute / LOOKS_A_MINUTE):
            return 0
        slices = _slices(locked, now, minute)
        if slices:
            locked.folded_to = _fold(locked, slices, now)
            _fill(locked, slices, now)
        locked.folded_at = now
        locked.save(update_fields=["folded_to", "folded_at"])
        added = [answer for each in slices.values() for answer in each.added]
        ObservedAnswer.objects.bulk_create(added, ignore_conflicts=True)
        for each in slices.values():
            choose_anchors(locked, each.row, now)
    return sum(answer.state == ObservedAnswer.State.QUEUED for answer in added)


def share_of(observer_id: str, trace_id: str) -> float:
    """A number on [0, 1) for a trace, the same at every look; that of another observer is another one."""
    digest = hashlib.sha256(f"{observer_id} {trace_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _slices(observer: Observer, now: datetime, minute: timedelta) -> dict[str, _Slice]:
    """The slices with what was chosen of the minutes that may still be added to."""
    share, most = float(observer.settings["share"]), int(observer.settings["per_window"])
    rows = list(ObservedSlice.objects.filter(observer=observer).order_by("pk"))
    for row in rows:
        row.observer = observer
    found = {row.slice: _Slice(row, Budget(share, most, row.n_min), minute) for row in rows}
    by_key = {each.row.pk: each for each in found.values()}
    oldest = min((_oldest(each, now) for each in found.values()), default=now)
    answers = ObservedAnswer.objects.filter(observed__in=by_key, at__gte=oldest, late=False, anchor=None)
    for key, trace_id, at, subject in answers.values_list("observed", "trace_id", "at", "subject"):
        by_key[key].note(trace_id, at, bytes(subject or b""))
    return found


def _oldest(each: _Slice, now: datetime) -> datetime:
    """The first minute that may be added to: what nobody looked at for so long is not scored any more."""
    return max(each.row.next_from, boundary_before(now, each.minute) - LONGEST_MINUTES * each.minute)


def _fold(observer: Observer, slices: Mapping[str, _Slice], now: datetime) -> int:
    """Take what became visible since the last look: the share of it, and what is late. Up to which transaction."""
    high = max(observer.folded_to, xact_horizon())
    new = good_answers(observer, since=now - LOOK_BACK, until=now + AHEAD)
    new = new.filter(slice__in=list(slices), xact__gte=observer.folded_to, xact__lt=high)
    late = Late(now)
    for seen in read(new):
        each = slices[seen.slice]
        if seen.started_at < each.row.next_from:
            each.added += [answer] if (answer := late.take(each.row, seen)) else []
        elif seen.started_at >= _oldest(each, now) and share_of(observer.pk, seen.trace_id) < each.budget.share:
            minute = boundary_before(seen.started_at, each.minute)
            first = not each.chosen[minute][seen.subject]  # what is chosen already is of its person, too
            if first and each.room(minute, each.budget.per_window) > 0:
                each.add(seen, now)
    late.write()
    return high


def _fill(observer: Observer, slices: Mapping[str, _Slice], now: datetime) -> None:
    """Add what the share lacks of what a window needs, minute by minute."""
    for slug, each in slices.items():
        wanted = dict(_wanted(each, now))
        if not wanted:
            continue
        until = min(now, max(wanted) + each.minute)
        by_minute: dict[datetime, list[Seen]] = defaultdict(list)
        for seen in read(good_answers(observer, since=min(wanted), until=until).filter(slice=slug)):
            if (seen.trace_id, seen.started_at) not in each.known:
                by_minute[boundary_before(seen.started_at, each.minute)].append(seen)
        for minute, count in wanted.items():
            for seen in _in_turn(observer.pk, by_minute[minute], each.chosen[minute])[:count]:
                each.add(seen, now)


def _wanted(each: _Slice, now: datetime) -> Iterator[tuple[datetime, int]]:
    minute = boundary_before(_oldest(each, now), each.minute)
    while minute < now:
        room = each.room(minute, each.budget.by_now((now - minute) / each.minute))
        if room > 0:
            yield minute, room
        minute += each.minute


def _in_turn(observer_id: str, waiting: Sequence[Seen], chosen: Counter[bytes]) -> list[Seen]:
    """In the order of their digests, but everybody's first answer before anybody's second."""
    turns: list[tuple[int, float, Seen]] = []
    had = Counter(chosen)
    for share, seen in sorted((share_of(observer_id, seen.trace_id), seen) for seen in waiting):
        turns.append((had[seen.subject], share, seen))
        had[seen.subject] += 1
    return [seen for _, _, seen in sorted(turns)]
