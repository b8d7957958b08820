"""Labels with a number are grades of that very answer."""

from datetime import timedelta
from typing import Any

import pytest

from relcontrol.clock import now
from relcontrol.errors import Invalid
from releases.lineage.ratings import graded_served_answers, ratings_of_answer
from releases.measuring.feedback import record
from releases.observer_models import ObservedAnswer, ObservedSlice, Observer
from releases.rollout_models import Serving
from releases.trace_models import Feedback, Trace
from tests.factories import person_actor
from tests.releases.canary import Canary
from tests.releases.lineage.answers import told
from tests.releases.lineage.walked import Clock


def grade(here: Canary, value: float, name: str = "grade", request_id: str = "req-1", by: Any = None) -> Feedback:
    return record(actor=by or here.manager, request_id=request_id, kind="label", name=name, value=value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("grade", 0.25, 0.25), ("grade_5", 1, 0.0), ("grade_5", 4, 0.75), ("grade_100", 40, 0.4), ("grade_100", 100, 1.0)],
)
def test_a_grade_of_any_scale_lies_on_0_to_1(here: Canary, name: str, value: float, expected: float) -> None:
    trace = told(here, 1, here.stable)
    grade(here, value, name)
    (found,) = ratings_of_answer(trace)
    assert (found.grade, found.rater) == (expected, here.manager.id)


@pytest.mark.parametrize(
    ("name", "value"),
    [("grade", 1.1), ("grade", -0.1), ("grade_5", 0), ("grade_5", 6), ("grade_100", 101), ("grade", True)],
)
def test_a_grade_outside_of_its_scale_is_refused(here: Canary, name: str, value: Any) -> None:
    with pytest.raises(Invalid):
        grade(here, value, name)
    assert not Feedback.objects.exists()


def test_a_number_under_another_name_is_no_label_and_a_text_under_a_grade_stays_a_text(here: Canary) -> None:
    trace = told(here, 1, here.stable)
    with pytest.raises(Invalid, match="grade_100"):
        grade(here, 0.5, "tone")
    record(actor=here.manager, request_id="req-1", kind="label", name="grade", value="wrong clause")
    assert ratings_of_answer(trace) == []


def test_the_newest_grade_of_each_rater_counts(here: Canary) -> None:
    trace = told(here, 1, here.stable)
    owner = person_actor(here.organization, "domain-owner")
    grade(here, 0.2)
    grade(here, 5, "grade_5")
    grade(here, 0.6, by=owner)
    assert [(row.grade, row.rater) for row in ratings_of_answer(trace)] == [(1.0, here.manager.id), (0.6, owner.id)]


def test_a_grade_is_about_the_newest_answer_served_then_and_never_about_a_shadow(here: Canary, clock: Clock) -> None:
    first = told(here, 1, here.stable)
    shadow = told(here, 3, here.candidate, request_id="req-1", arm="shadow")
    grade(here, 0.1)
    clock.move(60)
    second = told(here, 2, here.stable, request_id="req-1")
    grade(here, 0.9)
    graded = [[row.grade for row in ratings_of_answer(trace)] for trace in (first, second, shadow)]
    assert graded == [[0.1], [0.9], []]


def test_other_feedback_is_no_grade_and_other_requests_are_not_this_one(here: Canary) -> None:
    trace = told(here, 1, here.stable)
    grade(here, 0.5, request_id="req-2")
    record(actor=here.manager, request_id="req-1", kind="thumb", value=1)
    record(actor=here.manager, request_id="req-1", kind="score", name="grade", value=0.9)
    assert ratings_of_answer(trace) == []


def observed_slice(here: Canary) -> ObservedSlice:
    """A slice under an observer of what serves."""
    at = now()
    observer = Observer.objects.create(
        organization=here.organization,
        application=here.scene.application,
        route=here.route,
        release=here.stable,
        serving=Serving.objects.get(route=here.route, until=None),
        settings={},
        folded_to=0,
        folded_at=at,
        started_at=at,
    )
    return ObservedSlice.objects.create(
        observer=observer, slice="ip-licensing", judge="rules:default@1", spread=0.25, n_min=10, next_from=at
    )


def scored(of: ObservedSlice, trace: Trace, score: float | None, **columns: Any) -> ObservedAnswer:
    return ObservedAnswer.objects.create(
        **{
            "organization": trace.organization,
            "observed": of,
            "kind": "served",
            "at": trace.started_at,
            "request_id": trace.request_id,
            "trace_id": trace.trace_id,
            "trace_started_at": trace.started_at,
            "state": "scored",
            "score": score,
            "created_at": now(),
            **columns,
        }
    )


def test_the_observer_gets_the_served_answers_that_have_both_a_score_and_a_grade(here: Canary) -> None:
    of, since = observed_slice(here), now() - timedelta(minutes=15)
    traces = [told(here, number, here.stable) for number in range(1, 6)]
    scored(of, traces[0], 0.3)
    scored(of, traces[1], 0.7)
    scored(of, traces[2], 0.9, kind="replayed")
    scored(of, traces[3], None, state="missing")
    scored(of, traces[4], 0.5)
    for number in (1, 3, 4):
        grade(here, 0.2, request_id=f"req-{number}")
    owner = person_actor(here.organization, "domain-owner")
    grade(here, 0.4, request_id="req-2")
    grade(here, 0.8, request_id="req-2", by=owner)
    found = graded_served_answers(of, since)
    assert [(row.request_id, row.score, row.grade, row.raters) for row in found] == [
        ("req-1", 0.3, 0.2, 1),
        ("req-2", 0.7, pytest.approx(0.6), 2),
    ]
    assert graded_served_answers(of, now() + timedelta(seconds=1)) == []


def test_many_answers_take_as_many_queries_as_one(here: Canary, django_assert_num_queries: Any) -> None:
    of, since = observed_slice(here), now() - timedelta(minutes=15)
    for number in range(1, 8):
        scored(of, told(here, number, here.stable), 0.5)
        grade(here, 0.5, request_id=f"req-{number}")
    with django_assert_num_queries(3):
        assert len(graded_served_answers(of, since)) == 7
