"""Two sets of scores of the same graded answers: a judge before and now, or two judges side by side (rule R10).

Pure. Agreement by the paired test of ρ, one-sided; level by the paired t-test, two-sided, in points of 100 of each
judge's own scale. Answers that lack either score or a grade are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gates.statistics.arrays import Clusters, Floats, Scores, as_floats
from gates.statistics.distributions import ALPHA
from gates.statistics.limits import meets, shown, shown_change, shown_probability
from gates.statistics.paired import Graded, PairedTest, paired_agreement, paired_level
from gates.statistics.scales import LinearMap
from gates.statistics.sentences import counted
from gates.suite_files.cases import Scale

POINTS: Final = 100.0
FEWEST: Final = 20
SMALLEST_SHIFT: Final = 1.0  # points of 100; less moves no decision
VALID_DAYS: Final = 30
# A nightly look has two tests and comes thirty times in the life of a calibration: all of them together are wrong of a
# judge that did not move at most once in twenty lives.
NIGHTLY_LEVEL: Final = ALPHA / (2 * VALID_DAYS)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One judge's scores, in the order of the answers, on its own scale."""

    scores: Scores
    scale: Scale


@dataclass(frozen=True, slots=True)
class Comparison:
    """New against old on `n` common answers; `level_of_test` is the p-value under which a difference is proven."""

    rho: PairedTest
    level: PairedTest
    level_of_test: float

    @property
    def n(self) -> int:
        """Answers with a grade and both scores."""
        return self.rho.n

    @property
    def is_enough(self) -> bool:
        """Whether anything can be said at all."""
        return self.n >= FEWEST

    @property
    def dropped(self) -> bool:
        """The new scores agree less with the experts: proven, or they do not vary any more."""
        return self.is_enough and (self._stuck or _proven(self.rho.p_drop, self.level_of_test))

    @property
    def _stuck(self) -> bool:
        return self.rho.new is None and self.rho.old is not None

    @property
    def shifted(self) -> bool:
        """The new scores lie higher or lower by a point or more: proven."""
        size = abs(self.level.difference or 0.0)
        return self.is_enough and meets(size, SMALLEST_SHIFT) and _proven(self.level.p_shift, self.level_of_test)

    @property
    def moved(self) -> bool:
        """Either of the two."""
        return self.dropped or self.shifted

    def as_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {
            "n": self.n,
            "rho": _test(self.rho) | {"p": self.rho.p_drop},
            "level": _test(self.level) | {"p": self.level.p_shift},
            "dropped": self.dropped,
            "shifted": self.shifted,
            "sentences": list(self.sentences()),
        }

    def sentences(self) -> tuple[str, ...]:
        """What the two tests say."""
        if not self.is_enough:
            return (f"{counted(self.n, 'common answer')} cannot be compared: {FEWEST} are needed.",)
        return (self._rho_sentence(), self._level_sentence())

    @property
    def proof(self) -> str:
        """What shows that the judge moved; empty where it did not."""
        told = [*([self._rho_sentence()] if self.dropped else []), *([self._level_sentence()] if self.shifted else [])]
        return " ".join(told)

    def _rho_sentence(self) -> str:
        test = self.rho
        if self._stuck:
            return f"Every one of these {counted(self.n, 'answer')} has the same score now, so it ranks nothing."
        if test.old is None or test.new is None:
            return "Agreement cannot be compared: the scores of one side do not vary."
        change = f"from {shown(test.old)} to {shown(test.new)} on the same {counted(self.n, 'answer')}"
        if self.dropped:
            return f"Agreement with the experts fell {change}: not chance ({shown_probability(test.p_drop or 0.0)})."
        return f"Agreement with the experts went {change}, which is no proven drop."

    def _level_sentence(self) -> str:
        test = self.level
        if test.difference is None:
            return "Levels cannot be compared."
        change = f"{shown_change(test.difference)} points of 100"
        if self.shifted:
            return f"Scores shifted by {change}: not chance ({shown_probability(test.p_shift or 0.0)})."
        return f"Scores moved by {change}, which is no proven shift."


def compare(
    human: Scores, new: Side, old: Side, clusters: Clusters | None = None, level_of_test: float = ALPHA
) -> Comparison:
    """Compare two sets of scores of the same answers; `human` is the panel's grade of each."""
    grades = as_floats(human)
    both = [_points(side, len(grades)) for side in (new, old)]
    kept = grades == grades  # noqa: PLR0124 - NaN is no grade
    for side in both:
        kept = kept & (side == side)  # noqa: PLR0124 - the same
    chosen = None if clusters is None else [each for each, keep in zip(clusters, kept.tolist(), strict=True) if keep]
    first, second = (side[kept] for side in both)
    agreement = paired_agreement(Graded(grades[kept], first), Graded(grades[kept], second), chosen)
    return Comparison(agreement, paired_level(first, second, chosen), level_of_test)


def evenly(keys: Sequence[int], wanted: int) -> list[int]:
    """So many of `keys`, evenly spaced from first to last: of answers in the order of their scores, the whole range."""
    if wanted >= len(keys):
        return list(keys)
    step = (len(keys) - 1) / max(wanted - 1, 1)
    return [keys[round(place * step)] for place in range(wanted)]


def _points(side: Side, count: int) -> Floats:
    if len(side.scores) != count:
        raise ValueError("grades and scores differ in number: give one of each per answer")
    points: Floats = POINTS * LinearMap(*side.scale).predict(side.scores)
    return points


def _proven(p: float | None, level: float) -> bool:
    return p is not None and meets(level, p)


def _test(test: PairedTest) -> dict[str, Any]:
    interval = None if test.low is None or test.high is None else [test.low, test.high]
    return {"new": test.new, "old": test.old, "difference": test.difference, "ci90": interval}
