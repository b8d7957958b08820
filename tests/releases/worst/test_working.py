"""The job of the worst answers: before and after, with the judge's reasons, sealed, each place once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from gates.judge_models import KnownCall
from relcontrol import ticks
from relcontrol.clock import now
from relcontrol.errors import NotFound
from relcontrol.jobs.leases import LeaseLostError
from relcontrol.model_servers.calls import Calls
from releases.observer_models import WorstAnswer, WorstAnswers
from releases.trace_models import SubjectKey
from releases.worst.material import NO_KEPT, Work
from releases.worst.selectors import opened_worst, worst_by_receipt, worst_named, worst_of
from releases.worst.working import find_worst
from tests.factories import organization
from tests.releases.replays.answering import misbehaving
from tests.releases.replays.stage import QUESTION, REFUSAL, stage
from tests.releases.worst.stage import Watched, halted, lease_of, watched, worked

pytestmark = pytest.mark.django_db


def test_a_halt_shows_both_answers_of_its_pairs_without_another_call(
    models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = stage(base_url=models, candidate="demo-hedging")
    for _ in range(3):
        at.served("candidate", output=REFUSAL)
    job = halted(at)
    monkeypatch.setattr(Calls, "ask", lambda *_: pytest.fail("nothing is asked again"))
    rows = worked(job)
    assert {(row.score_before, row.score_after, row.problem) for row in rows} == {(1.0, 0.0, "")}
    shown = opened_worst(worst_named(at.scene.organization, job.pk))
    assert [each.row.place for each in shown] == [1, 2, 3]
    assert {each.after for each in shown} == {REFUSAL}
    assert all(each.before and each.before != REFUSAL for each in shown)
    assert all("refuses or defers" in each.reason_after for each in shown)
    assert QUESTION in str(shown[0].messages[0]["content"])


def test_a_rollback_shows_what_was_served_beside_what_the_kept_release_answers(models: str) -> None:
    here = watched(base_url=models)
    here.scored(0.1)
    job = here.rolled_back()
    (row,) = worked(job)
    (shown,) = opened_worst(job)
    assert (shown.state, shown.after, shown.reason_after) == ("open", REFUSAL, "Worth 0.1.")
    assert shown.before not in ("", REFUSAL)
    assert (row.score_after, row.score_before, row.problem) == (0.1, 1.0, "")
    job.refresh_from_db()
    assert (job.state, job.progress_done, job.progress_of) == ("done", 1, 1)


def test_what_nobody_had_scored_is_scored_on_both_sides(models: str) -> None:
    at = stage(base_url=models)
    at.served("candidate", output=REFUSAL, status=502, error="stream_broken")
    (row,) = worked(halted(at))
    assert (row.score_after, row.score_before) == (0.0, 1.0)


def test_a_request_without_an_answer_says_so_and_shows_what_it_should_have_got(models: str) -> None:
    at = stage(base_url=models)
    at.served("candidate", output=None, status=504, error="timeout")
    job = halted(at)
    (row,) = worked(job)
    (shown,) = opened_worst(job)
    assert row.problem == "The request got no answer."
    assert (shown.after, row.score_after) == ("", None)
    assert shown.before
    assert row.score_before == 1.0


def test_a_kept_release_that_does_not_answer_is_a_problem_of_the_place_and_no_failure_of_the_job() -> None:
    with misbehaving() as server:
        here = watched(base_url=server.at("overloaded"))
        here.scored(0.1)
        job = here.rolled_back()
        (row,) = worked(job)
    assert row.problem == "The kept release did not answer the replay: upstream_5xx (503)."
    (shown,) = opened_worst(job)
    assert (shown.after, shown.before, row.score_before) == (REFUSAL, "", None)
    job.refresh_from_db()
    assert job.state == "done"


def test_without_a_release_to_compare_with_the_served_answer_stands_alone() -> None:
    here = watched()
    here.scored(0.1)
    (row,) = worked(here.rolled_back(target=None))
    assert (row.problem, row.score_after) == (NO_KEPT, 0.1)
    assert row.sealed


def test_a_judge_that_cannot_be_asked_leaves_the_answers_unscored(models: str) -> None:
    here = watched(base_url=models)
    here.observer.settings = {"slices": {"ip-licensing": {"judge": "gone@1", "map": {"lowest": 0, "highest": 1}}}}
    here.observer.save(update_fields=["settings"])
    here.scored(0.1)
    job = here.rolled_back()
    (row,) = worked(job)
    assert row.problem.startswith("The answers are not scored.")
    assert opened_worst(job)[0].before


def test_rows_hold_no_words_of_anybody(models: str) -> None:
    here = watched(base_url=models)
    here.scored(0.1)
    worked(here.rolled_back())
    with connection.cursor() as cursor:
        for table in ("releases_worstanswer", "releases_worstanswers", "gates_knowncall"):
            cursor.execute(f"SELECT row_to_json(each)::text FROM {table} AS each")  # noqa: S608 - constants
            text = json.dumps(cursor.fetchall())
            assert "affiliates" not in text
            assert "attorney" not in text
    assert not KnownCall.objects.exists()


def test_a_subject_that_was_erased_before_is_gone_and_fails_nothing(models: str) -> None:
    here = watched(base_url=models)
    for score in (0.1, 0.2):
        here.scored(score)
    job = here.rolled_back()
    erased = here.slices["ip-licensing"].answers.get(score=0.1).subject
    SubjectKey.objects.filter(subject=erased).update(wrapped_key=None, destroyed_at=now())
    rows = worked(job)
    assert [(row.sealed is None, "erased" in row.problem) for row in rows] == [(True, True), (False, False)]
    assert [each.state for each in opened_worst(job)] == ["gone", "open"]


def test_a_subject_that_is_erased_while_the_job_runs_is_not_sealed_again(
    models: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = watched(base_url=models)
    here.scored(0.1)
    write = Work.write

    def erased(work: Work, place: Any) -> None:
        SubjectKey.objects.update(wrapped_key=None, destroyed_at=now())
        write(work, place)

    monkeypatch.setattr(Work, "write", erased)
    job = here.rolled_back()
    (row,) = worked(job)
    assert row.sealed is None
    assert "erased" in row.problem
    assert opened_worst(job)[0].state == "gone"


def test_one_that_is_not_there_yet_waits(models: str) -> None:
    here = watched(base_url=models)
    here.scored(0.1)
    job = here.rolled_back()
    WorstAnswer.objects.create(
        organization=job.organization,
        worst=job,
        place=1,
        slice="ip-licensing",
        request_id="req-1",
        trace_id="0" * 32,
        trace_started_at=now(),
        subject=b"s" * 16,
    )
    assert opened_worst(job)[0].state == "waiting"


def sealed_by_place(job: WorstAnswers) -> dict[int, bytes]:
    """What is written so far."""
    rows = WorstAnswer.objects.filter(worst=job, sealed__isnull=False).order_by("place")
    return {row.place: bytes(row.sealed or b"") for row in rows}


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_job_that_is_killed_goes_on_with_the_places_that_are_empty(
    models: str, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    here = watched(base_url=models)
    for number in range(4):
        here.scored(number / 10)
    job = here.rolled_back()
    asked: list[str] = []
    ask, write = Calls.ask, Work.write

    def counted(calls: Calls, *args: Any, **named: Any) -> Any:
        asked.append(args[2]["messages"][-1]["content"])
        return ask(calls, *args, **named)

    def killed(work: Work, place: Any) -> None:
        if WorstAnswer.objects.filter(sealed__isnull=False).count() == after:
            raise KilledError
        write(work, place)

    monkeypatch.setattr(Calls, "ask", counted)
    monkeypatch.setattr(Work, "write", killed)
    with pytest.raises(KilledError):
        find_worst(lease_of(job))
    kept = sealed_by_place(job)
    assert len(kept) == after
    here.scored(0.0)  # what comes later does not change which they are
    monkeypatch.setattr(Work, "write", write)
    find_worst(lease_of(job, now() + timedelta(minutes=1)))
    assert list(sealed_by_place(job)) == [1, 2, 3, 4]
    assert kept.items() <= sealed_by_place(job).items()
    assert len(asked) == 4 + (4 - after)


def test_a_worker_that_lost_its_lease_writes_nothing(models: str, monkeypatch: pytest.MonkeyPatch) -> None:
    here = watched(base_url=models)
    here.scored(0.1)
    job = here.rolled_back()
    lease, ask = lease_of(job), Calls.ask

    def taken_over(calls: Calls, *args: Any) -> Any:
        WorstAnswers.objects.update(fence=lease.fence + 1)
        return ask(calls, *args)

    monkeypatch.setattr(Calls, "ask", taken_over)
    with pytest.raises(LeaseLostError):
        find_worst(lease)
    assert WorstAnswer.objects.get().sealed is None


def test_a_worker_takes_the_job_up(here: Watched) -> None:
    job = here.rolled_back()
    ticks.work("worst-answers", job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == ("done", 1)


def test_an_event_without_answers_has_none_and_the_job_ends(here: Watched) -> None:
    job = here.rolled_back()
    assert worked(job) == []
    job.refresh_from_db()
    assert (job.state, job.progress_of) == ("done", 0)


def test_they_are_found_by_event_receipt_and_id_and_by_nobody_else(here: Watched) -> None:
    job = here.rolled_back()
    owner = here.observer.organization
    assert job.rollback is not None
    assert worst_of(job.rollback) == worst_by_receipt(owner, job.rollback.receipt_hash) == worst_named(owner, job.pk)
    with pytest.raises(NotFound):
        worst_named(organization("eastgate"), job.pk)


@pytest.fixture
def here(db: None) -> Watched:
    """A release under an observer, whose model server does not answer."""
    return watched()
