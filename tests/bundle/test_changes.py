"""What a release changes, and one change at a time."""

from typing import Any

import pytest

from relcontrol.bundle.changes import Change, Changes, check_one_change, diff, field_difference
from relcontrol.bundle.components import MEASURING, SERVING
from tests.bundle.manifests import COMMIT, digest, manifest

ALTERED: dict[str, dict[str, Any]] = {
    "model": {"model_ref": "openai:gpt-4o"},
    "prompt_template": {"prompt_template": digest("e")},
    "preprocessing": {"preprocessing": None},
    "routing": {"routing": {"domain": "medical"}},
    "generation": {"generation": {"temperature": "1"}},
    "guardrail_policy": {"components": {"guardrail_policy": digest("e")}},
    "tool_schemas": {"components": {"tool_schemas": digest("e")}},
    "features": {"components": {"feature_view": "v2", "feature_snapshot": "s2"}},
    "index": {"components": {"index": "kb@8"}},
    "few_shot": {"components": {"few_shot": digest("e")}},
    "serving_image": {"components": {"serving_image": "repo/image@sha256:1"}},
    "dataset": {"dataset": digest("e")},
    "judge": {"components": {"judge": digest("e")}},
    "git_commit": {"components": {"git_commit": COMMIT}},
}
THREE: dict[str, Any] = {**ALTERED["model"], **ALTERED["prompt_template"], **ALTERED["routing"]}
THREE_NAMES = ["model", "prompt_template", "routing"]


def check(
    changes: Changes, acknowledged: list[str] | None = None, *, after_multi: bool = False, named: bool = True
) -> list[tuple[str, str]]:
    problems = check_one_change(changes, acknowledged or [], previous_was_multi=after_multi, baseline_named=named)
    return [(problem.field, problem.code) for problem in problems]


@pytest.mark.parametrize("component", SERVING)
def test_each_serving_component_counts_as_one_change(component: str) -> None:
    changes = diff(manifest(**ALTERED[component]), manifest())
    assert ([change.component for change in changes.serving], changes.measuring) == ([component], ())


@pytest.mark.parametrize("component", MEASURING)
def test_each_measuring_component_is_listed_and_does_not_count(component: str) -> None:
    changes = diff(manifest(**ALTERED[component]), manifest())
    assert (changes.serving, [change.component for change in changes.measuring]) == ((), [component])


@pytest.mark.parametrize("key", ["feature_view", "feature_snapshot"])
def test_either_half_of_the_features_is_a_change_of_features(key: str) -> None:
    changes = diff(manifest(components={key: "v2"}), manifest())
    assert [change.component for change in changes.serving] == ["features"]


def test_a_change_shows_both_values() -> None:
    changes = diff(manifest(routing={"domain": "medical"}), manifest())
    assert changes.serving == (Change("routing", {"domain": "legal"}, {"domain": "medical"}),)


def test_a_cold_start_and_an_equal_bundle_change_nothing() -> None:
    assert diff(manifest(), None) == Changes()
    assert diff(manifest(previous_release="a" * 64), manifest()) == Changes()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("after_multi", [True, False])
@pytest.mark.parametrize("acknowledged", [[], ["model"]])
def test_one_change_is_always_accepted(*, named: bool, after_multi: bool, acknowledged: list[str]) -> None:
    changes = diff(manifest(**ALTERED["model"], **ALTERED["dataset"]), manifest())
    assert check(changes, acknowledged, after_multi=after_multi, named=named) == []


def test_three_changes_are_refused_in_a_sentence_that_names_them_and_the_way_out() -> None:
    (problem,) = check_one_change(
        diff(manifest(**THREE), manifest()), [], previous_was_multi=False, baseline_named=True
    )
    assert problem.message == (
        "This release changes 3 serving components at once: model, prompt template and routing. Change one at a time, "
        "or name the baseline in previous_release and list exactly these in acknowledged_changes: "
        '["model", "prompt_template", "routing"].'
    )


def test_two_changes_are_refused_as_well() -> None:
    changes = diff(manifest(**ALTERED["model"], **ALTERED["index"]), manifest())
    assert check(changes) == [("acknowledged_changes", "several_changes")]


def test_three_changes_are_accepted_with_baseline_and_exact_acknowledgement() -> None:
    assert check(diff(manifest(**THREE), manifest()), THREE_NAMES) == []


@pytest.mark.parametrize("acknowledged", [[], THREE_NAMES[:2], [*THREE_NAMES, "index"], ["index"]])
def test_an_acknowledgement_that_is_not_exact_is_refused(acknowledged: list[str]) -> None:
    assert check(diff(manifest(**THREE), manifest()), acknowledged) == [("acknowledged_changes", "several_changes")]


def test_an_acknowledgement_without_a_named_baseline_is_refused() -> None:
    changes = diff(manifest(**THREE), manifest())
    assert check(changes, THREE_NAMES, named=False) == [("previous_release", "baseline_required")]
    assert len(check(changes, [], named=False)) == 2


def test_after_several_changes_the_next_release_must_change_one() -> None:
    changes = diff(manifest(**THREE), manifest())
    assert check(changes, THREE_NAMES, after_multi=True) == [("acknowledged_changes", "single_change_required")]


def test_acknowledging_what_did_not_change_is_refused() -> None:
    changes = diff(manifest(**ALTERED["model"]), manifest())
    assert check(changes, ["model", "routing"]) == [("acknowledged_changes", "not_changed")]


def test_a_field_difference_names_json_pointers() -> None:
    expected = {"a": {"b/c": 1, "~": 2, "same": [1]}, "list": [1, 2], "gone": 1}
    got = {"a": {"b/c": 2, "~": 3, "same": [1]}, "list": [2, 1], "new": {"x": 1}}
    assert field_difference(expected, got) == [
        {"field": "/a/b~1c", "expected": 1, "got": 2},
        {"field": "/a/~0", "expected": 2, "got": 3},
        {"field": "/gone", "expected": 1, "got": None},
        {"field": "/list", "expected": [1, 2], "got": [2, 1]},
        {"field": "/new", "expected": None, "got": {"x": 1}},
    ]


def test_equal_manifests_have_no_field_difference() -> None:
    assert field_difference(manifest(), manifest()) == []
