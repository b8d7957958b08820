"""Traces that come late, twice, out of order or with a wrong clock: no wrong verdict, and each is accounted for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from releases.observer_models import ObservedAnswer, QualityWindow
from releases.traces.partitions import ensure_partitions
from tests.releases.observing.stage import HEDGE, MINUTE, SLICE, TICK, Stage, stage

pytestmark = pytest.mark.django_db

Rows = list[dict[str, Any]]


@dataclass
class Post:
    """What comes in of one slice when, in minutes from the beginning."""

    here: Stage
    start: datetime
    slug: str = SLICE
    batches: list[tuple[datetime, Rows]] = field(default_factory=list)

    def minute(self, number: int, count: int = 24, **changes: Any) -> Rows:
        """Requests of one minute."""
        start = self.start + MINUTE * number
        times = [start + MINUTE * place / count for place in range(count)]
        return [self.here.told(at, slug=self.slug, **changes) for at in times]

    def comes(self, rows: Rows, minutes: float) -> None:
        """A batch comes in."""
        self.batches.append((self.start + MINUTE * minutes, rows))


def in_time(post: Post) -> None:
    for number in range(3):
        post.comes(post.minute(number), number + 1)


def late(post: Post) -> None:
    in_time(post)
    post.comes(post.minute(0, 9, output=HEDGE), 4)


def late_and_twice(post: Post) -> None:
    in_time(post)
    rows = post.minute(0, 9, output=HEDGE)
    post.comes(rows, 4)
    post.comes(rows, 5)


def twice(post: Post) -> None:
    in_time(post)
    for at, rows in list(post.batches):
        post.batches.append((at + timedelta(seconds=5), rows))
        post.batches.append((at + 3 * MINUTE, rows))


def in_reverse(post: Post) -> None:
    for number in (2, 1, 0):
        post.comes(list(reversed(post.minute(number))), 3)


def in_small_pieces(post: Post) -> None:
    for number in range(3):
        rows = post.minute(number)
        for place in range(8):
            post.comes(rows[place::8], number + (place + 1) / 8)


def a_clock_that_is_ahead(post: Post) -> None:
    in_time(post)
    post.comes(post.minute(4, 12), 1)


def a_clock_that_is_behind(post: Post) -> None:
    in_time(post)
    post.comes(post.minute(-10, 12, output=HEDGE), 1)
    post.comes(post.minute(0, 12, output=HEDGE), 3)


def a_minute_without_traffic(post: Post) -> None:
    post.comes(post.minute(0), 1)
    post.comes(post.minute(2), 3)


ABOVE = "above"
# By slice: what comes in; the windows' verdicts and lengths in minutes; how many traces are late, and told of at all.
CASES: dict[str, tuple[Callable[[Post], None], Sequence[tuple[str, float]], int, int]] = {
    "in-time": (in_time, [(ABOVE, 1)] * 3, 0, 72),
    "late": (late, [(ABOVE, 1)] * 3, 9, 81),
    "late-and-twice": (late_and_twice, [(ABOVE, 1)] * 3, 9, 81),
    "twice": (twice, [(ABOVE, 1)] * 3, 0, 72),
    "in-reverse": (in_reverse, [(ABOVE, 1)] * 3, 0, 72),
    "in-small-pieces": (in_small_pieces, [(ABOVE, 1)] * 3, 0, 72),
    "a-clock-that-is-ahead": (a_clock_that_is_ahead, [(ABOVE, 1)] * 3 + [(ABOVE, 2)], 0, 84),
    "a-clock-that-is-behind": (a_clock_that_is_behind, [(ABOVE, 1)] * 3, 12, 84),
    "a-minute-without-traffic": (a_minute_without_traffic, [(ABOVE, 1), (ABOVE, 2)], 0, 48),
}


def test_whatever_comes_when_no_verdict_is_wrong_and_nothing_is_lost() -> None:
    here = stage(slugs=tuple(CASES))
    posts = [Post(here, here.at, slug) for slug in CASES]
    for post in posts:
        CASES[post.slug][0](post)
    live(here, posts, minutes=7)

    seen = {}
    for slug, (deliver, *_) in CASES.items():
        windows = here.windows(slug)
        assert {row.mean for row in windows} == {1.0}, slug
        found = [(str(row.verdict), (row.ended_at - row.started_at) / MINUTE) for row in windows]
        told = sum(row.requests + row.late for row in windows)
        seen[slug] = (deliver, found, sum(row.late for row in windows), told)
    assert seen == CASES
    assert (here.alarms(), here.rolled_back()) == ([], [])


def test_late_answers_are_never_scored_and_no_closed_window_changes() -> None:
    here = stage()
    post = Post(here, here.at)
    in_time(post)
    live(here, [post], minutes=5)
    before = written()
    here.send(post.minute(1, 300, output=HEDGE), at=here.at)
    here.tick(here.at + MINUTE)

    assert written() == before
    assert [row.late for row in here.windows()] == [0, 300, 0]
    kept = ObservedAnswer.objects.filter(late=True)
    assert 0 < kept.count() <= 20
    assert set(kept.values_list("state", "score")) == {("missing", None)}


def test_a_day_without_a_partition_of_its_own_is_watched_like_any_other() -> None:
    here = stage()
    post = Post(here, here.at)
    in_time(post)
    live(here, [post], minutes=2)
    ensure_partitions(here.at)
    live(here, [post], minutes=3)
    assert [(row.verdict, row.requests) for row in here.windows()] == [("above", 24)] * 3


def live(here: Stage, posts: Sequence[Post], *, minutes: int) -> None:
    """Ticks, with what comes in between."""
    batches = sorted((batch for post in posts for batch in post.batches), key=lambda batch: batch[0])
    end = here.at + MINUTE * minutes
    while here.at < end:
        until = here.at + 2 * TICK
        for at, rows in batches:
            if here.at <= at < until:
                here.send(rows, at=at)
        here.tick(until)


def written() -> list[dict[str, Any]]:
    """Every closed window but for what came late."""
    return list[Any](QualityWindow.objects.order_by("pk").values("pk", "n", "mean", "verdict", "requests", "closed_at"))
