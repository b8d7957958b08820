"""Every night calibrated judges are looked at again; one that has moved loses its calibration, and it says why."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gates.calibrations.anchors import KIND, check_anchors, due_checks
from gates.calibrations.standing import badge
from gates.judge_models import AnchorCheck, Calibration, CalibrationScore, KnownCall
from gates.models import GradedAnswer
from relcontrol.clock import now
from relcontrol.jobs.running import run as run_job
from relcontrol.rehearsal.samples import graded
from relcontrol.ticks import JOBS
from tests.gates.calibrations.bench import COUNT, SLICE, Bench, bench, of_slice, older, work
from tests.gates.calibrations.judge_server import JudgeServer, by_parts, judge_server, llm_judge
from tests.gates.calibrations.test_asking_judges import asked_for

pytestmark = pytest.mark.django_db

ANCHORS = 40


@pytest.fixture
def here() -> Bench:
    return bench()


@pytest.fixture
def server(here: Bench) -> Iterator[JudgeServer]:
    with judge_server(by_parts(here)) as found:
        yield found


@pytest.fixture
def calibration(here: Bench, server: JudgeServer) -> Calibration:
    """Of a judge that was measured two days ago."""
    run = asked_for(here, llm_judge(here, server), rescores=False)
    scores = {row["answer_id"]: 1 + 4 * row["score"] for row in here.scores()}
    answers = GradedAnswer.objects.filter(case__suite=run.suite)
    CalibrationScore.objects.bulk_create(
        [CalibrationScore(run=run, answer=row, score=scores[row.answer_id], draws=[]) for row in answers]
    )
    done = work(here, run)
    older(done, 2)
    server.asked.clear()
    return of_slice(done)


def checked() -> AnchorCheck:
    """The check that is due, done by a worker."""
    assert due_checks(now()) == 1
    check = AnchorCheck.objects.latest("pk")
    assert run_job(AnchorCheck.objects.filter(pk=check.pk), check_anchors)
    check.refresh_from_db()
    return check


def test_a_judge_that_says_the_same_keeps_its_calibration(calibration: Calibration, server: JudgeServer) -> None:
    check = checked()
    calibration.refresh_from_db()
    assert (check.state, check.outcome, calibration.ended_at) == ("done", "held", None)
    assert check.document
    assert check.document["n"] == len(server.asked) == ANCHORS
    assert check.spent["calls"] == ANCHORS


def test_the_anchors_reach_from_the_lowest_to_the_highest_score(
    calibration: Calibration, here: Bench, server: JudgeServer
) -> None:
    checked()
    scores = here.parts[SLICE].scores
    asked = [scores[each.place] for each in server.asked]
    assert (min(asked), max(asked)) == (min(scores), max(scores))


def test_a_check_asks_afresh_and_keeps_no_call(calibration: Calibration, server: JudgeServer) -> None:
    before = KnownCall.objects.count()
    checked()
    assert len(server.asked) == ANCHORS
    assert KnownCall.objects.count() == before


def test_a_judge_whose_scores_lie_elsewhere_loses_it_with_the_sentence_why(
    calibration: Calibration, here: Bench, server: JudgeServer
) -> None:
    server.rule = by_parts(here, shift=-0.3, wobble=0.05)
    check = checked()
    calibration.refresh_from_db()
    assert check.outcome == "moved"
    assert calibration.ended_because.startswith("The nightly check found that the judge has moved. Scores shifted by")
    found = badge(here.slice(), calibration.judge_sha256, now())
    assert (found.word, found.sentence) == ("Ended", calibration.ended_because)


def test_a_judge_that_ranks_otherwise_loses_it(calibration: Calibration, here: Bench, server: JudgeServer) -> None:
    other = graded(COUNT, 0.0, seed=9)
    server.rule = lambda asked: 1 + 4 * other.scores[asked.place]
    checked()
    calibration.refresh_from_db()
    assert "Agreement with the experts fell from" in calibration.ended_because


def test_a_judge_that_says_one_and_the_same_of_everything_loses_it(
    calibration: Calibration, server: JudgeServer
) -> None:
    server.rule = lambda _: 3.0
    checked()
    calibration.refresh_from_db()
    assert "Every one of these 40 answers has the same score now" in calibration.ended_because


def test_the_end_of_a_calibration_leaves_a_receipt(calibration: Calibration, here: Bench, server: JudgeServer) -> None:
    server.rule = lambda _: 3.0
    checked()
    predicate = here.stage.last_statement()
    assert (predicate["event"], predicate["decision"]["outcome"]) == ("judge.calibrated", "ended")


def test_a_server_with_a_bad_night_ends_nothing(calibration: Calibration, here: Bench, server: JudgeServer) -> None:
    server.rule = lambda asked: None if asked.place % 2 else 1.0
    check = checked()
    calibration.refresh_from_db()
    assert (check.outcome, calibration.ended_at) == ("incomplete", None)
    assert check.document
    assert "answers got no score." in check.document["sentences"][-1]


def test_a_calibration_is_looked_at_once_a_day(calibration: Calibration) -> None:
    assert due_checks(now()) == 1
    assert due_checks(now()) == 0
    assert due_checks(now() + timedelta(hours=23)) == 0
    AnchorCheck.objects.update(state="done")
    assert due_checks(now() + timedelta(hours=25)) == 1


def test_one_that_waits_still_is_not_asked_for_twice(calibration: Calibration) -> None:
    assert due_checks(now()) == 1
    due_checks(now() + timedelta(hours=25))
    assert AnchorCheck.objects.count() == 1


def test_on_the_day_of_its_measurement_nobody_looks(here: Bench, server: JudgeServer) -> None:
    work(here, asked_for(here, llm_judge(here, server), rescores=False))
    assert due_checks(now()) == 0


@pytest.mark.parametrize(
    "gone", [{"ended_at": now()}, {"outcome": "fail"}, {"valid_until": now() - timedelta(minutes=1)}]
)
def test_what_holds_no_more_is_not_looked_at(calibration: Calibration, gone: dict[str, object]) -> None:
    Calibration.objects.filter(pk=calibration.pk).update(**gone)
    assert due_checks(now()) == 0


def test_a_judge_that_works_elsewhere_is_not_asked_and_its_badge_says_that_it_only_ages(here: Bench) -> None:
    run = here.measured()
    older(run, 2)
    assert due_checks(now()) == 0
    found = badge(here.slice(), run.judge.sha256, now())
    assert "no nightly check looks at it: it only ages" in found.sentence


def test_a_calibration_that_has_lapsed_is_written_down_as_ended(here: Bench) -> None:
    run = here.measured()
    older(run, 31)
    due_checks(now())
    row = of_slice(run)
    assert (row.ended_at, row.ended_because) == (row.valid_until, "It is older than 30 days.")


def test_after_a_kill_only_the_rest_is_asked_for(
    calibration: Calibration, server: JudgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert due_checks(now()) == 1
    check = AnchorCheck.objects.latest("pk")
    keys = list(calibration.run.scores.filter(score__isnull=False).order_by("score", "answer_id"))
    half = {str(row.answer_id): row.score for row in keys[:1]}
    AnchorCheck.objects.filter(pk=check.pk).update(document={"fresh": half})
    assert run_job(AnchorCheck.objects.filter(pk=check.pk), check_anchors)
    check.refresh_from_db()
    assert (len(server.asked), check.outcome) == (ANCHORS - 1, "held")


def test_workers_know_the_jobs() -> None:
    assert JOBS[KIND] == (AnchorCheck, check_anchors)
    assert "calibration" in JOBS
