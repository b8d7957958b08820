"""What makes a judge that is a model: a closed shape with one spelling, and every problem named."""

from typing import Any

import pytest

from gates.judges import judge_digest
from gates.llm_judge.definition import LlmJudge, read_llm_judge, stored_llm_judge
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.bundle.errors import BundleError
from tests.gates.llm_judge.judges import COMPARING, FIELDS, PROMPT, judge


def test_what_is_left_out_has_a_default_and_every_key_is_there() -> None:
    assert judge().definition() == {
        "kind": "llm",
        "endpoint": "demo",
        "model": "judge-1",
        "prompt": sha256_ref({"kind": "judge_prompt"} | PROMPT),
        "draws": 1,
        "aggregation": "mean",
        "scale": ["1", "5"],
        "reference": False,
        "parameters": {
            "version": 1,
            "answers_as": None,
            "temperature": "0.7",
            "top_p": None,
            "max_tokens": 512,
            "limit_field": "max_tokens",
            "seed": None,
            "structured": "json_schema",
            "timeout_seconds": 60,
        },
        "children": [],
    }


def test_the_digest_of_a_judge_is_the_same_for_every_spelling_of_its_numbers() -> None:
    spelled: list[dict[str, Any]] = [
        {"scale": [0, 100], "parameters": {"temperature": 0.5}},
        {"scale": ["0", "100.0"], "parameters": {"temperature": "0.50"}},
        {"scale": [0.0, 1e2], "parameters": {"temperature": "5e-1"}},
    ]
    assert len({judge_digest(judge(**fields).definition()) for fields in spelled}) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"draws": 3},
        {"aggregation": "median"},
        {"model": "judge-2"},
        {"endpoint": "other"},
        {"scale": [0, 1]},
        {"prompt": PROMPT | {"system": "Another rubric."}},
        {"parameters": {"seed": 1}},
        {"parameters": {"temperature": None}},
        COMPARING,
    ],
    ids=str,
)
def test_whatever_changes_how_it_scores_makes_another_judge(fields: dict[str, Any]) -> None:
    assert judge_digest(judge(**fields).definition()) != judge_digest(judge().definition())


def test_a_stored_judge_is_the_one_that_was_made() -> None:
    made = judge(**COMPARING, draws=5, aggregation="lowest", parameters={"seed": 3, "top_p": "0.9", "answers_as": "j"})
    assert stored_llm_judge(made.definition(), made.prompt.as_json()) == made


def test_a_temperature_that_is_null_is_not_the_default() -> None:
    assert judge(parameters={"temperature": None}).parameters.temperature is None
    assert judge(parameters={}).parameters.temperature == "0.7"


def problems_of(fields: Any) -> dict[str, str]:
    with pytest.raises(BundleError) as refused:
        read_llm_judge(fields)
    return {problem.field: problem.message for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"draws": 0}, "draws", "from 1 to 15"),
        ({"draws": 16}, "draws", "from 1 to 15"),
        ({"draws": True}, "draws", "from 1 to 15"),
        ({"draws": "3"}, "draws", "from 1 to 15"),
        ({"aggregation": "best"}, "aggregation", "mean, median, lowest"),
        ({"model": ""}, "model", "not be empty"),
        ({"endpoint": None}, "endpoint", "string"),
        ({"scale": [5, 1]}, "scale", "lowest and the highest"),
        ({"scale": [1]}, "scale", "lowest and the highest"),
        ({"scale": [1, 2, 3]}, "scale", "at most 2"),
        ({"scale": [1, "high"]}, "scale[1]", "decimal number"),
        ({"scale": [1, float("nan")]}, "scale[1]", "decimal number"),
        ({"scale": 5}, "scale", "list"),
        ({"reference": "yes"}, "reference", "true or false"),
        ({"prompt": None}, "prompt", "rubric"),
        ({"prompt": "Judge."}, "prompt", "rubric stands"),
        ({"prompt": PROMPT | {"rubric": ""}}, "prompt.rubric", "Unknown"),
        ({"parameters": {"temperature": 3}}, "parameters.temperature", "from 0 to 2"),
        ({"parameters": {"seed": -1}}, "parameters.seed", "from 0"),
        ({"parameters": {"structured": "xml"}}, "parameters.structured", "json_schema"),
        ({"parameters": {"timeout_seconds": 301}}, "parameters.timeout_seconds", "to 300"),
        ({"parameters": {"max_tokens": 0}}, "parameters.max_tokens", "from 1"),
        ({"parameters": {"limit_field": "most"}}, "parameters.limit_field", "max_completion_tokens"),
        ({"parameters": {"retries": 9}}, "parameters.retries", "Unknown"),
        ({"parameters": []}, "parameters", "JSON object"),
        ({"rubric": "…"}, "rubric", "Unknown"),
    ],
    ids=str,
)
def test_a_field_that_breaks_a_rule_is_named_with_what_to_do(fields: dict[str, Any], field: str, says: str) -> None:
    found = problems_of(FIELDS | fields)
    assert list(found) == [field]
    assert says in found[field]


@pytest.mark.parametrize(
    ("prompt", "field", "says"),
    [
        ({"user": "{{ input }}"}, "prompt.user", "{{ answer }} is missing"),
        ({"user": "{{ answer }}"}, "prompt.user", "{{ input }} is missing"),
        ({"user": "{{ input }} {{ answer }} {{answer}}"}, "prompt.user", "stands 2 times"),
        ({"user": "{{ input }} {{ answer }} {{ reference }}"}, "prompt.user", "set reference to true"),
        ({"user": "{{ input }} {{ answer }} {{ score }}"}, "prompt.user", "{{ score }} is not known"),
        ({"system": "{{ answer }}", "user": PROMPT["user"]}, "prompt.system", "every slot into prompt.user"),
        ({"system": "Judge."}, "prompt.user", "string"),
    ],
)
def test_a_prompt_has_each_slot_once_and_in_the_users_part(prompt: dict[str, str], field: str, says: str) -> None:
    found = problems_of(FIELDS | {"prompt": prompt})
    assert list(found) == [field]
    assert says in found[field]


def test_a_judge_that_compares_needs_a_slot_for_the_reference() -> None:
    assert "{{ reference }} is missing" in problems_of(FIELDS | {"reference": True})["prompt.user"]


def test_all_problems_are_named_at_once() -> None:
    assert set(problems_of({"draws": 99, "scale": [2, 1]})) == {"endpoint", "model", "prompt", "draws", "scale"}


def test_the_ends_of_the_scale_are_numbers() -> None:
    made: LlmJudge = judge(scale=["-1.5", "2"])
    assert (made.lowest, made.highest) == (-1.5, 2.0)
