"""The rule of one change at a time (ten-failures.md 1 and the register half of 3), rebase, and what follows."""

import pytest

from tests.releases.scene import OTHER_MODEL, OTHER_PROMPT, PREPROCESSING, Scene, second_route, stable

PRO = {"domain": "legal", "tier": "pro"}
THREE = {"model_ref": OTHER_MODEL, "prompt_template_ref": OTHER_PROMPT, "routing": PRO}
NAMES = ["model", "prompt_template", "routing"]


def test_three_changes_at_once_are_refused_by_name(northgate: Scene) -> None:
    second_route(northgate)
    first = northgate.registered()
    before = northgate.written()
    answer = northgate.register(**THREE, previous_release=first["release_id"])
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "several_changes")
    assert "model, prompt template and routing" in problem["detail"]
    assert [change["component"] for change in problem["state"]["changes"]] == NAMES
    assert northgate.written() == before


def test_three_changes_are_accepted_with_baseline_and_acknowledgement(northgate: Scene) -> None:
    second_route(northgate)
    first = northgate.registered()
    made = northgate.registered(**THREE, previous_release=first["release_id"], acknowledged_changes=NAMES)
    assert [change["component"] for change in made["changes"]] == NAMES
    assert made["previous_release"] == first["manifest_sha256"]


@pytest.mark.parametrize("listed", [["model"], ["model", "prompt_template"], [*NAMES, "index"]])
def test_an_acknowledgement_must_list_exactly_the_changed_ones(northgate: Scene, listed: list[str]) -> None:
    second_route(northgate)
    first = northgate.registered()
    answer = northgate.register(**THREE, previous_release=first["release_id"], acknowledged_changes=listed)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "acknowledged_changes")


def test_an_acknowledgement_without_a_named_baseline_is_refused(northgate: Scene) -> None:
    stable(northgate.registered()["release_id"])
    two = ["model", "prompt_template"]
    answer = northgate.register(model_ref=OTHER_MODEL, prompt_template_ref=OTHER_PROMPT, acknowledged_changes=two)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "previous_release")


def _multiple(northgate: Scene) -> dict[str, str]:
    """r1, and r2 that changes its model and prompt."""
    first = northgate.registered()
    made = northgate.registered(
        model_ref=OTHER_MODEL,
        prompt_template_ref=OTHER_PROMPT,
        previous_release=first["release_id"],
        acknowledged_changes=["model", "prompt_template"],
    )
    return {"first": first["release_id"], "multiple": made["release_id"]}


def test_after_several_changes_the_next_release_must_change_one_whatever_it_acknowledges(northgate: Scene) -> None:
    ids = _multiple(northgate)
    two = {"preprocessing_ref": PREPROCESSING, "generation": {"temperature": 0.1}}
    answer = northgate.register(
        **two, previous_release=ids["first"], acknowledged_changes=["generation", "preprocessing"]
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "single_change_required")
    one = northgate.register(preprocessing_ref=PREPROCESSING, previous_release=ids["first"])
    assert one.status_code == 201


def test_after_several_changes_a_release_without_a_baseline_is_refused(northgate: Scene) -> None:
    _multiple(northgate)
    answer = northgate.register(generation={"temperature": 0.1})
    assert (answer.status_code, answer.json()["code"]) == (422, "single_change_required")
    assert answer.json()["errors"][0]["field"] == "previous_release"


def test_a_release_that_changes_only_what_measures_does_not_end_the_duty_to_change_one(northgate: Scene) -> None:
    ids = _multiple(northgate)
    measuring = {"components": {"git_commit": "abcdef0"}, "previous_release": ids["first"]}
    northgate.registered(**measuring)
    answer = northgate.register(
        preprocessing_ref=PREPROCESSING,
        generation={"temperature": 0.1},
        previous_release=ids["first"],
        acknowledged_changes=["generation", "preprocessing"],
    )
    assert answer.json()["code"] == "single_change_required"


def test_after_the_one_change_several_may_be_acknowledged_again(northgate: Scene) -> None:
    ids = _multiple(northgate)
    northgate.registered(preprocessing_ref=PREPROCESSING, previous_release=ids["first"])
    northgate.registered(
        preprocessing_ref=PREPROCESSING,
        generation={"temperature": 0.1},
        previous_release=ids["first"],
        acknowledged_changes=["generation", "preprocessing"],
    )


