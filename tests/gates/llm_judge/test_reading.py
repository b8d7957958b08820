"""What a server's answer is worth: a score on the scale, or nothing and a sentence; never a guess, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.llm_judge.reading import LONGEST_REASON, Draw, read_draw
from relcontrol.model_servers.client import Answer
from tests.gates.llm_judge.judges import judge, said

GOOD = '{"reason": "It names the period.", "score": 4}'


def drawn(content: Any, **named: Any) -> Draw:
    return read_draw(judge(), said(content, **named))


def test_a_reply_of_the_right_form_is_a_score_with_its_reason() -> None:
    assert drawn(GOOD) == Draw(4.0, "It names the period.", "", "judge-1", 1)


@pytest.mark.parametrize(
    "content", [f"  {GOOD}\n", f"```json\n{GOOD}\n```", f"```\n{GOOD}\n```\n", '{"score": 4.5, "reason": ""}']
)
def test_blanks_a_fence_and_another_order_change_nothing(content: str) -> None:
    assert drawn(content).score in (4.0, 4.5)


@pytest.mark.parametrize("score", [1, 5, 3.25, 5.0])
def test_every_score_on_the_scale_is_one(score: float) -> None:
    assert drawn(json.dumps({"reason": "", "score": score})).score == score


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (GOOD[: len(GOOD) // 2], "no JSON object"),
        ("Score: 4", "no JSON object"),
        (f"Here it is: {GOOD}", "no JSON object"),
        (f"{GOOD} {GOOD}", "no JSON object"),
        ('{"reason": "a", "score": 4, "score": 5}', "no JSON object"),
        ('{"reason": "a", "score": NaN}', "no JSON object"),
        ('{"reason": "a", "score": 1e999}', "no JSON object"),
        ("[4]", "not of the form"),
        ("4", "not of the form"),
        ('{"score": 4}', "not of the form"),
        ('{"reason": null, "score": 4}', "not of the form"),
        ('{"reason": "a", "score": 4, "confidence": 1}', "not of the form"),
        ('{"verdict": "good", "points": "4 of 5"}', "not of the form"),
        ('{"reason": "a", "score": "4"}', "no number"),
        ('{"reason": "a", "score": true}', "no number"),
        ('{"reason": "a", "score": null}', "no number"),
        ('{"reason": "a", "score": 0}', "outside the scale from 1 to 5"),
        ('{"reason": "a", "score": 5.001}', "outside the scale"),
        ('{"reason": "a", "score": -1}', "outside the scale"),
        ("", "empty"),
        (" \n", "empty"),
        (None, "empty"),
        (["text"], "empty"),
        ("[" * 100_000, "no JSON object"),
        ('{"reason": "a", "score": ' + "9" * 5_000 + "}", "no JSON object"),
    ],
)
def test_any_other_reply_is_missing_and_says_why(content: Any, says: str) -> None:
    found = drawn(content)
    assert (found.score, found.reason) == (None, "")
    assert says in found.problem
    assert found.problem.endswith(".") or "{" in found.problem or ":" in found.problem
    assert len(found.problem) < 250


def test_a_refusal_is_missing_in_the_models_own_words() -> None:
    found = drawn(None, refusal="I can't help with that.")
    assert (found.score, found.problem) == (None, "The model refused to judge: I can't help with that.")


def test_a_reply_that_a_filter_held_back_is_missing() -> None:
    assert "filter" in drawn("", finish_reason="content_filter").problem


def test_a_reply_that_is_cut_off_says_which_setting_to_raise() -> None:
    assert drawn(GOOD[:20], finish_reason="length").problem == (
        "The reply was cut off at 512 tokens; raise max_tokens."
    )
    assert drawn(GOOD, finish_reason="length").score == 4.0


def test_another_model_is_another_judge() -> None:
    found = drawn(GOOD, model="judge-2")
    assert (found.score, found.model) == (None, "judge-2")
    assert "judge-2 answered, and the judge is judge-1" in found.problem
    assert "answers_as" in found.problem


def test_the_name_by_which_the_server_calls_the_model_can_be_pinned() -> None:
    pinned = judge(parameters={"answers_as": "judge-1-2026-08-06"})
    assert read_draw(pinned, said(GOOD, model="judge-1-2026-08-06")).score == 4.0
    assert read_draw(pinned, said(GOOD, model="judge-1")).score is None
    assert "does not say which model" in read_draw(pinned, said(GOOD, model=None)).problem


def test_a_server_that_names_no_model_is_believed_where_none_is_pinned() -> None:
    assert drawn(GOOD, model=None).score == 4.0


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        ("timeout", None, "did not answer in time, 3 times."),
        ("connection_failed", None, "could not be reached"),
        ("stream_broken", 200, "broke off or sent no completion, 3 times."),
        ("upstream_5xx", 503, "had an error (503), 3 times."),
        ("upstream_denied", 404, "does not know the model"),
        ("upstream_4xx", 429, "is asked too much (429), 3 times."),
        ("upstream_4xx", 413, "refused the request (413), 3 times."),
        ("upstream_4xx", 400, "want max_completion_tokens (limit_field) (400), 3 times."),
        (None, None, "did not answer"),
    ],
)
def test_a_server_that_gives_no_answer_is_missing_in_words(error: str, status: int | None, says: str) -> None:
    found = read_draw(judge(), Answer(None, status, error, None, 1.0, attempts=3))
    assert (found.score, found.attempts) == (None, 3)
    assert says in found.problem


def test_what_a_database_cannot_keep_is_replaced() -> None:
    found = drawn('{"reason": "a\\u0000b\\ud800c", "score": 4}')
    assert found.reason == "a\ufffdb\ufffdc"
    assert drawn(GOOD, model="bad\x00name").model == "bad\ufffdname"


def test_a_long_reason_is_cut() -> None:
    found = drawn(json.dumps({"reason": "a" * 10_000, "score": 4}))
    assert (len(found.reason), found.reason[-1]) == (LONGEST_REASON, "…")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["reason", "score", "x"]), inner),
    max_leaves=6,
)
CONTENT = st.one_of(
    st.text(),
    JSON,
    JSON.map(json.dumps),
    st.builds(lambda reason, score: json.dumps({"reason": reason, "score": score}), st.text(), JSON),
)


@given(content=CONTENT, refusal=st.one_of(st.none(), JSON), ending=st.one_of(st.none(), st.text(max_size=9), JSON))
def test_no_reply_whatever_crashes_or_leaves_the_scale(content: Any, refusal: Any, ending: Any) -> None:
    answer = said(content, refusal=refusal, finish_reason=ending)
    found = read_draw(judge(scale=["0", "1"]), answer)
    assert (found.score is None) == bool(found.problem)
    if found.score is not None:
        assert 0.0 <= found.score <= 1.0
    text = json.dumps(found.as_json(), ensure_ascii=False)
    assert text.encode()
    assert "\x00" not in found.reason + found.problem
