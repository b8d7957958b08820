"""References to artifacts and models, and written digests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.refs import (
    ArtifactRef,
    default_model_kind,
    parse_artifact_ref,
    parse_digest,
    parse_hex64,
    parse_model_ref,
    parse_weights_sha256,
)
from tests.bundle.problems import refused

HEX = "ab" * 32


@pytest.mark.parametrize("text", ["templates/legal-qa@v14", "a@1", "a/b/c.d_e-f@2026.11.21"])
def test_an_artifact_reference_reads_back_as_written(text: str) -> None:
    ref = parse_artifact_ref(text)
    assert (str(ref), ref) == (text, ArtifactRef(*text.split("@")))


@pytest.mark.parametrize(
    "text",
    [
        "templates/legal-qa",
        "@v1",
        "a@",
        "/a@v1",
        "a/@v1",
        "a//b@v1",
        "../a@v1",
        "a/../b@v1",
        "a/..b@v1",
        "a..b@v1",
        "a/.hidden@v1",
        "a@v1@v2",
        "a@v/1",
        "a@..",
        "a b@v1",
        "a\n@v1",
        "a@v1\n",
        "é@v1",
        "a\\b@v1",
        "<script>@v1",
        "a" * 201 + "@v1",
        "a@" + "1" * 65,
    ],
)
def test_path_tricks_and_foreign_characters_are_no_artifact_reference(text: str) -> None:
    assert refused(parse_artifact_ref, text, "prompt_template_ref") == {("prompt_template_ref", "bad_ref")}


@given(st.text(st.sampled_from("ab./@-_ \\"), max_size=12))
def test_no_accepted_reference_leaves_its_folder(text: str) -> None:
    try:
        ref = parse_artifact_ref(text)
    except ValueError:
        return
    assert not any(part in ("", ".", "..") for part in ref.name.split("/"))


@pytest.mark.parametrize(
    ("text", "canonical", "kind"),
    [
        ("Divinci-AI/gemma-4-e2b@a7c91f", "hf:Divinci-AI/gemma-4-e2b@a7c91f", "open_weights"),
        ("hf:org/repo@refs/pr/1", "hf:org/repo@refs/pr/1", "open_weights"),
        ("openai:gpt-4o-2024-08-06", "openai:gpt-4o-2024-08-06", "closed_api"),
        ("openai:ft:gpt-4o:org::id", "openai:ft:gpt-4o:org::id", "closed_api"),
        ("endpoint:local-vllm/org/model:8b", "endpoint:local-vllm/org/model:8b", "closed_api"),
    ],
)
def test_a_model_reference_has_one_spelling_and_a_default_kind(text: str, canonical: str, kind: str) -> None:
    model = parse_model_ref(text)
    assert (str(model), default_model_kind(model)) == (canonical, kind)


def test_an_endpoint_reference_names_the_endpoint_and_its_model_apart() -> None:
    model = parse_model_ref("endpoint:local/org/m")
    assert (model.endpoint, model.name) == ("local", "org/m")


@pytest.mark.parametrize(
    "text",
    [
        "org/repo",
        "repo@rev",
        "hf:org/repo",
        "hf:a/b/c@r",
        "openai:",
        "endpoint:x",
        "endpoint:X/m",
        "other:a/b@c",
        "a/../b@c",
        "org/repo@\n",
    ],
)
def test_an_unpinned_or_unknown_model_is_refused(text: str) -> None:
    assert refused(parse_model_ref, text) == {("model_ref", "bad_model_ref")}


@pytest.mark.parametrize("value", [None, 7, [], ""])
def test_a_reference_that_is_no_string_is_refused(value: object) -> None:
    assert refused(parse_model_ref, value) == {("model_ref", "wrong_type")}


def test_weights_are_kept_with_their_prefix_however_they_are_written() -> None:
    assert {parse_weights_sha256(text) for text in (HEX, HEX.upper(), f"sha256:{HEX}")} == {f"sha256:{HEX}"}


@pytest.mark.parametrize("text", ["", HEX[:-1], HEX + "0", "g" * 64, None, f"sha512:{HEX}", HEX + "\n"])
def test_what_is_no_sha_256_is_refused(text: object) -> None:
    assert refused(parse_weights_sha256, text) == {("weights_sha256", "bad_digest")}
    assert refused(parse_hex64, text, "x") == {("x", "bad_digest")}


def test_an_artifact_digest_needs_its_prefix() -> None:
    assert parse_digest(f"sha256:{HEX}", "x") == f"sha256:{HEX}"
    assert refused(parse_digest, HEX, "x") == {("x", "bad_digest")}
