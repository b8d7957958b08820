"""The score of one answer: 1 where no rule is broken, 0 with findings where one is, nothing where nothing was said."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.rule_judge.definition import DEFAULT, Rules, read_rules
from gates.rule_judge.judging import QUOTED, score, text_of
from relcontrol.bundle.errors import BundleError
from relcontrol.demo.topics import TOPICS
from relcontrol.demo_models.draws import key_of
from relcontrol.demo_models.wording import answer, hedge

SCHEMA = {
    "type": "object",
    "required": ["answer", "sections"],
    "properties": {
        "answer": {"type": "string", "enum": ["yes", "no"]},
        "sections": {"type": "array", "items": {"type": "integer"}},
        "sure": {"type": "boolean"},
    },
}


def rules_broken(rules: Rules, output: Any, asked: str = "May affiliates use it?") -> list[str]:
    scored = score(rules, input_text=asked, output=output)
    assert scored is not None
    assert scored.score == (0.0 if scored.findings else 1.0)
    return [finding.rule for finding in scored.findings]


def test_a_good_answer_scores_one() -> None:
    assert rules_broken(DEFAULT, "Affiliates may use it from Monday, 24 November 2025 on.") == []


def test_a_refusal_scores_nothing() -> None:
    assert rules_broken(DEFAULT, "You should consult an attorney.") == ["refusal"]


def test_an_impossible_date_scores_nothing() -> None:
    assert rules_broken(DEFAULT, "The next step is due on Thursday March 32nd.") == ["impossible_date"]


@pytest.mark.parametrize("output", ["", "  \n", None, {"content": None}, {"content": "", "tool_calls": []}])
def test_an_empty_answer_scores_nothing(output: Any) -> None:
    assert rules_broken(DEFAULT, output) == ["empty"]


def test_an_answer_that_only_calls_tools_is_not_judged() -> None:
    output = {"content": None, "tool_calls": [{"id": "1", "function": {"name": "search", "arguments": "{}"}}]}
    assert score(DEFAULT, input_text="", output=output) is None


def test_what_a_model_says_beside_a_tool_call_is_judged() -> None:
    assert rules_broken(DEFAULT, {"content": "I cannot help with that.", "tool_calls": [{"id": "1"}]}) == ["refusal"]


def test_a_model_that_says_itself_that_it_refused_is_taken_at_its_word() -> None:
    assert rules_broken(DEFAULT, {"content": None, "refusal": "No."}) == ["refusal"]


def test_the_text_parts_of_a_message_are_read_together() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "image_url"}, {"type": "text", "text": "two"}]
    assert text_of({"content": parts}) == "one\ntwo"


def test_a_rule_that_is_switched_off_finds_nothing() -> None:
    rules = read_rules({"refusal": False, "impossible_dates": False})
    assert rules_broken(rules, "I cannot help with that until March 32nd.") == []


def test_lengths_are_counted_in_characters_without_the_blanks_around() -> None:
    rules = read_rules({"min_chars": 3, "max_chars": 5})
    assert [rules_broken(rules, text) for text in (" äb ", "äbc", "äbcde", "äbcdef")] == [
        ["min_chars"],
        [],
        [],
        ["max_chars"],
    ]


def test_patterns_must_and_must_not_match() -> None:
    rules = read_rules({"must_match": ["section [0-9]+"], "must_not_match": ["[Gg]uarantee"]})
    assert rules_broken(rules, "See section 4.") == []
    assert rules_broken(rules, "We Guarantee it.") == ["must_match", "must_not_match"]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("yes", "The answer is no JSON"),
        ('{"answer": "yes", "answer": "no", "sections": []}', "The answer is no JSON"),
        ('{"answer": "yes"}', "the answer has no sections."),
        ('{"answer": "maybe", "sections": []}', "the answer.answer is none of the allowed values."),
        ('{"answer": "no", "sections": [1, 2.5]}', "the answer.sections[1] is not of type integer."),
        ('{"answer": "no", "sections": [true]}', "the answer.sections[0] is not of type integer."),
        ('{"answer": "no", "sections": [], "sure": 1}', "the answer.sure is not of type boolean."),
        ("[]", "the answer is not of type object."),
    ],
)
def test_an_answer_that_is_not_of_the_schema_scores_nothing(text: str, detail: str) -> None:
    scored = score(read_rules({"schema": SCHEMA}), input_text="", output=text)
    assert scored is not None
    (finding,) = scored.findings
    assert finding.rule == "schema"
    assert finding.detail.startswith(detail)


@pytest.mark.parametrize(
    "text", ['{"answer": "yes", "sections": [4, 5.0], "more": 1}', ' {"answer":"no","sections":[]}\n']
)
def test_an_answer_of_the_schema_is_good(text: str) -> None:
    assert rules_broken(read_rules({"schema": SCHEMA}), text) == []


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"refusals": True}, "rules.refusals"),
        ({"refusal": 1}, "rules.refusal"),
        ({"must_match": ["("]}, "rules.must_match[0]"),
        ({"must_match": [""]}, "rules.must_match[0]"),
        ({"must_not_match": "a"}, "rules.must_not_match"),
        ({"min_chars": True}, "rules.min_chars"),
        ({"min_chars": 5, "max_chars": 4}, "rules.min_chars"),
        ({"schema": {"type": "text"}}, "rules.schema.type"),
        ({"schema": {"oneOf": []}}, "rules.schema.oneOf"),
        ({"schema": {"enum": [0.5]}}, "rules.schema.enum[0]"),
        ({"schema": {"enum": [[]]}}, "rules.schema.enum[0]"),
        ({"schema": {"properties": {"a": {"minLength": 1}}}}, "rules.schema.properties.a.minLength"),
        ([], "rules"),
    ],
)
def test_rules_that_would_judge_nothing_are_refused_with_their_place(value: Any, field: str) -> None:
    with pytest.raises(BundleError) as refused:
        read_rules(value)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_schema_nested_without_end_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(20):
        deep = {"items": deep}
    with pytest.raises(BundleError, match="Nested deeper"):
        read_rules({"schema": deep})


@given(st.builds(Rules, refusal=st.booleans(), min_chars=st.none() | st.integers(0, 9)))
def test_stored_rules_read_back_as_they_were(rules: Rules) -> None:
    assert read_rules(rules.as_json()) == rules


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=100))
def test_any_text_is_judged_the_same_twice_and_quoted_shortly(output: str, asked: str) -> None:
    first = score(DEFAULT, input_text=asked, output=output)
    assert first == score(DEFAULT, input_text=asked, output=output)
    assert first is not None
    assert all(len(finding.quote) <= QUOTED for finding in first.findings)


@pytest.mark.parametrize(
    "piece", ["I cannot ", "please consult a ", "you should ", "May 3 ", "1 ", "as an ai ", "ich kann "]
)
def test_a_hostile_answer_is_judged_in_little_time(piece: str) -> None:
    began = time.process_time()
    score(DEFAULT, input_text="", output=(piece * 100_000)[:3_990])
    score(DEFAULT, input_text="", output=(piece * 100_000)[:100_000])
    assert time.process_time() - began < 3


def test_what_the_demo_models_say_is_told_apart() -> None:
    for question in sorted(questions())[::9]:
        key = key_of(0, "user", question)
        assert rules_broken(DEFAULT, answer(question, key), question) == []
        assert "impossible_date" in rules_broken(DEFAULT, answer(question, key, impossible_dates=True), question)
        assert rules_broken(DEFAULT, hedge(key), question) == ["refusal"]


def questions() -> list[str]:
    """Every question of the demo."""
    return [
        topic.question.format(matter=matter, party=party)
        for topic in TOPICS
        for matter in topic.matters
        for party in topic.parties
    ]
