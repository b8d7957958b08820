"""Whatever JSON arrives is taken or refused with fields and sentences; nothing else ever comes out."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.artifacts import KINDS, artifact_digest, normalise_artifact
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.generation import normalise_generation
from relcontrol.bundle.lint import lint
from relcontrol.bundle.manifest import build_manifest, manifest_sha256
from relcontrol.bundle.preprocessing import normalise_steps
from relcontrol.bundle.refs import parse_artifact_ref, parse_model_ref, parse_weights_sha256
from relcontrol.bundle.rendering import render_request
from tests.bundle.manifests import parts

WORDS = [
    *KINDS,
    *("kind", "system", "user", "client_system", "steps", "op", "strip", "redact", "pattern", "with", "field", "tools"),
    *("function", "name", "description", "parameters", "properties", "required", "items", "type", "object", "strict"),
    *("messages", "examples", "role", "content", "assistant", "input", "output", "text", "metadata", "stop"),
    *("temperature", "max_tokens", "{{ input }}", "{{ x", "\ud800", "\x00", "e\u0301"),
]
LEAVES = st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(WORDS) | st.text(max_size=3)
JSON = st.recursive(LEAVES, lambda v: st.lists(v, max_size=4) | st.dictionaries(KEYS, v, max_size=5), max_leaves=12)
TOOLS = st.fixed_dictionaries({"name": LEAVES, "parameters": JSON}, optional={"description": LEAVES, "strict": LEAVES})
ARTIFACTS = st.one_of(
    JSON,
    st.fixed_dictionaries({"kind": st.just("prompt_template"), "system": LEAVES}, optional={"user": LEAVES}),
    st.fixed_dictionaries({"kind": st.just("tool_schemas"), "tools": st.lists(TOOLS, max_size=2)}),
    st.fixed_dictionaries({"kind": st.just("guardrail_policy"), "rules": JSON}),
    st.fixed_dictionaries({"kind": st.just("few_shot")}, optional={"messages": JSON, "examples": JSON}),
)


def taken(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result, or None where the input is refused as it should be."""
    try:
        return call(*args, **kwargs)
    except BundleError as error:
        unsaid = [problem for problem in error.problems if not (problem.message and problem.code)]
        if unsaid or not error.problems:
            pytest.fail(f"refused without a reason: {unsaid}")
        return None


@given(ARTIFACTS)
def test_a_normalised_artifact_is_canonical_and_normal(value: Any) -> None:
    artifact = taken(normalise_artifact, value)
    if artifact is not None:
        assert canonical_bytes(artifact)
        assert normalise_artifact(artifact) == artifact
        assert artifact_digest(artifact) == artifact_digest(value)


@given(ARTIFACTS)
def test_every_normalised_artifact_can_be_linted(value: Any) -> None:
    artifact = taken(normalise_artifact, value) or {"kind": ""}
    prompt = {"kind": "prompt_template", "system": "Answer.", "user": None, "client_system": "append"}
    names = {"prompt_template": "prompt", "few_shot": "few_shot", "tool_schemas": "tools"}
    chosen = {names[artifact["kind"]]: artifact} if artifact["kind"] in names else {}
    assert lint(**{"prompt": prompt, **chosen})  # type: ignore[arg-type]


@pytest.mark.parametrize("part", sorted(parts()))
@given(value=JSON)
def test_a_manifest_of_any_part_is_built_or_refused(part: str, value: Any) -> None:
    manifest = taken(build_manifest, **parts(**{part: value}))
    assert manifest is None or len(manifest_sha256(manifest)) == 64


@pytest.mark.parametrize(
    "read", [normalise_generation, normalise_steps, parse_artifact_ref, parse_model_ref, parse_weights_sha256]
)
@given(value=JSON)
def test_any_value_is_read_or_refused(read: Callable[[Any], Any], value: Any) -> None:
    taken(read, value)


@given(st.dictionaries(KEYS, JSON, max_size=4), JSON)
def test_any_body_of_a_client_is_rendered_or_refused(body: dict[str, Any], content: Any) -> None:
    prompt = normalise_artifact({"kind": "prompt_template", "system": "s", "user": "{{ input }}"})
    for messages in (content, [{"role": "user", "content": content}]):
        client = {**body, "messages": messages}
        request = taken(
            render_request,
            prompt_template=prompt,
            few_shot=None,
            generation={},
            tools=None,
            model_name="m",
            client_body=client,
        )
        assert request is None or request["model"] == "m"
