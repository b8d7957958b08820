"""Scores and grades whose agreement is a number that was asked for, the same on every machine.

Grades rise evenly. Scores are the same values in another order: pairs that a seeded generator draws change places as
long as Spearman's ρ stays at or above what is wanted, so that disagreement lies all over, as with a real judge.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

NEAR = 0.0005
MOST_SWAPS = 2_000_000


@dataclass(frozen=True)
class Graded:
    """The scores of some answers and the grades that experts gave them."""

    scores: list[float]
    grades: list[float]

    def shifted(self, by: float) -> "Graded":
        """Every score moved by as much; ranks stay as they are."""
        return Graded([score + by for score in self.scores], self.grades)


def graded(count: int, rho: float, *, seed: int = 1, low: float = 0.1, high: float = 0.9) -> Graded:
    """`count` answers whose ρ is `rho` to within `NEAR`; scores and grades lie evenly between `low` and `high`."""
    order, drawn = list(range(count)), random.Random(seed)  # noqa: S311 - no secret
    scale = 6 / (count**3 - count)
    wanted, taken = (1 - rho) / scale, 0
    for _ in range(MOST_SWAPS):
        if (wanted - taken) * scale < NEAR:
            values = [low + (high - low) * place / (count - 1) for place in range(count)]
            return Graded([values[place] for place in order], values)
        left, right = drawn.randrange(count), drawn.randrange(count)
        cost = _cost(order, left, right)
        if taken + cost <= wanted:
            order[left], order[right] = order[right], order[left]
            taken += cost
    raise AssertionError(f"no order of {count} has a rank correlation of {rho}")


def _cost(order: Sequence[int], left: int, right: int) -> int:
    """What a swap adds to the sum of squared rank differences."""
    before = (order[left] - left) ** 2 + (order[right] - right) ** 2
    return (order[right] - left) ** 2 + (order[left] - right) ** 2 - before
