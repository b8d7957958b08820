"""A judge is measured on graded answers: per slice, with a receipt, by a job that ends in words."""

import pytest

from gates.calibrations.requesting import carry_out, request_calibration
from gates.judge_models import Calibration, CalibrationRun, CalibrationScore
from relcontrol.accounts.models import Person
from relcontrol.errors import Invalid
from relcontrol.model_servers.spending import Budget
from relcontrol.rehearsal.samples import graded
from tests.factories import person_actor
from tests.gates.calibrations.bench import COUNT, JUDGE, SLICE, Bench, bench, of_slice, work
from tests.gates.runs.stage import cases_of, stage

pytestmark = pytest.mark.django_db

CHILD = "patents"


@pytest.fixture
def here() -> Bench:
    """One slice with sixty answers that three experts graded."""
    return bench()


def test_sent_scores_are_measured_at_once(here: Bench) -> None:
    found = of_slice(here.measured())
    assert (found.outcome, found.n, found.document["raters"]) == ("pass", COUNT, 3)
    assert found.rho == pytest.approx(0.85, abs=0.02)
    assert found.document["reasons"][0].startswith("Agreement of judge and experts is 0.8")


def test_a_measurement_holds_for_thirty_days(here: Bench) -> None:
    found = of_slice(here.measured())
    assert (found.valid_until - found.measured_at).days == 30


def test_a_measurement_leaves_a_receipt_with_what_it_found(here: Bench) -> None:
    run = here.measured()
    predicate = here.stage.last_statement()
    assert predicate["event"] == "judge.calibrated"
    (found,) = predicate["decision"]["inputs"]
    assert (found["metric"], found["slice"], found["verdict"], found["n"]) == ("calibration", SLICE, "pass", COUNT)
    assert run.receipt_hash


def test_a_judge_that_disagrees_is_refused_in_words(here: Bench) -> None:
    found = of_slice(here.measured(here.scores(**{SLICE: graded(COUNT, 0.30)})))
    assert found.outcome == "fail"
    assert "below the threshold of 0.65" in found.document["reasons"][0]


def test_a_slice_is_measured_on_its_own_answers_and_on_those_below_it() -> None:
    parts = {SLICE: graded(40, 0.9), CHILD: graded(40, 0.2, seed=3)}
    run = bench(parts, parents={CHILD: SLICE}).measured()
    above, below = of_slice(run), of_slice(run, CHILD)
    assert (above.n, below.n) == (80, 40)
    assert above.document["members"] == sorted([SLICE, CHILD])
    assert below.rho == pytest.approx(0.2, abs=0.02)


def test_only_the_named_slices_are_measured() -> None:
    here = bench({SLICE: graded(40, 0.9), CHILD: graded(40, 0.9)})
    rows = [row for row in here.scores() if row["case_id"].startswith(CHILD)]
    run = here.measured(rows, slices=[CHILD])
    assert [row.slice.slug for row in run.calibrations.all()] == [CHILD]


def test_scores_of_other_slices_may_come_along() -> None:
    here = bench({SLICE: graded(40, 0.9), CHILD: graded(40, 0.9)})
    (found,) = here.measured(slices=[CHILD]).calibrations.all()
    assert (found.slice.slug, found.n) == (CHILD, 40)


def test_answers_without_a_sent_score_are_missing_and_more_than_one_in_twenty_of_them_is_too_many(here: Bench) -> None:
    found = of_slice(here.measured(here.scores()[:56]))
    assert (found.outcome, found.document["reason"], found.document["graded"]) == (
        "insufficient",
        "too_many_missing",
        COUNT,
    )
    assert found.document["coverage"] == pytest.approx(56 / 60)


def test_a_newer_measurement_ends_the_one_before(here: Bench) -> None:
    first = of_slice(here.measured())
    second = of_slice(here.measured(here.scores(**{SLICE: graded(COUNT, 0.80)})))
    first.refresh_from_db()
    assert first.ended_because.startswith("The judge was measured again on ")
    assert second.ended_at is None


def test_a_measurement_that_says_nothing_leaves_the_one_before_in_force(here: Bench) -> None:
    first = of_slice(here.measured())
    here.measured(here.scores()[:30])
    first.refresh_from_db()
    assert first.ended_at is None


