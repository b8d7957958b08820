"""Every vector of the gate's statistics: ρ, intervals, verdicts, paired tests, α, ICC, planner, the case, Holm."""

from typing import Any

import numpy as np
import pytest

from gates.statistics.agreement import AgreementResult, GradedScores, judge_agreement
from gates.statistics.distributions import SHOWN_LEVEL
from gates.statistics.holm import holm_rejected
from gates.statistics.limits import meets
from gates.statistics.paired import Graded, movements, paired_agreement
from gates.statistics.panel import as_ratings
from gates.statistics.planner import cases_needed, smallest_provable_shortfall
from gates.statistics.policies import Policy
from gates.statistics.reliability import intraclass_correlations, krippendorff_alpha
from gates.statistics.rules import AgreementRule
from gates.statistics.spearman import bonett_wright_error, fisher_interval
from tests.gates.pure.shared_files import vectors

NAMES = [
    "statpsych_ci_spear",
    *(f"likert_vs_{scale}_n{n}" for n in (20, 30, 50, 60, 100, 200) for scale in ("0_100", "likert")),
    "human_constant",
    "judge_constant",
    "perfect_monotone",
    "perfect_reverse",
    "tiny_n3",
    "n19_below_min",
    "mode_heavy_minority4",
    "empty",
    "exactly_at_threshold_rho",
]


def _vector(name: str) -> dict[str, Any]:
    return next(vector for vector in vectors("spearman") if vector["name"] == name)


def _judged(vector: dict[str, Any], policy: Policy = Policy.POINT) -> AgreementResult:
    enough = {"n_min": vector.get("n_min", 20), "off_mode_min": vector.get("minority_min", 5)}
    rule = AgreementRule(vector["threshold"], policy, **enough)
    return judge_agreement(GradedScores(vector["human"], vector["judge"], rule))


def test_the_names_here_are_all_the_vectors_there_are() -> None:
    assert sorted(NAMES) == sorted(vector["name"] for vector in vectors("spearman"))


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_gives_its_rho_its_errors_and_its_intervals(name: str) -> None:
    vector = _vector(name)
    result = _judged(vector)
    wide = result.interval(0.95) or (None, None)
    found = {
        "rho": result.rho,
        "se_z": result.se_z,
        "lo90": result.low,
        "hi90": result.high,
        "p_below": result.p_below,
        "se_bw": result.se_bw,
        "se_if": result.se_if,
        "lo95": wide[0],
        "hi95": wide[1],
    }
    for key, value in found.items():
        known = vector["expected"].get(key)
        assert value == (None if known is None else pytest.approx(known, rel=1e-9, abs=1e-12)), key


@pytest.mark.parametrize("policy", list(Policy))
@pytest.mark.parametrize("name", NAMES)
def test_a_vector_gives_its_verdict_under_every_policy(name: str, policy: Policy) -> None:
    vector = _vector(name)
    result, known = _judged(vector, policy), vector["expected"]
    assert (result.outcome, result.evidence, result.reason) == (
        known["verdicts"][policy],
        known["evidence"],
        known["reason"],
    )


@pytest.mark.parametrize("number", range(3))
def test_a_paired_vector_gives_its_difference_its_z_and_its_movement(number: int) -> None:
    vector = vectors("paired")[number]
    test = paired_agreement(Graded(vector["human"], vector["new"]), Graded(vector["human"], vector["old"]))
    found = {
        "n": test.n,
        "rho_new": test.new,
        "rho_old": test.old,
        "diff": test.difference,
        "z": test.statistic,
        "p_drop": test.p_drop,
        "lo": test.low,
        "hi": test.high,
    }
    known = vector["expected"]
    assert found == pytest.approx({key: known[key] for key in found}, rel=1e-9)
    assert movements([test]) == [known["verdict"]]


def test_the_published_ratings_give_krippendorffs_alpha() -> None:
    vector = vectors("krippendorff_ordinal")
    assert krippendorff_alpha(as_ratings(vector["data"])) == pytest.approx(vector["alpha"], abs=1e-12)


def test_the_ratings_of_shrout_and_fleiss_give_their_four_correlations() -> None:
    vector = vectors("icc_shrout_fleiss")
    found = intraclass_correlations(as_ratings(vector["raters_by_units"]))
    assert found is not None
    values = [found.a_single, found.a_panel, found.c_single, found.c_panel]
    assert values == pytest.approx(vector["ICC_A1_Ak_C1_Ck"], abs=1e-12)


def test_the_planner_asks_for_the_known_numbers_of_cases() -> None:
    rows = vectors("n_required")
    found = [cases_needed(row["thr"], row["true"], power=row["power"]) for row in rows]
    assert found == [row["n"] for row in rows]


def test_the_planner_sees_the_known_shortfalls() -> None:
    rows = vectors("mde")
    found = [smallest_provable_shortfall(row["thr"], row["n"]) for row in rows]
    assert found == pytest.approx([row["mde"] for row in rows], abs=1e-10)


def test_the_case_fails_in_the_two_slices_below_although_nothing_reads_the_mean() -> None:
    case = vectors("case")
    below = [name for name, rho in case["rhos"].items() if not meets(rho, case["threshold"])]
    assert below == case["below"]


@pytest.mark.parametrize("n", [30, 60, 120])
def test_the_case_has_its_known_intervals(n: int) -> None:
    case = vectors("case")
    rhos = np.array(list(case["rhos"].values()))
    low, high = fisher_interval(rhos, bonett_wright_error(rhos, np.full(len(rhos), n)), SHOWN_LEVEL)
    known = np.array(list(case["ci90_bw_by_n"][str(n)].values()))
    assert np.column_stack([low, high]) == pytest.approx(known, abs=6e-4)


def test_holm_rejects_what_is_known_to_be_rejected() -> None:
    vector = vectors("holm")
    assert holm_rejected(vector["p"], vector["alpha"]) == vector["reject"]
