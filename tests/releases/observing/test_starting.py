"""Observers begin with what serves and end with it; what they go by is pinned, the judge's map among it."""

from typing import Any

import pytest
from django.test import override_settings

from gates.judge_making import create_judge
from gates.models import GradedAnswer, Rating, Slice, SuiteCase
from gates.run_models import CaseResult, GateRun
from relcontrol import environment
from releases.observer_models import ObservedSlice, Observer
from releases.observing.anchors import choose_anchors
from releases.observing.judges import mapped, pinned_judge
from releases.observing.sampling import sample
from releases.observing.starting import NO_LONGER, boundary_before, ensure_observers, minute_of
from releases.observing.ticking import tick_observers
from releases.rollout_models import Serving
from tests.releases.observing.stage import MINUTE, OTHER, SLICE, Stage, served, stage

pytestmark = pytest.mark.django_db


def test_what_serves_is_watched_from_its_first_minute_by_what_is_pinned() -> None:
    here = stage(slugs=(SLICE, OTHER), begin=False)
    ensure_observers(here.at)
    ensure_observers(here.at)
    (row,) = Observer.objects.all()
    assert (row.release, row.started_at, row.serving) == (here.release, here.at, Serving.objects.get(until=None))
    assert (row.settings["share"], row.settings["per_window"], row.settings["window_seconds"]) == (0.05, 20, 60)
    assert row.settings["slices"][SLICE] == {
        "floor": pytest.approx(0.5525),
        "source": "gate",
        "rho_floor": None,
        "judge": "rules:default@1",
        "map": {"lowest": 0.0, "highest": 1.0},
    }
    slices = list(ObservedSlice.objects.order_by("slice").values_list("slice", "floor_source", "next_from"))
    assert slices == [(OTHER, "gate", here.at), (SLICE, "gate", here.at)]


def test_what_a_rehearsal_asks_for_is_its_shortest_window(northgate_stage: Stage) -> None:
    here = northgate_stage
    served(here.before, here.at)
    with override_settings(WINDOW_SECONDS=15):
        ensure_observers(here.at)
    row = Observer.objects.get(ended_at=None)
    assert (row.release, minute_of(row)) == (here.before, MINUTE / 4)
    assert boundary_before(here.at + MINUTE * 0.3, MINUTE / 4) == here.at + MINUTE / 4


@pytest.mark.parametrize("seconds", ["9", "61", "a minute"])
def test_a_window_that_is_none_stops_the_start(seconds: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCONTROL_WINDOW_SECONDS", seconds)
    with pytest.raises(environment.MisconfiguredError, match="RELCONTROL_WINDOW_SECONDS must be a whole number"):
        environment.number("RELCONTROL_WINDOW_SECONDS", 60, minimum=10, maximum=60)


def test_an_observer_ends_with_its_serving_and_what_waits_is_not_scored(northgate_stage: Stage) -> None:
    here = northgate_stage
    here.traffic(12, here.at)
    sample(here.observer, here.at + MINUTE)
    served(here.before, here.at + MINUTE)
    ensure_observers(here.at + MINUTE)
    assert here.observer.ended_at == here.at + MINUTE
    assert {(row.state, row.problem) for row in here.answers()} == {("missing", NO_LONGER)}
    assert Observer.objects.get(ended_at=None).release == here.before


def test_one_route_that_cannot_be_watched_keeps_no_other_waiting(
    northgate_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stage("eastgate", begin=False)
    Slice.objects.filter(organization=other.scene.organization, slug=SLICE).update(judge="rules:gone@1")
    third = stage("westgate", begin=False)
    tick_observers(northgate_stage.at)
    watched = set(Observer.objects.values_list("release", flat=True))
    assert watched == {northgate_stage.release.pk, third.release.pk}


def graded_run(here: Stage, judge: str) -> GateRun:
    """The gate run that let the release out, with experts' grades of its own answers: 1 to 5, twice the score."""
    run = GateRun.objects.get(manifest_sha256=here.release.manifest_sha256)
    case = SuiteCase.objects.get(suite=run.suite, slice__slug=SLICE)
    run.suite.grade_scale = [1, 5]
    run.suite.save()
    for number in range(40):
        graded = GradedAnswer.objects.create(case=case, answer_id=f"a{number}", output=f"Answer {number}.")
        Rating.objects.create(answer=graded, rater="r1", grade=1 + number % 5)
        CaseResult.objects.create(run=run, case=case, answer_id=f"a{number}", score=(number % 5) / 10)
    run.judges = {SLICE: judge}
    assert run.document is not None
    run.document["slices"][0]["quality"]["map"] = "own"
    run.save()
    return run


def test_scores_are_mapped_as_the_gate_mapped_them_when_it_is_the_same_judge() -> None:
    here = stage(begin=False)
    own, _ = create_judge(actor=here.scene.actor, name="rules:short@1", fields={"rules": {"max_chars": 90}})
    Slice.objects.filter(slug=SLICE).update(judge=own.name)
    run = graded_run(here, own.sha256)
    pinned = pinned_judge(here.scene.organization, SLICE, run, here.at)
    assert (pinned.name, pinned.sha256) == (own.name, own.sha256)
    assert [mapped(pinned.map, score) for score in (0.0, 0.2, 0.4, 1.0)] == pytest.approx([0, 0.5, 1, 1])

    run.judges = {SLICE: "9" * 64}
    other = pinned_judge(here.scene.organization, SLICE, run, here.at)
    assert other.map == {"lowest": 0.0, "highest": 1.0}


@pytest.mark.parametrize(("by", "raw", "level"), [({"lowest": 1, "highest": 5}, 2.0, 0.25)])
def test_without_a_fitted_map_the_scale_is_stretched(by: dict[str, Any], raw: float, level: float) -> None:
    assert mapped(by, raw) == level


def test_five_graded_answers_are_mixed_in_a_quarter_of_an_hour_and_other_ones_in_the_next() -> None:
    here = stage()
    graded_run(here, "9" * 64)
    ObservedSlice.objects.update(rho_floor=0.5525)
    assert choose_anchors(here.observer, here.slice(), here.at) == 0
    for minutes in (0, 1, 15):
        here.traffic(12, here.at + MINUTE * minutes)
        sample(here.observer, here.at + MINUTE * (minutes + 1))
    anchors = here.answers(kind="anchor")
    assert len(anchors) == 10
    assert len({row.anchor_id for row in anchors}) > 5
    assert {row.subject for row in anchors} == {None}
    assert all(1 <= (row.grade or 0) <= 5 for row in anchors)
    here.tick(here.at + MINUTE * 16.5)
    here.tick(here.at + MINUTE * 1)
    assert {row.state for row in here.answers(kind="anchor")} == {"scored"}
