"""A slice without own grades is decided by its judge's calibration, as long as that holds."""

from datetime import timedelta
from typing import Any

import pytest

from gates.calibrations.earlier import EarlierAnswer
from gates.judge_models import AnchorCheck, Calibration
from gates.runs.material import Answer
from relcontrol.clock import now
from relcontrol.rehearsal.samples import graded
from releases.models import Release
from tests.gates.calibrations.bench import COUNT, JUDGE, SLICE, Bench, bench, of_slice
from tests.gates.runs.comparing import only
from tests.gates.runs.stage import Row, cases_of, ramp, results_of

pytestmark = pytest.mark.django_db

CHILD = "patents"
WHAT_TO_DO = "Measure the judge against answers that your experts graded."


class Judged:
    """A bench with a release whose answers nobody graded."""

    def __init__(self, here: Bench) -> None:
        self.here = here
        self.release: Release = here.stage.register()

    def whole(self, **order: Any) -> Row:
        """A gate run of it; each differs from the one before by a score, so that it is no repetition."""
        self.nudge = getattr(self, "nudge", 0) + 1
        cases = cases_of(SLICE, len(self.here.parts[SLICE].scores))
        scores = [0.0005 * self.nudge, *ramp(len(cases), 0.2, 0.9)[1:]]
        return self.here.stage.judged(self.release, results_of(cases, scores, (), "b"), **order)

    def agreement(self, **order: Any) -> Row:
        """What the run says of agreement in the one slice."""
        return dict(only(self.whole(**order))["agreement"])


@pytest.fixture
def judged() -> Judged:
    return Judged(bench())


def test_without_a_calibration_a_slice_is_insufficient_and_says_what_to_do(judged: Judged) -> None:
    document = judged.whole()
    found = only(document)["agreement"]
    assert (document["verdict"], found["verdict"], found["source"]) == ("gate_hold", "insufficient", "none")
    assert found["reasons"][0].endswith(f"Nobody has measured this judge here. {WHAT_TO_DO}")
    assert any(WHAT_TO_DO in reason for reason in document["reasons"])


def test_a_calibration_that_holds_decides(judged: Judged) -> None:
    run = judged.here.measured()
    found = judged.agreement()
    assert (found["source"], found["verdict"], found["n"], found["raters"]) == ("calibration", "pass", COUNT, 3)
    assert (found["calibration"], found["age_days"]) == (run.pk, 0)
    assert found["rho"] == pytest.approx(of_slice(run).rho)
    assert found["ci90"] == pytest.approx(of_slice(run).document["ci90"])


def test_a_held_run_that_is_sent_again_after_the_judge_was_measured_is_judged_again(judged: Judged) -> None:
    rows = results_of(cases_of(SLICE, COUNT), ramp(COUNT), (), "b")
    held = judged.here.stage.judged(judged.release, rows)
    judged.here.measured()
    again = judged.here.stage.judged(judged.release, rows)
    assert again["gate_run_id"] != held["gate_run_id"]
    assert only(again)["agreement"]["source"] == "calibration"


def test_a_judge_that_was_measured_and_disagrees_decides_nothing(judged: Judged) -> None:
    judged.here.measured(judged.here.scores(**{SLICE: graded(COUNT, 0.3)}))
    found = judged.agreement()
    assert (found["source"], found["verdict"]) == ("none", "insufficient")
    assert "below the threshold" in found["reasons"][0]
    assert found["reasons"][0].endswith("Mend the judge or name another one, and measure it.")


def test_a_calibration_that_is_not_proven_asks_for_a_signature(judged: Judged) -> None:
    judged.here.measured(judged.here.scores(**{SLICE: graded(COUNT, 0.70)}))
    assert judged.agreement()["verdict"] == "review"


def test_after_thirty_days_it_decides_nothing(judged: Judged) -> None:
    row = of_slice(judged.here.measured())
    Calibration.objects.filter(pk=row.pk).update(
        measured_at=now() - timedelta(days=31), valid_until=now() - timedelta(days=1)
    )
    found = judged.agreement()
    assert (found["source"], found["verdict"]) == ("none", "insufficient")
    assert f"a calibration holds for 30 days. {WHAT_TO_DO}" in found["reasons"][0]


def test_once_it_has_ended_it_decides_nothing(judged: Judged) -> None:
    row = of_slice(judged.here.measured())
    Calibration.objects.filter(pk=row.pk).update(ended_at=now(), ended_because="The judge has moved.")
    found = judged.agreement()
    assert (found["source"], found["verdict"]) == ("none", "insufficient")
    assert f"The judge has moved. {WHAT_TO_DO}" in found["reasons"][0]


def test_that_of_another_judge_decides_nothing(judged: Judged) -> None:
    judged.here.measured(judge="external:another@1")
    assert judged.agreement(judge=JUDGE)["verdict"] == "insufficient"


