"""Real judges on real human grades: FRANK, SFRES and SFHOT, SummEval."""

from typing import Any

import numpy as np
import pytest

from gates.statistics.agreement import AgreementResult, GradedScores, judge_agreement, judge_agreements
from gates.statistics.calibration import calibrate, calibration_rule
from gates.statistics.panel import Ratings, as_ratings
from gates.statistics.policies import Insufficiency, Outcome
from gates.statistics.reliability import reliability_of
from gates.statistics.rules import AgreementRule
from tests.gates.pure.shared_files import cases, expected

SETS = ["frank", "d2t", "summeval_panel30"]
POOLED_WELL = ["FEQA", "QAGS", "FactCC"]
DIMENSIONS = ["coherence", "consistency", "fluency", "relevance"]


def _scores(rows: list[dict[str, Any]], judge: str, *, clustered: bool = False) -> GradedScores:
    human = [float(np.mean(row["human_scores"])) for row in rows]
    scored = [row["judge_scores"].get(judge) for row in rows]
    return GradedScores(human, scored, AgreementRule(0.5), [row["input_id"] for row in rows] if clustered else None)


def _by_slice(dataset: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in cases(dataset):
        found.setdefault(row["slice"], []).append(row)
    return found


def _pairs(dataset: str, *, clustered: bool = False) -> list[tuple[AgreementResult, dict[str, Any]]]:
    parts, known = _by_slice(dataset), expected(dataset)["slices"]
    keys = [(name, judge) for name in sorted(known) for judge in known[name]["judges"]]
    results = judge_agreements([_scores(parts[name], judge, clustered=clustered) for name, judge in keys])
    return [(result, known[name]["judges"][judge]) for result, (name, judge) in zip(results, keys, strict=True)]


@pytest.mark.parametrize("dataset", SETS)
def test_every_judge_has_its_known_rho_in_every_slice(dataset: str) -> None:
    pairs = _pairs(dataset)
    assert [result.rho for result, _ in pairs] == pytest.approx([known["rho"] for _, known in pairs], abs=1e-6)


@pytest.mark.parametrize("dataset", SETS)
def test_every_interval_is_close_to_the_bootstrap_of_the_same_cases(dataset: str) -> None:
    pairs = _pairs(dataset)
    found = np.array([result.interval(0.95) for result, _ in pairs])
    assert found == pytest.approx(np.array([known["ci95"] for _, known in pairs]), abs=0.015)


def test_intervals_over_source_documents_are_close_to_their_cluster_bootstrap() -> None:
    pairs = _pairs("frank", clustered=True)
    found = np.array([result.interval(0.95) for result, _ in pairs])
    assert found == pytest.approx(np.array([known["ci95_cluster"] for _, known in pairs]), abs=0.015)


@pytest.mark.parametrize("judge", POOLED_WELL)
def test_a_judge_that_passes_over_all_sources_fails_in_each(judge: str) -> None:
    assert judge_agreement(_scores(cases("frank"), judge)).outcome is Outcome.PASS
    slices = judge_agreements([_scores(part, judge) for part in _by_slice("frank").values()])
    assert [result.outcome for result in slices] == [Outcome.FAIL, Outcome.FAIL]


def test_six_of_fifteen_judges_pass_pooled_and_none_of_their_slices_does() -> None:
    judges = sorted(expected("frank")["aggregate"])
    pooled = judge_agreements([_scores(cases("frank"), judge) for judge in judges])
    passing = [judge for judge, result in zip(judges, pooled, strict=True) if result.outcome is Outcome.PASS]
    parts = [_scores(part, judge) for judge in passing for part in _by_slice("frank").values()]
    assert len(passing) == 6
    assert {result.outcome for result in judge_agreements(parts)} == {Outcome.FAIL}


def test_a_crowd_that_knows_nothing_fails_in_every_dimension() -> None:
    parts = [_scores(part, "crowd_mean") for part in _by_slice("summeval_panel30").values()]
    assert {result.outcome for result in judge_agreements(parts)} == {Outcome.FAIL}


def _ratings(dimension: str) -> Ratings:
    rows = _by_slice("summeval_panel30")[dimension]
    return as_ratings(np.array([row["human_scores"] for row in rows], dtype=np.float64).T)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_three_experts_have_their_known_reliability(dimension: str) -> None:
    known = expected("summeval_panel30")["slices"][dimension]["reliability"]
    found = reliability_of(_ratings(dimension))
    assert found.raters == known["raters"]
    assert found.alpha == pytest.approx(known["alpha_ordinal"], abs=5e-5)
    alone = [rho for rho in found.leave_one_out if rho is not None]
    assert np.mean(alone) == pytest.approx(known["leave_one_out_rho_mean"], abs=5e-5)


def test_experts_who_disagree_calibrate_no_judge() -> None:
    rows = _by_slice("summeval_panel30")["relevance"]
    judge = [row["judge_scores"]["crowd_mean"] for row in rows]
    result = calibrate(_ratings("relevance"), judge, calibration_rule(0.65))
    assert (result.outcome, result.reason) == (Outcome.INSUFFICIENT, Insufficiency.PANEL_TOO_NOISY)
