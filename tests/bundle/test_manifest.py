"""The manifest and the bundle: golden bytes, what each holds, refusals."""

import pytest

from relcontrol.bundle.canonical import canonical_bytes, sha256_ref
from relcontrol.bundle.manifest import COMPONENTS, build_manifest, bundle_of, bundle_sha256, manifest_sha256
from tests.bundle.golden import own_vectors, shared_vectors
from tests.bundle.manifests import COMMIT, digest, manifest, parts
from tests.bundle.problems import refused


def test_the_manifest_has_its_golden_bytes_and_digest() -> None:
    golden = own_vectors()["manifest"]
    built = manifest()
    assert built == golden["value"]
    assert canonical_bytes(built) == golden["canonical"].encode()
    assert manifest_sha256(built) == golden["sha256"]


def test_the_bundle_has_its_golden_value_and_digest() -> None:
    golden = own_vectors()["bundle"]
    assert bundle_of(manifest()) == golden["value"]
    assert bundle_sha256(manifest()) == golden["sha256"]


def test_the_digests_are_those_of_the_shared_vectors() -> None:
    golden = shared_vectors()
    assert manifest_sha256(manifest()) == golden["manifest"]["sha256"]
    assert bundle_sha256(manifest()) == golden["bundle"]["sha256"]
    assert sha256_ref(golden["suite"]["value"]) == golden["suite"]["digest"]


def test_every_component_is_always_there() -> None:
    assert manifest()["components"] == dict.fromkeys(COMPONENTS)
    given = {"index": "kb@7", "git_commit": COMMIT[:12].upper(), "judge": digest("a"), "few_shot": None}
    expected = {**dict.fromkeys(COMPONENTS), "index": "kb@7", "git_commit": COMMIT[:12], "judge": digest("a")}
    assert manifest(components=given)["components"] == expected


def test_leaving_preprocessing_out_means_the_identity() -> None:
    identity = own_vectors()["artifacts"]["identity_preprocessing"]["digest"]
    assert manifest(preprocessing=None)["preprocessing"] == identity


def test_acknowledged_changes_are_a_sorted_set_of_component_names() -> None:
    words = ["routing", "prompt", "few-shot", "model", "prompt_template", "Serving image", "tools", "guardrails"]
    assert manifest(acknowledged_changes=words)["acknowledged_changes"] == [
        "few_shot",
        "guardrail_policy",
        "model",
        "prompt_template",
        "routing",
        "serving_image",
        "tool_schemas",
    ]


def test_a_model_kind_that_is_said_wins_over_the_default() -> None:
    assert manifest(model_ref="endpoint:local/m", model_kind="open_weights")["model"]["kind"] == "open_weights"
    assert manifest(model_ref="openai:gpt-4o")["model"]["kind"] == "closed_api"


def test_weights_adapter_and_previous_release_are_kept_in_one_spelling() -> None:
    built = manifest(weights="AB" * 32, adapter="org/lora@1", previous_release="CD" * 32)
    assert (built["model"]["weights"], built["model"]["adapter"]) == (f"sha256:{'ab' * 32}", "hf:org/lora@1")
    assert built["previous_release"] == "cd" * 32


@pytest.mark.parametrize(
    "measuring",
    [
        {"dataset": digest("e")},
        {"previous_release": "e" * 64},
        {"acknowledged_changes": ["model"]},
        {"components": {"judge": digest("e")}},
        {"components": {"git_commit": COMMIT}},
    ],
)
def test_what_only_measures_changes_the_manifest_and_not_the_bundle(measuring: dict[str, object]) -> None:
    assert manifest_sha256(manifest(**measuring)) != manifest_sha256(manifest())
    assert bundle_sha256(manifest(**measuring)) == bundle_sha256(manifest())


@pytest.mark.parametrize(
    "serving",
    [
        {"application": "other"},
        {"model_ref": "Divinci-AI/gemma-4-e2b@a7c920"},
        {"weights": "e" * 64},
        {"prompt_template": digest("e")},
        {"preprocessing": None},
        {"routing": {"domain": "medical"}},
        {"generation": {"temperature": "0.3", "max_tokens": 800}},
        *({"components": {key: digest("e")}} for key in COMPONENTS if key not in ("judge", "git_commit")),
    ],
)
def test_what_serves_changes_manifest_and_bundle(serving: dict[str, object]) -> None:
    assert manifest_sha256(manifest(**serving)) != manifest_sha256(manifest())
    assert bundle_sha256(manifest(**serving)) != bundle_sha256(manifest())


def test_the_spelling_of_numbers_and_letters_changes_nothing() -> None:
    again = manifest(generation={"max_tokens": 800.0, "temperature": "2e-1"}, routing={"domain": "legal"})
    assert manifest_sha256(again) == manifest_sha256(manifest())
    composed, decomposed = (manifest(routing={"domain": text}) for text in ("\u00e9", "e\u0301"))
    assert composed == decomposed


def test_every_problem_of_every_part_is_named_at_once() -> None:
    wrong = parts(
        application="",
        model_ref="org/repo",
        model_kind="soft",
        weights="x",
        adapter="y",
        prompt_template="templates/a@v1",
        preprocessing="",
        routing={"Domain": "legal", "tier": 1},
        dataset=None,
        generation={"temperature": 9},
        components={"git_commit": "main", "few_shot": "x", "index": " a", "colour": "red", "serving_image": "a\u202eb"},
        previous_release="rel_1",
        acknowledged_changes=["dataset", 3],
    )
    assert refused(build_manifest, **wrong) == {
        ("application", "required"),
        ("model_ref", "bad_model_ref"),
        ("model_kind", "unknown_choice"),
        ("weights_sha256", "bad_digest"),
        ("adapter_ref", "bad_model_ref"),
        ("prompt_template", "bad_digest"),
        ("preprocessing", "bad_digest"),
        ("routing.Domain", "bad_name"),
        ("routing.tier", "wrong_type"),
        ("dataset", "bad_digest"),
        ("generation.temperature", "out_of_range"),
        ("components.git_commit", "bad_digest"),
        ("components.few_shot", "bad_digest"),
        ("components.index", "bad_name"),
        ("components.colour", "unknown_field"),
        ("components.serving_image", "bad_name"),
        ("previous_release", "bad_digest"),
        ("acknowledged_changes[0]", "unknown_component"),
        ("acknowledged_changes[1]", "unknown_component"),
    }


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("routing", None),
        ("routing", ["legal"]),
        ("components", []),
        ("generation", "hot"),
        ("acknowledged_changes", "model"),
    ],
)
def test_a_part_of_the_wrong_type_is_refused(part: str, value: object) -> None:
    assert refused(build_manifest, **parts(**{part: value})) == {(part, "wrong_type")}