def grade_more(here: Bench, rater: str = "dora", place: int = 0) -> None:
    row = {"case_id": f"{SLICE}-{place:04}", "answer_id": f"{SLICE}-{place:04}-a", "rater": rater, "grade": 3}
    answer = here.stage.ci.post("ratings", {"suite": here.suite.name, "ratings": [row]})
    assert answer.status_code == 201, answer.content


def test_a_grade_that_comes_in_ends_it(judged: Judged) -> None:
    row = of_slice(judged.here.measured())
    grade_more(judged.here)
    row.refresh_from_db()
    assert row.ended_because == f"1 grade has come in for {judged.here.suite.name} since it was measured."
    assert judged.agreement()["verdict"] == "insufficient"


def test_a_grade_in_another_slice_does_not() -> None:
    here = bench({SLICE: graded(40, 0.9), CHILD: graded(40, 0.9)})
    run = here.measured()
    grade_more(here)
    assert of_slice(run).ended_at is not None
    assert of_slice(run, CHILD).ended_at is None


def test_a_grade_below_a_slice_ends_that_of_the_slice_above() -> None:
    here = bench({CHILD: graded(40, 0.9), SLICE: graded(40, 0.9)}, parents={SLICE: CHILD})
    run = here.measured()
    grade_more(here)
    assert of_slice(run, CHILD).ended_at is not None


def test_other_grades_than_it_was_measured_on_are_noticed_however_they_came(judged: Judged) -> None:
    run = judged.here.measured()
    grade_more(judged.here)
    run.calibrations.update(ended_at=None, ended_because="")
    assert judged.agreement()["source"] == "none"


def test_graded_answers_of_earlier_runs_count_beside_it(judged: Judged) -> None:
    part = graded(40, 0.9)
    other = judged.here.another_suite("other", part)
    judged.here.measured(judged.here.scores(**{SLICE: part}), suite=other)
    rows = results_of(cases_of(SLICE, COUNT), ramp(COUNT), (), "c")
    for row in rows[:10]:
        row["human_scores"], row["raters"] = [2.0, 2.1], ["anna", "bruno"]
    judged.here.stage.judged(judged.release, rows)
    judged.release = judged.here.stage.register()
    assert judged.agreement()["n"] == 50


def test_grades_on_another_suites_scale_are_brought_to_this_ones() -> None:
    answer = EarlierAnswer(Answer("c", "a", 0.5, {"anna": 1.0, "bruno": 3.0}), None, (1.0, 5.0))
    assert answer.on_scale((0.0, 100.0)).grades == {"anna": 0.0, "bruno": 50.0}
    assert answer.on_scale(None).grades == answer.on_scale((1.0, 5.0)).grades == {"anna": 1.0, "bruno": 3.0}


def test_quality_goes_through_its_map_where_the_runs_own_suite_has_no_scale_of_grades() -> None:
    here = bench(grade_scale=False)
    run = here.measured(suite=here.another_suite("graded-elsewhere", here.parts[SLICE]))
    found = only(Judged(here).whole())
    assert found["agreement"]["calibration"] == run.pk
    assert found["quality"]["map"] == "calibration"
    assert 0 < found["quality"]["mean"] < 1


def test_own_grades_come_before_it(judged: Judged) -> None:
    judged.here.measured()
    part = graded(COUNT, 0.75)
    rows = results_of(cases_of(SLICE, COUNT), part.scores, [1 + 4 * grade for grade in part.grades], "d")
    found = only(judged.here.stage.judged(judged.release, rows))["agreement"]
    assert (found["source"], found["calibration"], round(found["rho"], 2)) == ("own", None, 0.75)


def test_what_a_judge_scored_before_it_was_found_to_have_moved_counts_no_more(judged: Judged) -> None:
    part = graded(COUNT, 0.9)
    rows = results_of(cases_of(SLICE, COUNT), part.scores, [1 + 4 * grade for grade in part.grades], "d")
    for row in rows:
        row["human_scores"], row["raters"] = row["human_scores"] * 2, ["anna", "bruno"]
    judged.here.stage.judged(judged.release, rows)
    calibration = of_slice(judged.here.measured())
    second = Judged(judged.here)
    assert second.agreement()["source"] == "calibration"
    Calibration.objects.filter(pk=calibration.pk).update(ended_at=now(), ended_because="It has moved.")
    assert second.agreement(dry_run=True)["source"] == "calibration"  # the first release's own graded answers
    AnchorCheck.objects.create(
        organization=judged.here.stage.organization,
        calibration=calibration,
        outcome="moved",
        state="done",
        created_at=now(),
        finished_at=now(),
    )
    assert second.agreement(dry_run=True)["source"] == "none"
