"""Every vector of the canary's mathematics: ratios, dispersion, zero cells, drops, ranks, drift, a frozen baseline."""

import math

import numpy as np
import pytest

from gates.statistics.limits import TOLERANCE
from releases.monitors.drift import DriftDetector
from releases.monitors.evidence import value_of
from releases.monitors.frozen import Events, garwood_upper, log_poisson_mixture
from releases.monitors.quality_sums import QualitySums
from releases.monitors.quantile_bounds import ranks_at_every_look, ranks_at_one_look
from releases.monitors.rate_ratio import Pair, RatioLikelihood
from releases.monitors.subjects import ratio_dispersion
from tests.gates.pure.shared_files import vectors

EXACT = 1e-9


def _likelihoods(rows: list[dict[str, list[float]]]) -> list[RatioLikelihood]:
    """Return the sums after each chunk [errors, stable errors, requests, stable requests]."""
    found, sums = [], RatioLikelihood()
    for row in rows:
        sums += RatioLikelihood.of(Pair(*row["chunk"]))
        found.append(sums)
    return found


def test_chunks_add_up_to_the_known_evidence_on_both_sides() -> None:
    rows = vectors("rate_ratio")
    found = [sums.evidence(1.5) for sums in _likelihoods(rows)]
    assert [value_of(one.log_above) for one in found] == pytest.approx([row["e_above_1_5"] for row in rows], rel=EXACT)
    assert [value_of(one.log_below) for one in found] == pytest.approx([row["e_below_1_5"] for row in rows], rel=EXACT)


def test_chunks_add_up_to_the_known_intervals() -> None:
    rows = vectors("rate_ratio")
    for sums, row in zip(_likelihoods(rows), rows, strict=True):
        low, high = sums.interval(20)
        assert low == pytest.approx(row["ci95"][0], rel=EXACT)
        assert high is row["ci95"][1] is None


def test_a_stable_arm_without_errors_is_no_special_case() -> None:
    row = vectors("rate_ratio_zero_baseline")
    sums = RatioLikelihood.of(Pair(*row["chunk"]))
    assert value_of(sums.evidence(1.5).log_above) == pytest.approx(row["e_above_1_5"], rel=EXACT)
    low, high = sums.interval(20)
    assert low == pytest.approx(row["ci95"][0], rel=EXACT)
    assert high is row["ci95"][1] is None


def test_no_errors_in_either_arm_are_evidence_of_nothing() -> None:
    row = vectors("rate_ratio_zero_zero")
    found = RatioLikelihood.of(Pair(*row["chunk"])).evidence(1.5)
    assert (value_of(found.log_above), value_of(found.log_below)) == (row["e_above_1_5"], row["e_below"])


def test_zero_cells_have_their_known_evidence() -> None:
    rows = vectors("zero_cell_raw")
    found = [value_of(RatioLikelihood.of(Pair(*row["chunk"])).evidence(1.5).log_above) for row in rows]
    assert found == pytest.approx([row["e_above_1_5"] for row in rows], rel=EXACT)


def test_the_dispersion_is_learned_from_unit_to_unit_and_divides_the_evidence() -> None:
    rows = vectors("dispersed_rate_ratio")
    seen = np.array([row["chunk"] for row in rows], dtype=np.float64)
    for index, (sums, row) in enumerate(zip(_likelihoods(rows), rows, strict=True)):
        units = seen[: index + 1]
        dispersion = ratio_dispersion((units[:, 0], units[:, 2]), (units[:, 1], units[:, 3]))
        assert dispersion == pytest.approx(row["phi"], rel=EXACT)
        found = value_of(sums.evidence(1.5, dispersion).log_above)
        assert found == pytest.approx(row["e_above_1_5"], rel=EXACT)


def test_a_drop_of_the_mean_gathers_its_known_evidence() -> None:
    row = vectors("mean_drop_e")
    found = [value_of(QualitySums.of(row["d"][: n + 1], tolerance=0.0).log_above) for n in range(len(row["d"]))]
    assert found == pytest.approx(row["e"], rel=EXACT)


@pytest.mark.parametrize("size", ["100", "200", "500", "1000", "5000"])
def test_the_p95_lies_between_the_known_ranks(size: str) -> None:
    row = vectors("quantile_ranks")[size]
    assert list(ranks_at_every_look(int(size), 20)) == row["cs"]
    assert list(ranks_at_one_look(int(size), 0.025)) == row["fixed"]


def test_the_drift_detector_has_its_known_values() -> None:
    row = vectors("sr_detector")
    detector, found = DriftDetector(row["m0"]), []
    for score in row["scores"]:
        detector = detector.after([score])
        found.append(detector.value)
    assert found == pytest.approx(row["values"], rel=EXACT)


@pytest.mark.parametrize("index", range(4))
def test_a_rate_against_a_frozen_baseline_has_its_known_limit_and_evidence(index: int) -> None:
    row = vectors("rate_e_vs_fixed")[index]
    rate = row["R0"] * garwood_upper(Events(row["xb"], row["nb"]), 0.025)
    known, known_rate = row["e_and_limit_rate"]
    assert rate == pytest.approx(known_rate, rel=EXACT)
    assert math.exp(log_poisson_mixture(Events(row["x"], row["n"]), rate)) == pytest.approx(known, rel=TOLERANCE)
