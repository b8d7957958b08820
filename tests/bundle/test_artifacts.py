"""Artifacts: normal form, digest, refusals."""

from typing import Any

import pytest

from relcontrol.bundle.artifacts import IDENTITY_PREPROCESSING, artifact_digest, normalise_artifact
from relcontrol.bundle.errors import BundleError
from tests.bundle.golden import own_vectors, shared_vectors
from tests.bundle.problems import refused

NAMES = ["prompt_template", "preprocessing", "identity_preprocessing"]
TOOL = {"name": "lookup", "description": "Looks a case up.", "parameters": {"type": "object", "properties": {}}}


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_has_its_golden_digest(name: str) -> None:
    golden = own_vectors()["artifacts"][name]
    assert normalise_artifact(golden["value"]) == golden["value"]
    assert artifact_digest(golden["value"]) == golden["digest"]


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_has_the_digest_of_the_shared_vectors(name: str) -> None:
    golden = shared_vectors()["artifacts"][name]
    assert artifact_digest(golden["value"]) == golden["digest"]


def test_the_identity_is_the_golden_one() -> None:
    assert artifact_digest(IDENTITY_PREPROCESSING) == own_vectors()["artifacts"]["identity_preprocessing"]["digest"]


def test_defaults_written_out_or_not_are_the_same_prompt() -> None:
    assert normalise_artifact({"kind": "prompt_template", "system": "Be brief."}) == {
        "kind": "prompt_template",
        "system": "Be brief.",
        "user": None,
        "client_system": "append",
    }


def test_composed_and_decomposed_letters_are_the_same_prompt() -> None:
    digests = {artifact_digest({"kind": "prompt_template", "system": text}) for text in ("e\u0301", "\u00e9")}
    assert len(digests) == 1


def test_one_word_more_is_another_prompt() -> None:
    digests = {artifact_digest({"kind": "prompt_template", "system": text}) for text in ("Be brief.", "Be very brief.")}
    assert len(digests) == 2


def test_a_tool_is_the_same_with_and_without_its_wrapper() -> None:
    bare = artifact_digest({"kind": "tool_schemas", "tools": [TOOL]})
    assert artifact_digest({"kind": "tool_schemas", "tools": [{"type": "function", "function": TOOL}]}) == bare


def test_examples_and_messages_are_the_same_few_shot_set() -> None:
    examples = {"kind": "few_shot", "examples": [{"input": "a", "output": "b"}]}
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert normalise_artifact(examples) == {"kind": "few_shot", "messages": messages}
    assert artifact_digest(examples) == artifact_digest({"kind": "few_shot", "messages": messages})


def test_a_feature_view_says_how_old_its_values_may_be() -> None:
    given = {"kind": "feature_view", "max_age_seconds": 3600, "features": [{"name": "plan", "max_age_seconds": 60}]}
    assert normalise_artifact(given) == given
    bare = {"kind": "feature_view", "features": [{"name": "plan"}]}
    plan = {"name": "plan", "max_age_seconds": None}
    assert normalise_artifact(bare) == {"kind": "feature_view", "max_age_seconds": None, "features": [plan]}


@pytest.mark.parametrize("age", [0, -1, 1.5, True, "60", 10**12])
def test_an_age_is_a_whole_number_of_seconds(age: object) -> None:
    with pytest.raises(BundleError):
        normalise_artifact({"kind": "feature_view", "max_age_seconds": age, "features": []})


def test_a_guardrail_policy_keeps_the_customers_fields() -> None:
    policy = {"kind": "guardrail_policy", "block": ["e\u0301"], "level": {"toxicity": "0.8", "n": 3}}
    assert normalise_artifact(policy) == {**policy, "block": ["\u00e9"]}


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (None, {("value", "wrong_type"), ("value.kind", "unknown_choice")}),
        ({"kind": "poem"}, {("value.kind", "unknown_choice")}),
        ({"kind": "prompt_template"}, {("value.system", "required")}),
        (
            {"kind": "prompt_template", "system": 1, "user": "", "client_system": "ignore", "logic": True},
            {
                ("value.system", "wrong_type"),
                ("value.user", "required"),
                ("value.client_system", "unknown_choice"),
                ("value.logic", "unknown_field"),
            },
        ),
        ({"kind": "prompt_template", "system": "\x00\ud800"}, {("value.system", "nul"), ("value.system", "surrogate")}),
        ({"kind": "prompt_template", "system": "a" * 200_001}, {("value.system", "too_long")}),
        ({"kind": "preprocessing", "steps": [{"op": "x"}]}, {("value.steps[0].op", "unknown_choice")}),
        ({"kind": "few_shot"}, {("value", "required")}),
        (
            {"kind": "few_shot", "messages": [{"role": "system", "content": "x"}]},
            {("value.messages[0].role", "unknown_choice")},
        ),
        ({"kind": "few_shot", "examples": [{"input": "x"}]}, {("value.examples[0].output", "required")}),
        (
            {
                "kind": "tool_schemas",
                "tools": [{"type": "web", "function": {"name": "", "strict": 1, "parameters": {"maximum": 0.5}}}],
            },
            {
                ("value.tools[0].type", "unknown_choice"),
                ("value.tools[0].function.name", "required"),
                ("value.tools[0].function.strict", "wrong_type"),
                ("value.tools[0].function.parameters.maximum", "float"),
            },
        ),
        ({"kind": "guardrail_policy", "threshold": 0.8}, {("value.threshold", "float")}),
        ({"kind": "guardrail_policy", "a": {"e\u0301": 1, "\u00e9": 2}}, {("value.a.\u00e9", "duplicate_key")}),
        ({"kind": "few_shot", "messages": [{"role": "user", "content": "a" * 200_000}] * 6}, {("value", "too_large")}),
    ],
)
def test_every_problem_of_an_artifact_is_named(value: Any, problems: set[tuple[str, str]]) -> None:
    assert refused(normalise_artifact, value) == problems
