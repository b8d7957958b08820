"""An import as a job: a killed worker's work is done by the next, and a late one writes nothing."""

from datetime import timedelta

import pytest
from django.db.models import QuerySet

from gates import suites
from gates.models import Suite, SuiteCase, SuiteImport
from gates.suites import import_suite, request_import
from relcontrol.accounts.models import Token
from relcontrol.clock import now
from relcontrol.jobs.leases import LEASE, LeaseLostError, claim
from relcontrol.jobs.running import run
from tests.factories import person_actor
from tests.gates.pure.shared_files import cases
from tests.gates.scene import CASES, Scene, lines


def requested(northgate: Scene, body: bytes = lines(CASES)) -> SuiteImport:
    return request_import(actor=northgate.actor, name="s", body=body, file_format="jsonl")


def rows_of(job: SuiteImport) -> QuerySet[SuiteImport]:
    return SuiteImport.objects.filter(pk=job.pk)


def test_a_job_left_by_a_killed_worker_is_completed_by_the_next(northgate: Scene) -> None:
    job = requested(northgate)
    assert claim(rows_of(job), "killed", now() - 2 * LEASE)
    assert run(rows_of(job), import_suite)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.made_suite) == ("done", 2, True)
    assert SuiteCase.objects.count() == 2


def test_a_job_that_somebody_works_on_is_left_alone(northgate: Scene) -> None:
    job = requested(northgate)
    assert claim(rows_of(job), "alive", now())
    assert not run(rows_of(job), import_suite)
    assert not Suite.objects.exists()


def test_a_worker_that_was_thought_dead_writes_nothing(northgate: Scene) -> None:
    job = requested(northgate)
    late = claim(rows_of(job), "late", now() - 2 * LEASE)
    assert late
    assert claim(rows_of(job), "next", now() + timedelta(seconds=1))
    receipts = len(northgate.receipts())
    with pytest.raises(LeaseLostError):
        import_suite(late)
    assert (Suite.objects.count(), len(northgate.receipts())) == (0, receipts)


def test_a_failure_while_writing_leaves_no_part_of_the_suite(northgate: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    job = requested(northgate)

    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(suites, "_record", broken)
        run(rows_of(job), import_suite)
    assert (Suite.objects.count(), SuiteCase.objects.count()) == (0, 0)
    rows_of(job).update(lease_until=now() - LEASE)
    run(rows_of(job), import_suite)
    assert SuiteCase.objects.count() == 2


def test_progress_is_told_while_rows_are_read(northgate: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "ROWS_PER_KEEP", 10)
    rows = [{"case_id": f"c{row}", "slice": "ip-licensing", "input": "?"} for row in range(35)]
    job = requested(northgate, lines([*rows, {}]))
    run(rows_of(job), import_suite)
    job.refresh_from_db()
    assert (job.state, job.progress_done, job.progress_of) == ("error", 30, 36)


def test_a_requester_who_has_lost_the_role_since_is_refused_in_words(northgate: Scene) -> None:
    owner = person_actor(northgate.organization, "domain-owner")
    job = request_import(actor=owner, name="s", body=lines(CASES), file_format="jsonl")
    northgate.organization.memberships.update(roles=["viewer"])
    run(rows_of(job), import_suite)
    job.refresh_from_db()
    assert (job.state, (job.problem or {})["status"]) == ("error", 403)
    assert not Suite.objects.exists()


def test_a_token_that_was_revoked_since_imports_nothing(northgate: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "INLINE_BYTES", 0)
    monkeypatch.setattr(suites, "wake", lambda *_: None)
    key = northgate.upload(lines(CASES), name="s").json()["import_id"]
    Token.objects.update(revoked_at=now())
    job = SuiteImport.objects.get(pk=key)
    run(rows_of(job), import_suite)
    job.refresh_from_db()
    assert (job.state, (job.problem or {})["status"]) == ("error", 403)


def test_real_human_rated_data_loads_whole(northgate: Scene) -> None:
    frank = cases("frank")
    for slug in {row["slice"] for row in frank}:
        northgate.ci.post("slices", {"slug": slug})
    rows = [
        {
            "case_id": row["case_id"],
            "slice": row["slice"],
            "input": row["input_id"],
            "cluster_id": row["input_id"],
            "answers": [{"answer_id": row["system"], "system": row["system"], "human_scores": row["human_scores"]}],
        }
        for row in frank
    ]
    made = northgate.upload(lines(rows), name="frank", grade_scale="0,1").json()
    assert (made["cases"], made["graded_answers"]) == (2246, 2246)
    assert set(made["slices"]) == {"cnndm", "bbc"}
