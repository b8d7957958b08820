"""Who grades which answer, and in which order. Pure.

Every answer gets the same number of different raters, loads differ by one at most, and the pairs of raters mix, since
of several with the same load chance decides. That chance is SHA-256 of the seed and the names, so that the same seed
gives the same panel on every machine and in every version of Python, in whatever order answers and raters come.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assigned:
    """One answer that one rater is asked to grade; `place` counts from 1 in the rater's own order."""

    item: str
    rater: str
    place: int


def assign(items: Sequence[str], raters: Sequence[str], per_item: int, seed: int) -> list[Assigned]:
    """Give every item `per_item` different raters; raises `ValueError` where there are not so many."""
    if not 0 < per_item <= len(set(raters)):
        raise ValueError(f"{per_item} different raters for an answer cannot be taken from {len(set(raters))}")
    loads: dict[str, list[str]] = {rater: [] for rater in sorted(set(raters))}
    for item in shuffled(items, seed, "items"):
        by_chance = shuffled(loads, seed, f"raters of {item}")
        for rater in sorted(by_chance, key=lambda name: len(loads[name]))[:per_item]:
            loads[rater].append(item)
    return [
        Assigned(item, rater, place)
        for rater, own in loads.items()
        for place, item in enumerate(shuffled(own, seed, f"order of {rater}"), start=1)
    ]


def shuffled(names: Iterable[str], seed: int, use: str) -> list[str]:
    """The names in an order by chance, another one for every use."""
    return sorted(names, key=lambda name: _draw(seed, use, name))


def _draw(seed: int, use: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{use}\n{name}".encode()).digest()
