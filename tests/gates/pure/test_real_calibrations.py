"""Real judges measured on real grades: every number as an independent computation has it, every refusal in words."""

import math
from typing import Any

import numpy as np
import pytest

from gates.calibrations.measuring import Measurement, SliceScores, measure
from gates.statistics.panel import as_ratings
from tests.gates.pure.shared_files import cases, expected

PANEL = "summeval_panel30"
DIMENSIONS = ["coherence", "consistency", "fluency", "relevance"]
JUDGES = ["crowd_mean", "crowd_1"]
Array = np.ndarray[Any, np.dtype[np.float64]]


def rows_of(dataset: str, name: str) -> list[dict[str, Any]]:
    return [row for row in cases(dataset) if row["slice"] == name]


def table_of(rows: list[dict[str, Any]]) -> Array:
    """Raters × answers."""
    return np.array([row["human_scores"] for row in rows], dtype=float).T


def measured(rows: list[dict[str, Any]], judge: str, **given: Any) -> Measurement:
    scores = [row["judge_scores"].get(judge) for row in rows]
    return measure(SliceScores(as_ratings(table_of(rows)), scores, 0.65, **{"scale": (-1e3, 1e3), **given}))


def average_ranks(values: Array) -> Array:
    """1 + how many are smaller + half of how many others are equal."""
    smaller = (values[:, None] > values[None, :]).sum(axis=1)
    equal = (values[:, None] == values[None, :]).sum(axis=1)
    ranks: Array = smaller + (equal + 1) / 2
    return ranks


def plain_rho(one: Array, other: Array) -> float:
    return float(np.corrcoef(average_ranks(one), average_ranks(other))[0, 1])


def plain_alpha(table: Array) -> float:
    """Krippendorff's ordinal α by observed and expected disagreement over all pairs of values (no coincidences)."""
    values, counts = np.unique(table, return_counts=True)
    through = np.cumsum(counts)
    middle = dict(zip(values.tolist(), (through - counts / 2).tolist(), strict=True))
    placed = np.vectorize(middle.__getitem__)(table)
    raters = table.shape[0]
    observed = np.mean([(placed[i] - placed[j]) ** 2 for i in range(raters) for j in range(raters) if i != j])
    every = placed.ravel()
    n = len(every)
    among_all = 2 * (n * (every**2).sum() - every.sum() ** 2) / (n * (n - 1))
    return float(1 - observed / among_all)


def plain_icc(table: Array) -> float:
    """ICC(C,k) = 1 − MS(rest)/MS(answers) of the ranks within each rater, by sums of squares."""
    ranks = np.array([average_ranks(row) for row in table]) / table.shape[1]
    raters, answers = ranks.shape
    total = ((ranks - ranks.mean()) ** 2).sum()
    between_answers = raters * ((ranks.mean(axis=0) - ranks.mean()) ** 2).sum()
    between_raters = answers * ((ranks.mean(axis=1) - ranks.mean()) ** 2).sum()
    rest = (total - between_answers - between_raters) / ((raters - 1) * (answers - 1))
    return float(1 - rest / (between_answers / (answers - 1)))


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("name", DIMENSIONS)
def test_three_experts_have_the_reliability_of_the_plain_formulas(name: str, judge: str) -> None:
    rows = rows_of(PANEL, name)
    table, found = table_of(rows), measured(rows, judge).document
    assert found["raters"] == 3
    assert found["alpha"] == pytest.approx(plain_alpha(table), abs=1e-9)
    assert found["icc"] == pytest.approx(plain_icc(table), abs=1e-9)
    assert found["ceiling"] == pytest.approx(math.sqrt(plain_icc(table)), abs=1e-9)
    alone = [plain_rho(table[rater], np.delete(table, rater, axis=0).mean(axis=0)) for rater in range(3)]
    assert [each["rho"] for each in found["leave_one_out"]] == pytest.approx(alone, abs=1e-9)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("name", DIMENSIONS)
def test_the_agreement_with_them_is_that_of_plain_ranks(name: str, judge: str) -> None:
    rows = rows_of(PANEL, name)
    grade = np.mean([average_ranks(row) for row in table_of(rows)], axis=0)
    scores = np.array([row["judge_scores"][judge] for row in rows], dtype=float)
    assert measured(rows, judge).document["rho"] == pytest.approx(plain_rho(grade, scores), abs=1e-9)


@pytest.mark.parametrize("name", DIMENSIONS)
def test_the_reliability_is_the_one_that_is_known(name: str) -> None:
    known = expected(PANEL)["slices"][name]["reliability"]
    found = measured(rows_of(PANEL, name), "crowd_mean").document
    assert found["alpha"] == pytest.approx(known["alpha_ordinal"], abs=5e-5)
    alone = [each["rho"] for each in found["leave_one_out"]]
    assert np.mean(alone) == pytest.approx(known["leave_one_out_rho_mean"], abs=5e-5)


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("name", DIMENSIONS)
def test_a_crowd_that_knows_nothing_is_refused_in_words(name: str, judge: str) -> None:
    found = measured(rows_of(PANEL, name), judge, scale=(1.0, 5.0), grade_scale=(1.0, 5.0)).document
    assert found["outcome"] in ("fail", "insufficient")
    said = " ".join(found["reasons"])
    if found["outcome"] == "fail":
        assert "below the threshold of 0.65" in found["reasons"][0]
        assert "so this is proven (p < 0.001)" in said
    else:
        assert found["reasons"][0].startswith("The human grades are too noisy to calibrate any judge here")
        assert "and is not judged." in said


def by_judge(dataset: str) -> list[tuple[str, str, dict[str, Any]]]:
    slices = expected(dataset)["slices"]
    return [(name, judge, known) for name in slices for judge, known in slices[name]["judges"].items()]


@pytest.mark.parametrize(("dataset", "pairs"), [("d2t", 6), ("frank", 30)])
def test_judges_are_measured_slice_by_slice_as_is_known(dataset: str, pairs: int) -> None:
    known = by_judge(dataset)
    refused = {"too_few_raters", "too_many_missing"}  # each answer has the grade of one; some judges leave gaps
    assert len(known) == pairs
    parts = {name: rows_of(dataset, name) for name in {name for name, _, _ in known}}
    for name, judge, numbers in known:
        found = measured(parts[name], judge).document
        assert found["rho"] == pytest.approx(numbers["rho"], abs=1e-6), (name, judge)
        assert found["n"] == numbers["n"], (name, judge)
        assert found["reason"] in refused, (name, judge)
        assert "at least 2 have to grade" in found["reasons"][0] or "are missing" in found["reasons"][0]
