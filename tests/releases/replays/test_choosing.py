"""Which live prompts are chosen at a checkpoint: good answers of this checkpoint, of many subjects, up to the cap."""

from datetime import timedelta
from typing import Any

import pytest

from relcontrol.clock import now
from releases.monitors.quality import CAP
from releases.replays import choosing
from releases.replays.choosing import MOST_IN_ALL, PER_SUBJECT, PER_TICK
from releases.rollout_models import ReplayJob, ReplayPair
from releases.trace_models import SubjectKey
from releases.traces.bodies import open_body
from tests.releases.measuring.rows import GENERATION, move
from tests.releases.replays.stage import ANSWER, REFUSAL, Stage, stage


def test_a_served_prompt_waits_for_the_other_arms_answer(here: Stage) -> None:
    told = here.served("candidate")
    assert here.choose() == 1
    (pair,) = here.pairs()
    assert (pair.state, pair.served, pair.slice) == ("queued", "candidate", "ip-licensing")
    assert (pair.trace_id, pair.request_id) == (told["trace_id"], told["request_id"])


def test_no_prompt_is_chosen_twice(here: Stage) -> None:
    here.served()
    assert [here.choose(), here.choose()] == [1, 0]


def test_the_candidates_own_prompts_come_before_those_of_stable(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "CAP", 2)
    here.served("candidate")
    here.served("stable")
    here.served("stable")
    here.choose()
    assert sorted(pair.served for pair in here.pairs()) == ["candidate", "stable"]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 500, "error": "upstream_5xx"},
        {"status": 200, "error": "stream_broken"},
        {"metadata": {"topic": "contract-drafting"}},
        {"generation": GENERATION - 1},
        {"generation": None, "started_at": (now() - timedelta(minutes=3)).isoformat()},
        {"arm": "shadow"},
        {"rollout": "rol_01jd3v00000000000000000000"},
        {"output": {"content": None, "tool_calls": [{"id": "1"}]}},
        {"output": None},
        {"input": None},
        {"input": {"messages": []}},
    ],
    ids=lambda changes: "-".join(changes) + f"-{changes.get('status', '')}",
)
def test_what_is_no_good_answer_of_this_checkpoint_and_slice_is_left(here: Stage, changes: dict[str, Any]) -> None:
    here.served(**changes)
    assert here.choose() == 0


def test_a_trace_without_a_generation_counts_by_its_time(here: Stage) -> None:
    here.served(generation=None)
    assert here.choose() == 1


def test_an_erased_subjects_prompt_is_left(here: Stage) -> None:
    here.served()
    SubjectKey.objects.update(wrapped_key=None, destroyed_at=now())
    assert here.choose() == 0


def test_no_subject_is_more_than_three_of_the_pairs(here: Stage) -> None:
    for _ in range(PER_SUBJECT):
        here.served(subject="anna")
    here.choose()
    here.served(subject="anna")
    here.served(subject="bert")
    assert here.choose() == 1
    assert len(here.pairs()) == PER_SUBJECT + 1


def test_a_slice_has_no_more_pairs_than_the_cap(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "CAP", 4)
    for _ in range(6):
        here.served()
    assert [here.choose(), here.choose()] == [4, 0]


def test_unusable_pairs_are_made_up_for_but_not_without_end(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "CAP", 2)
    monkeypatch.setattr(choosing, "MOST_IN_ALL", 3)
    for _ in range(6):
        here.served()
    chosen = []
    for _ in range(3):
        chosen.append(here.choose())
        ReplayPair.objects.update(state="unusable")
    assert chosen == [2, 1, 0]


def test_the_cap_is_that_of_the_monitor(here: Stage) -> None:
    for _ in range(CAP + 2):
        here.served()
    assert here.choose() == CAP
    assert MOST_IN_ALL == 2 * CAP


def test_one_tick_chooses_a_bounded_number(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "PER_TICK", 2)
    for _ in range(5):
        here.served()
    assert [here.choose(), here.choose(), here.choose()] == [2, 2, 1]
    assert PER_TICK == 100


def test_the_next_checkpoint_begins_anew(here: Stage) -> None:
    here.served()
    here.choose()
    here.row = move(here.row, 2, now() - timedelta(seconds=5), GENERATION + 1)
    assert here.choose() == 0
    here.served(generation=GENERATION + 1)
    assert here.choose() == 1


@pytest.mark.django_db
def test_an_unwatched_slice_is_left() -> None:
    at = stage()
    at.row.settings["slices"] = []
    at.row.save(update_fields=["settings"])
    at.served()
    assert at.choose() == 0


@pytest.mark.parametrize("state", ["completed", "halted", "aborted"])
def test_a_rollout_that_is_over_chooses_nothing(here: Stage, state: str) -> None:
    here.served()
    here.row.state = state
    here.row.save(update_fields=["state"])
    assert here.choose() == 0


def test_a_cold_start_has_nothing_to_compare_with(here: Stage) -> None:
    here.served()
    here.row.previous = None
    here.row.save(update_fields=["previous"])
    assert here.choose() == 0


def test_one_job_is_made_and_a_worker_woken(here: Stage, django_capture_on_commit_callbacks: Any) -> None:
    here.served()
    with django_capture_on_commit_callbacks() as callbacks:
        here.choose()
    assert len(callbacks) == 1
    here.served()
    here.choose()
    assert ReplayJob.objects.get().checkpoint == here.row.checkpoint


def test_after_a_job_that_failed_comes_another_but_not_at_once(here: Stage) -> None:
    here.served()
    here.choose()
    ReplayJob.objects.update(state="error", finished_at=now())
    here.choose()
    assert ReplayJob.objects.filter(state="queued").count() == 0
    here.choose(now() + timedelta(seconds=61))
    assert ReplayJob.objects.filter(state="queued").count() == 1


def test_a_shadows_copy_is_paired_with_what_was_served(here: Stage) -> None:
    here.row.state, here.row.checkpoint = "shadowing", 0
    here.row.save(update_fields=["state", "checkpoint"])
    told = here.served("stable")
    here.served("shadow", request_id=told["request_id"], subject=told["subject"], output={"content": REFUSAL})
    here.served("stable")
    here.served("candidate")
    value_at = here.choose()
    (pair,) = here.pairs()
    assert (value_at, pair.state, pair.served, pair.trace_id) == (1, "answered", "stable", told["trace_id"])
    answers = open_body(here.row.organization_id, bytes(pair.subject), bytes(pair.answers or b""))
    assert answers == {"candidate": {"content": REFUSAL}, "stable": ANSWER}
    assert here.choose() == 0
