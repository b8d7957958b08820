"""The Observe tab of a release's page, and what its fourth stage says: where it was watched, and how that ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from releases.models import Release
from releases.observer_models import ObservedSlice, Observer
from releases.observing.selectors import observers_of, slices_of
from releases.pages.wording import Stage

SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Watch:
    """One time that the release was watched."""

    row: Observer
    kind: str
    word: str
    armed: int
    slices: int


def observe_tab(release: Release) -> dict[str, Any]:
    """Every time that it was watched, newest first."""
    rows = list(observers_of(release.organization).filter(release=release)[:SHOWN])
    return {"watches": watches_of(rows)}


def watches_of(rows: Sequence[Observer]) -> list[Watch]:
    """These observers in a line each."""
    slices: dict[str, list[ObservedSlice]] = {}
    for each in slices_of(rows):
        slices.setdefault(each.observer_id, []).append(each)
    return [_watch(row, slices.get(row.pk, [])) for row in rows]


def observe_stage(release: Release) -> Stage | None:
    """The fourth stage; None before anything has watched it."""
    rows = list(observers_of(release.organization).filter(release=release)[:1])
    if not rows:
        return None
    (watch,) = watches_of(rows)
    return Stage("Observe", watch.kind, watch.word, _sentence(watch), current=watch.row.ended_at is None)


def _watch(row: Observer, slices: Sequence[ObservedSlice]) -> Watch:
    armed = sum(each.armed for each in slices)
    if row.ended_at is not None:
        return Watch(row, "skip", "Ended", armed, len(slices))
    if any(each.streak for each in slices):
        return Watch(row, "fail", "Below floor", armed, len(slices))
    if not slices:
        return Watch(row, "hold", "Not watched", 0, 0)
    kind, word = ("pass", "Armed") if armed == len(slices) else ("hold", "In part" if armed else "Not armed")
    return Watch(row, kind, word, armed, len(slices))


def _sentence(watch: Watch) -> str:
    if watch.row.ended_at is not None:
        return f"It was watched on {watch.row.route.name} until another release took its place."
    if not watch.slices:
        return f"No slice with a threshold takes live requests of {watch.row.route.name}."
    return f"Automatic rollback is armed on {watch.armed} of {watch.slices} slices of {watch.row.route.name}."
