"""Which endpoint answers for a model reference."""

import pytest

from relcontrol.accounts.models import Endpoint
from releases.routing.serving import Served, Unserved, endpoint_of, endpoint_still


def endpoint(name: str, *serves: str, age: int = 1) -> Endpoint:
    return Endpoint(pk=f"end_{age}", name=name, base_url=f"http://{name}/v1", serves=list(serves))


def answer(endpoints: list[Endpoint], model: str) -> tuple[str, str]:
    found = endpoint_of(endpoints, model)
    assert isinstance(found, Served), found
    return found.endpoint.name, found.model


def test_a_reference_that_names_an_endpoint_goes_there() -> None:
    there = [endpoint("main-llm", "endpoint:other/llama"), endpoint("other")]
    assert answer(there, "endpoint:other/llama3:8b") == ("other", "llama3:8b")


def test_a_reference_that_names_an_endpoint_goes_nowhere_else() -> None:
    found = endpoint_of([endpoint("main-llm")], "endpoint:other/llama")
    assert isinstance(found, Unserved)
    assert "no endpoint other" in found.sentence


@pytest.mark.parametrize("listed", ["hf:org/repo", "hf:org/repo@a1"])
def test_an_endpoint_that_lists_the_model_answers_with_or_without_its_revision(listed: str) -> None:
    assert answer([endpoint("a"), endpoint("b", listed)], "hf:org/repo@a1") == ("b", "org/repo")


def test_the_endpoint_of_this_very_revision_goes_before_that_of_the_model() -> None:
    there = [endpoint("a", "hf:org/repo"), endpoint("b", "hf:org/repo@a1")]
    assert answer(there, "hf:org/repo@a1") == ("b", "org/repo")
    assert answer(there, "hf:org/repo@b2") == ("a", "org/repo")


def test_another_revision_or_a_longer_name_is_another_model() -> None:
    there = [endpoint("a", "hf:org/repo@b2"), endpoint("b", "hf:org/rep")]
    assert isinstance(endpoint_of(there, "hf:org/repo@a1"), Unserved)


def test_models_of_openai_go_to_the_endpoint_of_that_name_unless_another_one_lists_them() -> None:
    assert answer([endpoint("openai"), endpoint("other")], "openai:gpt-4o") == ("openai", "gpt-4o")
    assert answer([endpoint("openai"), endpoint("proxy", "openai:gpt-4o")], "openai:gpt-4o") == ("proxy", "gpt-4o")


def test_the_only_endpoint_answers_for_every_model() -> None:
    assert answer([endpoint("main-llm")], "hf:Divinci-AI/gemma-4-e2b@a7c91f") == ("main-llm", "Divinci-AI/gemma-4-e2b")


@pytest.mark.parametrize("there", [[], [endpoint("a"), endpoint("b")]])
def test_where_nobody_answers_the_sentence_says_what_to_do(there: list[Endpoint]) -> None:
    found = endpoint_of(there, "hf:org/repo@a1")
    assert isinstance(found, Unserved)
    assert "hf:org/repo" in found.sentence
    assert "Make one" in found.sentence or "Add hf:org/repo to" in found.sentence


def test_what_is_no_model_reference_is_unserved_with_the_reason() -> None:
    found = endpoint_of([endpoint("a")], "org/repo")
    assert isinstance(found, Unserved)
    assert "is no model reference" in found.sentence


def test_a_second_endpoint_does_not_take_away_what_the_first_one_answered() -> None:
    there = [endpoint("later", age=2), endpoint("zero", age=1)]
    found = endpoint_still(there, "hf:org/repo@a1")
    assert isinstance(found, Served)
    assert found.endpoint.name == "zero"


def test_an_endpoint_that_lists_its_models_keeps_no_others() -> None:
    there = [endpoint("first", "hf:org/another", age=1), endpoint("later", age=2)]
    assert isinstance(endpoint_still(there, "hf:org/repo@a1"), Unserved)


def test_a_reference_that_names_an_endpoint_is_not_kept_by_another_one() -> None:
    there = [endpoint("first", age=1), endpoint("later", age=2)]
    assert isinstance(endpoint_still(there, "endpoint:gone/llama"), Unserved)
