"""Agreement of many slices with intervals and verdicts, beside a loop of `scipy.stats.spearmanr` that has neither."""

import time
from collections.abc import Callable, Sequence
from statistics import median

import numpy as np
from scipy.stats import spearmanr

from gates.statistics.agreement import AgreementResult, GradedScores, judge_agreements
from gates.statistics.rules import AgreementRule
from relcontrol.bench import figures
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table

CASES = 500
SHARE = 100  # one slice to so many cases of the gate run
RULE = AgreementRule(0.65)
SEED = 20_260_727
SAME = 1e-9


def agreement_table(options: Options) -> Table:
    """Both in turn, so that what else the machine does meets both; the medians."""
    slices = _slices(max(2, options.size // SHARE))
    apart = max(map(_apart, judge_agreements(slices), _peer(slices)))  # and both are warm
    ours, peers = [], []
    for _ in range(options.runs):
        ours.append(_seconds(judge_agreements, slices))
        peers.append(_seconds(_peer, slices))
    mine, theirs = median(ours), median(peers)
    count = len(slices)
    rows = [
        ("judge_agreements, with interval", figures.seconds(mine), figures.rate(count, mine)),
        ("loop of scipy.stats.spearmanr", figures.seconds(theirs), figures.rate(count, theirs)),
        ("times as fast", f"{theirs / mine:.2f}", ""),
    ]
    problems = [f"agreement differs from SciPy's by {apart:g}"] if apart > SAME else []
    title = f"Agreement: {figures.count(count)} slices of {CASES} cases, {options.runs} runs"
    notes = [f"The largest difference of a rho from SciPy's is {apart:.1e}."]
    return Table(title, ("what", "time", "slices"), rows, notes, problems)


def _slices(count: int) -> list[GradedScores]:
    """Grades that are means of three people on 1 to 5, so with many ties, and a judge that follows them loosely."""
    chance = np.random.default_rng(SEED)
    grades = chance.integers(3, 16, (count, CASES)) / 3
    scores = np.round(grades / 5 + chance.normal(0.0, 0.3, grades.shape), 3)
    return [GradedScores(human, judge, RULE) for human, judge in zip(grades, scores, strict=True)]


def _peer(slices: Sequence[GradedScores]) -> list[float]:
    return [float(spearmanr(each.human, each.judge).statistic) for each in slices]


def _apart(result: AgreementResult, rho: float) -> float:
    return abs((result.rho or 0.0) - rho)


def _seconds(work: Callable[[Sequence[GradedScores]], object], slices: Sequence[GradedScores]) -> float:
    began = time.perf_counter()
    work(slices)
    return time.perf_counter() - began
