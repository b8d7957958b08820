"""Mid-ranks of many slices at once, in integers (rule R1).

All slices lie one after the other in flat arrays; ``starts`` holds each slice's first index and no slice is empty.
A rank is kept as ``c = 2 · mid-rank − n − 1``, an integer that sums to zero in its slice, so every sum of products is
exact and no order of the cases, and no monotone change of the scores, can move a single bit of the result. With
F = (mid-rank − ½)/n it is c = 2n(F − ½).
"""

from dataclasses import dataclass

import numpy as np

from gates.statistics.arrays import Floats, Ints

ALONE = np.zeros(1, dtype=np.int64)  # the starts of a single slice
LARGEST_SLICE = 2_000_000  # Σ c² < n³/3 must stay inside int64


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """One side (human or judge) of all slices, ranked within each slice.

    ``centred``: c of every case, in case order. ``order``: case indices by slice, then ascending value. A run is a set
    of tied cases of one slice, next to each other along ``order``: ``run_ranks`` holds its c, ``run_lengths`` its size;
    ``runs_per_slice`` says how many each slice has.
    """

    centred: Ints
    order: Ints
    run_ranks: Ints
    run_lengths: Ints
    runs_per_slice: Ints

    def weight_above(self, weights: Ints) -> Ints:
        """Return Σⱼ (2·1{xᵢ<xⱼ} + 1{xᵢ=xⱼ})·wⱼ over the slice, for the cases i of each run, in O(n) after the sort.

        ``weights`` must sum to zero in every slice: then the running sum starts each slice at zero by itself, and what
        lies above a run is minus what lies up to it.
        """
        return _above(np.cumsum(weights[self.order])[np.cumsum(self.run_lengths) - 1])

    def own_weight_above(self) -> Ints:
        """Return ``weight_above`` of this side's own c."""
        return _above(np.cumsum(self.run_ranks * self.run_lengths))

    def by_run(self, per_slice: Floats) -> Floats:
        """Repeat one number per slice for each of its runs."""
        return np.repeat(per_slice, self.runs_per_slice)

    def by_case(self, per_run: Floats) -> Floats:
        """Give every case, in case order, the number of its run."""
        cases = np.empty(len(self.order), dtype=per_run.dtype)
        cases[self.order] = np.repeat(per_run, self.run_lengths)
        return cases

    def off_mode(self, counts: Ints) -> Ints:
        """Return per slice how many cases are off its most frequent value."""
        first_runs = np.cumsum(self.runs_per_slice) - self.runs_per_slice
        result: Ints = counts - np.maximum.reduceat(self.run_lengths, first_runs)
        return result


def _above(through: Ints) -> Ints:
    above = -through
    above[1:] -= through[:-1]
    return above


def rank_slices(values: Floats, starts: Ints) -> Ranking:
    """Rank finite ``values`` within each slice; ties share the mean of their ranks."""
    stops = np.r_[starts[1:], len(values)]
    if (stops - starts).max() > LARGEST_SLICE:
        raise ValueError(f"a slice holds more than {LARGEST_SLICE:,} cases: split it into children")
    within = [values[start:stop].argsort() for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    order = np.concatenate(within) + np.repeat(starts, stops - starts)
    return _ranking(values[order], order, starts, stops - starts)


def _ranking(ascending: Floats, order: Ints, starts: Ints, counts: Ints) -> Ranking:
    begins = np.r_[True, ascending[1:] != ascending[:-1]]
    begins[starts] = True
    run_starts = np.flatnonzero(begins)
    run_lengths = np.diff(np.r_[run_starts, len(ascending)])
    runs_per_slice = np.diff(np.r_[np.searchsorted(run_starts, starts), len(run_starts)])
    below = run_starts - np.repeat(starts, runs_per_slice)
    run_ranks = 2 * below + run_lengths - np.repeat(counts, runs_per_slice)
    centred = np.empty(len(ascending), dtype=np.int64)
    centred[order] = np.repeat(run_ranks, run_lengths)
    return Ranking(centred, order, run_ranks, run_lengths, runs_per_slice)


def mid_ranks(values: Floats) -> Floats:
    """Return the mid-ranks 1 … n of one slice of finite values; an empty slice has none."""
    if not len(values):
        return np.empty(0)
    centred = rank_slices(values, ALONE).centred
    return (centred + len(values) + 1) / 2
