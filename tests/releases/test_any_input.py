"""Whatever is sent to the registry, it answers with a reason, never with a 500, and a refusal writes nothing."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.releases.scene import MODEL, PROMPT, SUITE, Scene, body

# One organization serves all examples of a test: what they add to it is part of the trial.
SHARED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXT = st.text(max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *("application", "model_ref", "model_kind", "weights_sha256", "adapter_ref", "prompt_template_ref"),
    *("preprocessing_ref", "routing", "dataset_version", "previous_release", "generation", "components"),
    *("acknowledged_changes", "rebase", "expected_manifest_sha256", "artifacts", "unknown"),
)
ALMOST = st.sampled_from(
    [MODEL, PROMPT, SUITE, "sha256:" + "0" * 64, "0" * 64, "rel_8f72b1", "a@v1", "openai:x", "endpoint:e/m", "…", ""]
)
ANY_VALUE = (
    JSON
    | ALMOST
    | st.lists(st.fixed_dictionaries({"ref": ALMOST | TEXT, "value": JSON}), max_size=2)
    | st.dictionaries(
        st.sampled_from(["domain", "temperature", "max_tokens", "stop", "judge", "few_shot", "git_commit", "é"]),
        JSON | ALMOST,
        max_size=3,
    )
)
EXPECTED = {200, 201, 400, 404, 409, 422}


@SHARED
@given(changes=st.dictionaries(st.sampled_from(FIELDS), ANY_VALUE, min_size=1, max_size=3))
def test_no_registration_is_answered_with_a_server_error(northgate: Scene, changes: dict[str, Any]) -> None:
    before = northgate.written()
    answer = northgate.ci.post("releases", json.dumps(body() | changes))
    assert answer.status_code in EXPECTED, answer.content
    assert answer.status_code == 201 or northgate.written() == before


@SHARED
@given(value=JSON, ref=ALMOST | TEXT)
def test_no_artifact_is_answered_with_a_server_error(northgate: Scene, value: Any, ref: str) -> None:
    answer = northgate.ci.post("artifacts", json.dumps({"ref": ref, "value": value}))
    assert answer.status_code in EXPECTED, answer.content


@SHARED
@given(order=st.dictionaries(st.sampled_from(["strategy", "checkpoints", "dwell_5pct_seconds", "reason"]), JSON))
def test_no_roll_is_answered_with_a_server_error(northgate: Scene, order: dict[str, Any]) -> None:
    made = northgate.register().json()
    answer = northgate.ci.post(f"releases/{made['release_id']}/roll", json.dumps(order))
    assert answer.status_code in {400, 409, 422}, answer.content


@SHARED
@given(
    name=st.text(
        alphabet=st.characters(exclude_characters="/?#%\\", exclude_categories=["Cs"]), min_size=1, max_size=40
    )
)
def test_no_name_is_answered_with_a_server_error(northgate: Scene, name: str) -> None:
    for path in (f"releases/{name}", f"releases/{name}/diff", f"artifacts/{name}"):
        assert northgate.ci.get(path).status_code in {400, 404}


@pytest.mark.parametrize(
    "sent",
    [b"[]", b"{", b'{"model_ref": NaN}', b'{"a": 1, "a": 2}', b"\xff", b'{"model_ref": "\\u0000"}', b"null"],
)
def test_a_body_that_is_no_json_object_is_malformed(northgate: Scene, sent: bytes) -> None:
    before = northgate.written()
    answer = northgate.ci.client.post("/v1/releases", sent, content_type="application/json")
    assert answer.status_code == 400
    assert northgate.written() == before


def test_a_body_over_the_limit_is_too_large(northgate: Scene) -> None:
    sent = json.dumps(body(model_ref="x" * 3_000_000))
    assert northgate.ci.post("releases", sent).status_code == 413


def test_wrong_types_are_named_together(northgate: Scene) -> None:
    answer = northgate.register(model_ref=1, routing="legal", rebase="yes", dataset_version=["a"])
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"model_ref", "routing", "rebase", "dataset_version"}


def test_problems_of_several_parts_of_a_manifest_are_named_together(northgate: Scene) -> None:
    answer = northgate.register(
        model_ref="no ref",
        generation={"temperature": 9, "colour": 1},
        components={"git_commit": "zzz", "wings": 2},
        acknowledged_changes=["wings"],
    )
    fields = {error["field"] for error in answer.json()["errors"]}
    assert answer.status_code == 422
    assert {
        "model_ref",
        "generation.temperature",
        "generation.colour",
        "components.git_commit",
        "components.wings",
        "acknowledged_changes[0]",
    } <= fields