def test_a_release_of_several_changes_can_still_be_found_by_registering_it_again(northgate: Scene) -> None:
    ids = _multiple(northgate)
    again = northgate.register(
        model_ref=OTHER_MODEL,
        prompt_template_ref=OTHER_PROMPT,
        previous_release=ids["first"],
        acknowledged_changes=["prompt_template", "model"],
    )
    assert (again.status_code, again.json()["release_id"]) == (200, ids["multiple"])


def test_measuring_components_are_listed_and_do_not_count(northgate: Scene) -> None:
    first = northgate.registered()
    made = northgate.registered(
        prompt_template_ref=OTHER_PROMPT,
        components={"git_commit": "abcdef0"},
        previous_release=first["release_id"],
    )
    assert [(change["component"], change["kind"]) for change in made["changes"]] == [
        ("prompt_template", "serving"),
        ("git_commit", "measuring"),
    ]


def test_other_preprocessing_is_a_named_change_with_another_fingerprint(northgate: Scene) -> None:
    first = northgate.registered()
    made = northgate.registered(preprocessing_ref=PREPROCESSING, previous_release=first["release_id"])
    [change] = made["changes"]
    assert change["component"] == "preprocessing"
    assert change["before"] != change["after"]
    assert made["bundle_sha256"] != first["bundle_sha256"]


def test_a_baseline_of_another_application_is_refused(northgate: Scene) -> None:
    from audit.administration.applications import create_application, create_route  # noqa: PLC0415 - only here

    other = create_application(actor=northgate.actor, slug="other")
    create_route(actor=northgate.actor, application=other, routing={"domain": "legal"})
    theirs = northgate.registered(application="other")
    answer = northgate.register(application="legal-assistant", previous_release=theirs["release_id"])
    assert (answer.status_code, answer.json()["code"]) == (422, "other_application")


def test_a_rebase_puts_the_same_bundle_on_what_the_route_serves_now(northgate: Scene) -> None:
    first = northgate.registered()
    candidate = northgate.registered(prompt_template_ref=OTHER_PROMPT, previous_release=first["release_id"])
    ground = northgate.registered(preprocessing_ref=PREPROCESSING, previous_release=first["release_id"])
    stable(ground["release_id"])
    made = northgate.registered(
        prompt_template_ref=OTHER_PROMPT, rebase=True, acknowledged_changes=["preprocessing", "prompt_template"]
    )
    assert made["bundle_sha256"] == candidate["bundle_sha256"]
    assert made["previous_release"] == ground["manifest_sha256"]
    assert made["manifest_sha256"] != candidate["manifest_sha256"]


def test_a_rebase_of_another_bundle_conflicts(northgate: Scene) -> None:
    stable(northgate.registered()["release_id"])
    before = northgate.written()
    answer = northgate.register(prompt_template_ref=OTHER_PROMPT, rebase=True)
    assert (answer.status_code, answer.json()["code"]) == (409, "rebase")
    assert northgate.written() == before


def test_a_rebase_onto_something_else_than_what_serves_conflicts(northgate: Scene) -> None:
    first = northgate.registered()
    second = northgate.registered(prompt_template_ref=OTHER_PROMPT, previous_release=first["release_id"])
    stable(second["release_id"])
    answer = northgate.register(rebase=True, previous_release=first["release_id"])
    assert (answer.status_code, answer.json()["state"]["stable"]) == (409, second["manifest_sha256"])


def test_a_release_of_several_changes_can_be_rebased_as_it_is_no_further_step(northgate: Scene) -> None:
    ids = _multiple(northgate)
    stable(ids["first"])
    ground = northgate.registered(components={"git_commit": "abcdef0"}, previous_release=ids["first"])
    stable(ground["release_id"])
    made = northgate.registered(
        model_ref=OTHER_MODEL,
        prompt_template_ref=OTHER_PROMPT,
        rebase=True,
        acknowledged_changes=["model", "prompt_template"],
    )
    assert made["previous_release"] == ground["manifest_sha256"]
    assert "same_bundle" not in [finding["code"] for finding in made["fast_gate"]["findings"]]
