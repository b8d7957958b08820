"""Where a release's own answers have no grades: earlier answers that a panel graded and the same judge scored."""

from datetime import timedelta
from typing import Any

import pytest

from gates.run_models import GateRun
from relcontrol.clock import now
from relcontrol.rehearsal.samples import Graded, graded
from tests.gates.runs.comparing import CASES, Pair, new_stage, only, unscored
from tests.gates.runs.stage import Row, results_of

pytestmark = pytest.mark.django_db

TWO = ("anna", "bruno")


def by_panel(part: Graded, system: str = "a", raters: tuple[str, ...] = TWO, noise: float = 0.01) -> list[Row]:
    """Every answer graded by each of these people, who see it almost alike."""
    found = results_of(CASES, part.scores, (), system)
    for place, (row, grade) in enumerate(zip(found, part.grades, strict=True)):
        row["human_scores"] = [grade + noise * ((place + number) % 2) for number, _ in enumerate(raters)]
        row["raters"] = list(raters)
    return found


def ungraded(scores: list[float], system: str = "b") -> list[Row]:
    return results_of(CASES, scores, (), system)


def calibrated(part: Graded, **panel: Any) -> Pair:
    """A pair whose first release was graded by a panel."""
    pair = unscored()
    pair.stage.judged(pair.first, by_panel(part, **panel))
    return pair


def agreement_of(document: Row) -> Row:
    return dict(only(document)["agreement"])


def test_earlier_grades_stand_in_and_say_how_old_they_are() -> None:
    part = graded(60, 0.85)
    pair = calibrated(part)
    found = agreement_of(pair.judged(ungraded(part.scores)))
    assert (found["source"], found["n"], found["age_days"]) == ("calibration", 60, 0)
    assert found["rho"] == pytest.approx(0.85, abs=0.02)
    assert (found["verdict"], found["raters"]) == ("pass", 2)


def test_a_calibration_is_guarded_by_its_interval_whatever_the_slices_policy() -> None:
    part = graded(60, 0.70)
    found = agreement_of(calibrated(part).judged(ungraded(part.scores)))
    assert (found["policy"], found["verdict"]) == ("guarded", "review")


def test_a_calibration_below_the_threshold_fails() -> None:
    part = graded(60, 0.40)
    found = agreement_of(calibrated(part).judged(ungraded(part.scores)))
    assert (found["source"], found["verdict"]) == ("calibration", "fail")


def aged(days: int) -> None:
    GateRun.objects.update(finished_at=now() - timedelta(days=days))


def test_a_calibration_tells_its_age() -> None:
    part = graded(60, 0.85)
    pair = calibrated(part)
    aged(12)
    assert agreement_of(pair.judged(ungraded(part.scores)))["age_days"] == 12


def test_after_thirty_days_a_calibration_counts_no_more() -> None:
    part = graded(60, 0.85)
    pair = calibrated(part)
    aged(31)
    found = agreement_of(pair.judged(ungraded(part.scores)))
    assert found["source"] != "calibration"
    assert (found["verdict"], found["reason"]) == ("insufficient", "grades_of_other_answers")


def test_scores_of_another_judge_calibrate_nothing() -> None:
    part = graded(60, 0.85)
    pair = calibrated(part)
    found = agreement_of(pair.judged(ungraded(part.scores), judge="external:another@2"))
    assert found["reason"] == "grades_of_other_answers"


def test_enough_own_grades_come_before_a_calibration() -> None:
    part = graded(60, 0.85)
    found = agreement_of(calibrated(part).judged(by_panel(graded(60, 0.70), "b")))
    assert (found["source"], round(found["rho"], 1)) == ("own", 0.7)


def test_too_few_own_grades_fall_back_on_the_calibration() -> None:
    part = graded(60, 0.85)
    few = by_panel(part, "b")
    for row in few[19:]:
        del row["human_scores"], row["raters"]
    found = agreement_of(calibrated(part).judged(few))
    assert (found["source"], found["n"]) == ("calibration", 60)


def test_grades_in_too_narrow_a_range_say_nothing_of_the_judge() -> None:
    wide, narrow = graded(60, 0.85), graded(60, 0.30)
    own = by_panel(Graded(narrow.scores, [0.5 + 0.2 * grade for grade in narrow.grades]), "b")
    found = agreement_of(calibrated(wide).judged(own))
    assert (found["verdict"], found["reason"]) == ("insufficient", "range_too_narrow")


def test_one_rater_calibrates_nothing() -> None:
    part = graded(60, 0.85)
    found = agreement_of(calibrated(part, raters=("anna",)).judged(ungraded(part.scores)))
    assert (found["verdict"], found["reason"]) == ("insufficient", "too_few_raters")


def test_a_panel_that_does_not_agree_with_itself_calibrates_nothing() -> None:
    part, other = graded(60, 0.85), graded(60, 0.30, seed=5)
    rows = by_panel(part)
    for row, grade in zip(rows, other.scores, strict=True):
        row["human_scores"][1] = grade
    pair = unscored()
    pair.stage.judged(pair.first, rows)
    found = agreement_of(pair.judged(ungraded(part.scores)))
    assert (found["verdict"], found["reason"]) == ("insufficient", "panel_too_noisy")


def test_raters_without_names_count_as_one_who_gave_their_mean() -> None:
    part, here = graded(60, 0.8), new_stage()
    rows = results_of(CASES, part.scores)
    for row, grade in zip(rows, part.grades, strict=True):
        row["human_scores"] = [grade - 0.05, grade, grade + 0.05]
    found = agreement_of(here.judged(here.register(), rows))
    assert (found["raters"], found["source"]) == (1, "own")
    assert found["rho"] == pytest.approx(0.8, abs=0.001)


def test_grades_that_come_with_a_run_are_kept_with_the_suite() -> None:
    part = graded(60, 0.85)
    pair = calibrated(part)
    assert "ratings.added" in pair.stage.events()
    suite = pair.stage.ci.get("suites/scored-qa-legal-v3").json()
    assert suite["graded_answers"] == 60


def test_without_a_scale_of_grades_quality_is_on_the_judges_own_scale() -> None:
    part = graded(60, 0.85)
    quality = only(calibrated(part).judged(ungraded(part.scores)))["quality"]
    assert (quality["map"], quality["calibrated"]) == ("linear", False)


def test_with_a_scale_of_grades_quality_is_calibrated() -> None:
    part = graded(60, 0.85)
    pair = unscored()
    pair.stage.judged(pair.first, by_panel(part), grade_scale=[0, 1])
    quality = only(pair.judged(ungraded(part.scores), grade_scale=[0, 1]))["quality"]
    assert (quality["map"], quality["calibrated"]) == ("calibration", True)
    assert quality["mean"] == pytest.approx(0.5, abs=0.01)


def test_agreement_of_earlier_answers_is_not_compared_with_a_releases_own() -> None:
    part = graded(60, 0.85)
    pair = calibrated(part)
    own = agreement_of(pair.judged(by_panel(part, "b"), dry_run=True))
    borrowed = agreement_of(pair.judged(ungraded(part.scores)))
    assert own["change"] == pytest.approx(0.0, abs=1e-9)
    assert (borrowed["source"], borrowed["previous_rho"], borrowed["change"]) == ("calibration", None, None)
