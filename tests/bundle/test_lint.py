"""The fast gate: findings on a release's own text."""

from decimal import Decimal
from typing import Any

import pytest

from relcontrol.bundle.artifacts import normalise_artifact
from relcontrol.bundle.lint import Finding, estimated_tokens, is_refused, lint
from relcontrol.bundle.preprocessing import normalise_steps

QUIET = {"max_tokens": 800}


def findings(system: str = "Answer.", user: str | None = "{{ input }}", **parts: Any) -> dict[str, Finding]:
    prompt = normalise_artifact({"kind": "prompt_template", "system": system, "user": user})
    return {finding.code: finding for finding in lint(prompt=prompt, **{"generation": QUIET, **parts})}


def tool_findings(**changes: Any) -> list[tuple[str, str]]:
    tool = {"name": "t", "description": "Does it.", "parameters": {"type": "object"}, **changes}
    return found_in_tools(tool)


def found_in_tools(*tools: dict[str, Any]) -> list[tuple[str, str]]:
    prompt = normalise_artifact({"kind": "prompt_template", "system": "Answer."})
    schemas = normalise_artifact({"kind": "tool_schemas", "tools": list(tools)})
    return [
        (f.code, f.field) for f in lint(prompt=prompt, tools=schemas, generation=QUIET) if f.code.startswith("tool")
    ]


def test_a_sound_release_has_only_the_cost_to_tell() -> None:
    assert list(findings()) == ["token_cost"]


@pytest.mark.parametrize("text", ["{% if x %}a{% endif %}", "{# note #}"])
def test_template_logic_is_an_error(text: str) -> None:
    assert findings(text)["logic_syntax"].severity == "error"


@pytest.mark.parametrize("text", ["{{ a.b }}", "{{ a | upper }}", "{{ 1 }}", "{{}}", "a {{ b", "{{{{ a }}"])
def test_double_braces_that_are_no_slot_are_an_error(text: str) -> None:
    assert findings(text)["stray_braces"].severity == "error"


def test_json_in_a_prompt_is_no_error() -> None:
    found = findings('Write {"a": {"b": 1}} and {"c": 2}.')
    assert found["stray_braces"].severity == "info"
    assert not is_refused(list(found.values()))


def test_a_user_template_that_loses_the_question_is_an_error() -> None:
    found = findings(user="Answer in French.")
    assert found["input_unused"].severity == "error"
    assert is_refused(list(found.values()))


def test_the_question_may_stand_in_the_system_prompt() -> None:
    assert "input_unused" not in findings("About {{ input }}:", user="Go on.")


def test_an_empty_system_prompt_is_a_warning() -> None:
    assert findings(" \n")["empty_system"].severity == "warning"


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\u2066", "\ufeff", "\U000e0041", "\x07", "\u00ad"])
def test_invisible_characters_are_named_by_their_code_points(character: str) -> None:
    finding = findings(f"An{character}swer.")["invisible_characters"]
    assert (finding.severity, finding.field) == ("warning", "prompt_template.system")
    assert f"U+{ord(character):04X}" in finding.message


@pytest.mark.parametrize("text", ["a \nb", "a\t", "a\n"])
def test_white_space_at_an_end_is_told(text: str) -> None:
    assert "trailing_whitespace" in findings(text)


def test_a_slot_other_than_input_is_said_to_come_from_metadata() -> None:
    assert "locale" in findings("In {{ locale }}.")["slot_from_metadata"].message


def test_preprocessing_of_a_field_that_no_slot_uses_is_a_warning() -> None:
    steps = normalise_steps([{"op": "strip"}, {"op": "strip", "field": "locale"}])
    assert findings(preprocessing=steps)["unused_field"].field == "preprocessing.steps[1]"
    assert "unused_field" not in findings("In {{ locale }}.", preprocessing=steps)


def test_few_shot_out_of_turn_or_repeated_is_a_warning() -> None:
    question = {"role": "user", "content": "q"}
    few_shot = normalise_artifact({"kind": "few_shot", "messages": [question, question]})
    assert {"few_shot_order", "few_shot_duplicate"} <= findings(few_shot=few_shot).keys()
    sound = normalise_artifact({"kind": "few_shot", "examples": [{"input": "q", "output": "a"}]})
    assert not {"few_shot_order", "few_shot_duplicate"} & findings(few_shot=sound).keys()


def test_sampling_settings_that_mix_or_leave_the_length_open_are_told() -> None:
    assert {"no_max_tokens", "two_samplers"} <= findings(generation={"temperature": "0.7", "top_p": "0.9"}).keys()
    assert "two_samplers" not in findings(generation={"temperature": "0.7", "top_p": "1"})


def test_the_cost_of_the_fixed_part_is_an_estimate_with_its_rule() -> None:
    message = findings("a" * 4_000, user=None, price_per_token=Decimal("0.000002"))["token_cost"].message
    assert message == (
        "The fixed part of a request is about 1,000 tokens, about 2.0000 for 1,000 requests; "
        "an estimate of one token per 4 characters."
    )


def test_tokens_are_counted_up_over_all_parts() -> None:
    assert (estimated_tokens(""), estimated_tokens("abcde"), estimated_tokens("ab", {"a": 1})) == (0, 2, 3)


@pytest.mark.parametrize(("copies", "severity"), [(1, "warning"), (11, "error")])
def test_a_very_long_prompt_is_told_and_an_absurd_one_refused(copies: int, severity: str) -> None:
    examples = [{"role": "user", "content": "a" * 40_000}] * copies
    few_shot = normalise_artifact({"kind": "few_shot", "messages": examples})
    assert findings(few_shot=few_shot)["long_prompt"].severity == severity
    assert ("large_artifact" in findings(few_shot=few_shot)) == (severity == "error")


def test_a_sound_tool_has_no_finding() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"type": "array", "items": {"type": "integer"}},
            "c": True,
        },
        "required": ["a"],
    }
    assert tool_findings(parameters=schema) == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"name": "my tool"}, "tool_name", "name"),
        ({"description": " "}, "tool_description", "description"),
        ({"parameters": {"type": "string"}}, "tool_schema", "parameters.type"),
        ({"parameters": {"properties": {}}}, "tool_schema", "parameters.type"),
        ({"parameters": {"type": "object", "properties": []}}, "tool_schema", "parameters.properties"),
        ({"parameters": {"type": "object", "required": ["x"]}}, "tool_schema", "parameters.required"),
        ({"parameters": {"type": "object", "required": "x"}}, "tool_schema", "parameters.required"),
        ({"parameters": {"type": "object", "required": [[]]}}, "tool_schema", "parameters.required"),
        (
            {"parameters": {"type": "object", "properties": {"a": {"type": "text"}}}},
            "tool_schema",
            "parameters.properties.a.type",
        ),
        (
            {"parameters": {"type": "object", "properties": {"a": {"items": 3}}}},
            "tool_schema",
            "parameters.properties.a.items",
        ),
    ],
)
def test_a_tool_that_servers_refuse_is_an_error(changes: dict[str, Any], code: str, field: str) -> None:
    assert tool_findings(**changes) == [(code, f"tool_schemas.tools[0].{field}")]


def test_two_tools_of_one_name_are_an_error() -> None:
    tool = {"name": "t", "description": "Does it."}
    assert found_in_tools(tool, tool) == [("tool_duplicate", "tool_schemas.tools")]
