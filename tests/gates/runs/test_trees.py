"""Slices above and below each other, with thresholds on some of them, and judges of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from relcontrol.rehearsal.samples import Graded, graded
from tests.gates.runs.stage import Row, Stage, cases_of, results_of, stage

pytestmark = pytest.mark.django_db

JUDGED = {"threshold": "0.65", "quality_floor": "0.1"}
ABOVE = {"french": JUDGED, "belgian-french": {"parent": "french"}}


def parts_of(slugs: Sequence[str], count: int = 40) -> dict[str, Graded]:
    """Answers to each slice's own cases, which agree well."""
    return {slug: graded(count, 0.8, seed=place) for place, slug in enumerate(slugs)}


def here_with(slices: Mapping[str, Mapping[str, Any]], parts: Mapping[str, Graded]) -> Stage:
    """These slices, and a suite of the cases of some of them."""
    return stage(slices, [case for slug, part in parts.items() for case in cases_of(slug, len(part.scores))])


def results(parts: Mapping[str, Graded], system: str = "a", stretch: float = 1.0, low: float = 0.0) -> list[Row]:
    """The answers, scored on another scale if wanted."""
    found: list[Row] = []
    for slug, part in parts.items():
        scores = [low + stretch * score for score in part.scores]
        found += results_of(cases_of(slug, len(part.scores)), scores, part.grades, system)
    return found


def by_slug(document: Row) -> dict[str, Row]:
    return {each["slice"]: each for each in document["slices"]}


def test_cases_of_a_slice_without_a_threshold_count_in_the_one_above() -> None:
    parts = parts_of(["french", "belgian-french"])
    here = here_with(ABOVE, parts)
    found = by_slug(here.judged(here.register(), results(parts)))
    assert set(found) == {"french"}
    assert found["french"]["agreement"]["n"] == 80


def test_a_slice_whose_cases_all_lie_below_it_is_judged_on_them() -> None:
    parts = parts_of(["belgian-french"])
    here = here_with(ABOVE, parts)
    assert by_slug(here.judged(here.register(), results(parts)))["french"]["cases"] == 40


def test_the_judges_scale_holds_for_cases_below_when_a_later_run_does_not_repeat_it() -> None:
    parts = parts_of(["french", "belgian-french"])
    here = here_with(ABOVE, parts)
    first = here.judged(here.register(), results(parts, stretch=4, low=1), scale=[1, 5])
    later = here.judged(here.register(), results(parts, "b", stretch=4, low=1))
    assert by_slug(later)["french"]["quality"]["mean"] == by_slug(first)["french"]["quality"]["mean"]


def test_two_levels_down_the_scale_is_still_that_of_the_judged_slice() -> None:
    slices = {**ABOVE, "brussels-french": {"parent": "belgian-french"}}
    parts = parts_of(["brussels-french"])
    here = here_with(slices, parts)
    here.judged(here.register(), results(parts, stretch=4, low=1), scale=[1, 5])
    assert here.send(here.register(), results(parts, "b", stretch=4, low=1)).status_code == 200


def test_a_score_outside_of_the_judges_scale_is_refused() -> None:
    parts = parts_of(["french"])
    here = here_with({"french": JUDGED}, parts)
    here.judged(here.register(), results(parts, stretch=4, low=1), scale=[1, 5])
    answer = here.send(here.register(), results(parts, "b"))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_results")
    assert "lies outside 1 to 5" in answer.json()["detail"]


def test_another_scale_of_the_same_judge_is_another_judge() -> None:
    parts = parts_of(["french"])
    here = here_with({"french": JUDGED}, parts)
    here.judged(here.register(), results(parts))
    answer = here.send(here.register(), results(parts, "b"), scale=[0, 10])
    assert (answer.status_code, answer.json()["code"]) == (409, "judge_scale_differs")


def test_where_no_slice_has_a_threshold_nothing_passes() -> None:
    parts = parts_of(["french"])
    here = here_with({"french": {}}, parts)
    document = here.judged(here.register(), results(parts))
    assert (document["verdict"], document["slices"]) == ("gate_hold", [])
    assert "No slice has a threshold" in document["reasons"][0]


def test_the_runs_judge_cannot_take_the_place_of_a_slices_own() -> None:
    parts = parts_of(["french", "german"])
    here = here_with({"french": JUDGED | {"judge": "external:french@1"}, "german": JUDGED}, parts)
    answer = here.send(here.register(), results(parts), judge="external:other@1")
    assert (answer.status_code, answer.json()["code"]) == (422, "judge_differs")


def test_slices_have_judges_of_their_own() -> None:
    parts = parts_of(["french", "german"])
    slices = {slug: JUDGED | {"judge": f"external:{slug}@1"} for slug in parts}
    here = here_with(slices, parts)
    found = by_slug(here.judged(here.register(), results(parts), judge=None))
    assert {slug: each["judge"] for slug, each in found.items()} == {
        "french": "external:french@1",
        "german": "external:german@1",
    }


def test_a_judge_that_nobody_names_is_asked_for() -> None:
    parts = parts_of(["french"])
    here = here_with({"french": JUDGED}, parts)
    answer = here.send(here.register(), results(parts), judge=None)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "judge"


def test_a_case_cannot_be_scored_by_two_judges_however_far_apart_their_slices_are() -> None:
    slices = {
        "french": JUDGED | {"judge": "external:french@1"},
        "belgian-french": {"parent": "french"},
        "brussels-french": JUDGED | {"parent": "belgian-french", "judge": "external:brussels@1"},
    }
    parts = parts_of(["brussels-french"])
    here = here_with(slices, parts)
    answer = here.send(here.register(), results(parts), judge=None)
    assert (answer.status_code, answer.json()["code"]) == (422, "judge_differs")
    assert "brussels-french is judged by external:brussels@1 and french above it" in answer.json()["detail"]
