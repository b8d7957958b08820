"""Ten failures, #5 and #6, from answers that relcontrol asked for and scores that it had given, not from sent ones.

Each story is acted out once for the whole file; tests look at what it has left.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command

from gates.evaluating import flagging
from gates.run_models import CaseResult, EvaluatedCase
from relcontrol.rehearsal.at_gate import Failure
from relcontrol.rehearsal.stories import belgian_french, pediatric_oncology
from tests.acceptance.evaluations import evaluated_failure


@pytest.fixture(scope="module")
def _scenarios(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Committed, as in life: in one long transaction every version of a run's row would be kept, and looked at."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as steady:
        # A judge whose scores of one answer differ by a tenth of a point: what dropped is scored again once (rule R9).
        steady.setattr(flagging, "rescore_deviation", lambda judge, slice_id: 0.1)
        yield
        call_command("flush", verbosity=0, interactive=False, allow_cascade=False, inhibit_post_migrate=False)


@pytest.fixture(scope="module")
def oncology(_scenarios: None) -> Failure:
    return evaluated_failure(pediatric_oncology())


@pytest.fixture(scope="module")
def french(_scenarios: None) -> Failure:
    return evaluated_failure(belgian_french())


@pytest.fixture(autouse=True)
def db(_scenarios: None) -> None:
    """In this file what the stories have left, in place of a transaction for each test: no test changes anything."""


def rho(failure: Failure, slug: str) -> float:
    found: float = failure.slice(slug)["agreement"]["rho"]
    return round(found, 2)


def test_5_answers_and_scores_are_relcontrols_own(oncology: Failure) -> None:
    document, run = oncology.document, oncology.document["gate_run_id"]
    assert (document["parity"], document["evaluation"]["phase"]) == ("match", "done")
    assert EvaluatedCase.objects.filter(run=run, state="scored").count() == len(pediatric_oncology().cases())
    assert CaseResult.objects.filter(run=run, reason="As it says.").exists()


def test_5_four_points_more_do_not_ship_a_judge_that_is_lost_on_children(oncology: Failure) -> None:
    whole, children = oncology.slice("oncology"), oncology.slice("pediatric-oncology")
    assert whole["change"]["mean_difference"] == pytest.approx(0.04)
    assert whole["change"]["movement"] == "improved"
    agreement = children["agreement"]
    assert (round(agreement["previous_rho"], 2), round(agreement["rho"], 2)) == (0.72, 0.61)
    assert (agreement["threshold"], agreement["verdict"], agreement["source"]) == (0.68, "fail", "own")
    assert (oncology.slice("adult-oncology")["agreement"]["verdict"], whole["agreement"]["verdict"]) == ("pass", "pass")
    assert oncology.document["verdict"] == "gate_fail"
    assert oncology.roll().code == "not_deployable"


def test_6_french_is_better_and_belgian_french_stops_the_release(french: Failure) -> None:
    whole, belgian, swiss = (french.slice(slug) for slug in ("french", "belgian-french", "swiss-french"))
    assert whole["change"]["mean_difference"] == pytest.approx(0.03)
    assert (whole["quality"]["verdict"], whole["change"]["movement"]) == ("pass", "improved")
    assert belgian["change"]["mean_difference"] == pytest.approx(-0.06)
    assert (belgian["quality"]["verdict"], belgian["change"]["movement"]) == ("fail", "dropped")
    assert swiss["quality"]["mean"] == pytest.approx(swiss["quality"]["floor"])
    assert (swiss["quality"]["verdict"], swiss["change"]["mean_difference"]) == ("pass", pytest.approx(-0.05))
    assert french.document["verdict"] == "gate_fail"


def test_6_agreement_is_what_it_was(french: Failure) -> None:
    found = {slug: french.slice(slug)["agreement"] for slug in ("belgian-french", "swiss-french")}
    assert {slug: round(each["rho"], 2) for slug, each in found.items()} == {
        "belgian-french": 0.74,
        "swiss-french": 0.71,
    }


def test_6_every_case_that_dropped_was_scored_again_before_it_counts(french: Failure) -> None:
    flagged = french.document["cases"]["flagged"]
    assert {each["state"] for each in flagged} == {"regressed"}
    rows = CaseResult.objects.filter(run=french.document["gate_run_id"], case__slice__slug="belgian-french")
    assert {len(row.rescores or ()) for row in rows} == {1}