def test_a_measurement_is_compared_with_the_one_before_on_the_answers_of_both(here: Bench) -> None:
    first = here.measured()
    shifted = [row | {"score": row["score"] - 0.1} for row in here.scores()]
    against = of_slice(here.measured(shifted)).document["against_previous"]
    assert (against["calibration"], against["same_judge"], against["n"]) == (first.pk, True, COUNT)
    assert against["level"]["difference"] == pytest.approx(-10.0)
    assert (against["shifted"], against["dropped"]) == (True, False)
    assert against["sentences"][1].startswith("Scores shifted by \N{MINUS SIGN}10.00 points of 100: not chance")


def test_another_version_of_a_judge_is_compared_with_the_one_before(here: Bench) -> None:
    here.measured()
    found = of_slice(here.measured(here.scores(**{SLICE: graded(COUNT, 0.40)}), judge="external:legal-judge@10"))
    against = found.document["against_previous"]
    assert (against["judge"], against["same_judge"], against["dropped"]) == (JUDGE, False, True)


def test_another_judge_is_not_compared_with_it(here: Bench) -> None:
    here.measured()
    assert of_slice(here.measured(judge="external:other@1")).document["against_previous"] is None


def test_grades_on_a_known_scale_make_a_map_to_the_unit_scale(here: Bench) -> None:
    found = of_slice(here.measured()).document
    assert found["map"]["unit"]
    assert 0 <= min(found["map"]["levels"]) <= max(found["map"]["levels"]) <= 1
    assert found["baseline"]["map"] < found["baseline"]["constant"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"case_id": "nobody"}, "scores[0].answer_id"),
        ({"answer_id": "another"}, "scores[0].answer_id"),
        ({"score": 7}, "scores[0].score"),
        ({"score": "0.5"}, "scores[0].score"),
        ({"score": True}, "scores[0].score"),
        ({"score": float("nan")}, "scores[0].score"),
        ({"grade": 4}, "scores[0].grade"),
        ({"case_id": f"{SLICE}-0001", "answer_id": f"{SLICE}-0001-a"}, "scores[1]"),
    ],
)
def test_a_wrong_row_is_refused_with_its_place(here: Bench, change: dict[str, object], field: str) -> None:
    first, *others = here.scores()
    with pytest.raises(Invalid) as refused:
        here.measured([first | change, *others])
    assert [error.field for error in refused.value.errors] == [field]
    assert not CalibrationRun.objects.exists()


def test_an_external_judge_without_scores_is_told_to_send_them(here: Bench) -> None:
    with pytest.raises(Invalid, match="send its scores of the graded answers"):
        request_calibration(actor=here.stage.actor, judge=here.judge(), suite=here.suite)


def test_scores_of_a_judge_that_scores_here_are_refused(here: Bench) -> None:
    with pytest.raises(Invalid, match="leave scores out"):
        here.measured(judge="rules:default@1")


def test_a_suite_without_grades_is_refused_with_what_to_do() -> None:
    ungraded = Bench(stage({SLICE: {}}, cases_of(SLICE, 3)), {})
    with pytest.raises(Invalid, match="Have some graded by a panel"):
        ungraded.measured([])


def test_a_slice_that_is_not_there_is_refused(here: Bench) -> None:
    with pytest.raises(Invalid, match="There is no slice 'nowhere'"):
        here.measured(slices=["nowhere"])


def test_the_default_rules_are_measured_by_a_worker_without_any_call(here: Bench) -> None:
    run = request_calibration(actor=here.stage.actor, judge=here.judge("rules:default@1"), suite=here.suite)
    assert carry_out(run).state == "queued"
    done = work(here, run)
    found = of_slice(done)
    assert (found.document["reason"], found.n) == ("judge_constant", COUNT)
    assert (done.spent["calls"], done.injections, done.progress_done) == (0, None, COUNT)
    assert CalibrationScore.objects.filter(run=done, score__isnull=False).count() == COUNT


def test_a_budget_of_cases_leaves_the_rest_without_a_score_and_says_so(here: Bench) -> None:
    judge = here.judge("rules:default@1")
    run = request_calibration(actor=here.stage.actor, judge=judge, suite=here.suite, budget=Budget(cases=50))
    found = of_slice(work(here, run))
    assert (found.n, found.document["reason"]) == (50, "judge_constant")
    assert "Why: The budget of 50 cases is used up." in found.document["reasons"]


def test_a_requester_who_has_lost_the_role_since_is_refused_in_words(here: Bench) -> None:
    owner = person_actor(here.stage.organization, "domain-owner")
    run = request_calibration(actor=owner, judge=here.judge("rules:default@1"), suite=here.suite)
    Person.objects.filter(pk=owner.id).update(is_active=False)
    done = work(here, run)
    assert done.state == "error"
    assert "no longer a member" in str(done.problem)
    assert not Calibration.objects.exists()
