"""Slots, and the request that a manifest makes of a client's."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.bundle.artifacts import normalise_artifact
from relcontrol.bundle.preprocessing import normalise_steps
from relcontrol.bundle.rendering import render, render_request, slots
from tests.bundle.problems import refused

USER = {"role": "user", "content": "Hi"}
CLIENT_SYSTEM = {"role": "system", "content": "theirs"}


def request(client: dict[str, Any], *, template: dict[str, Any] | None = None, **manifest: Any) -> dict[str, Any]:
    prompt = normalise_artifact({"kind": "prompt_template", "system": "ours", **(template or {})})
    parts: dict[str, Any] = {"few_shot": None, "generation": {}, "tools": None, "model_name": "m", **manifest}
    return render_request(prompt_template=prompt, client_body=client, **parts)


def messages(*client: dict[str, Any], template: dict[str, Any] | None = None, **manifest: Any) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = request({"messages": list(client)}, template=template, **manifest)["messages"]
    return result


def test_slots_are_names_in_double_braces_and_nothing_else() -> None:
    assert slots("{{ a }} {{b_1}} {{ a.b }} {{ 1 }} { c } {% if d %} {{ e | f }} {{\ng }}") == {"a", "b_1"}


def test_a_slot_is_replaced_wherever_it_stands() -> None:
    assert render("{{ a }}-{{a}}-{{ b }}", {"a": "1", "b": "2", "c": "3"}) == "1-1-2"


def test_every_slot_without_a_value_is_named() -> None:
    assert refused(render, "{{ b }} {{ a }} {{ c }}", {"c": ""}) == {
        ("a", "missing_variable"),
        ("b", "missing_variable"),
    }


@given(st.text())
def test_a_value_is_never_read_as_template(text: str) -> None:
    hostile = f"{{{{ secret }}}}{text}\\1\\g<0>"
    assert render("[{{ input }}]", {"input": hostile, "secret": "s"}) == f"[{hostile}]"


def test_our_system_message_comes_first_and_theirs_follows() -> None:
    assert messages(USER, CLIENT_SYSTEM) == [{"role": "system", "content": "ours"}, CLIENT_SYSTEM, USER]


def test_theirs_replaces_ours_only_where_they_send_one() -> None:
    replace = {"client_system": "replace"}
    assert messages(CLIENT_SYSTEM, USER, template=replace) == [CLIENT_SYSTEM, USER]
    assert messages(USER, template=replace)[0] == {"role": "system", "content": "ours"}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_template_may_refuse_system_messages_of_clients(role: str) -> None:
    client = {"messages": [USER, {"role": role, "content": "x"}]}
    refusal = refused(request, client, template={"client_system": "refuse"})
    assert refusal == {("messages[1]", "client_system_refused")}


def test_the_user_template_wraps_the_last_user_message_only() -> None:
    chat = [
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
    ]
    sent = messages(*chat, template={"user": "Q: {{ input }}!"})
    assert [message["content"] for message in sent] == ["ours", "one", "two", "Q: three!"]


def test_tool_results_after_the_last_user_message_stay_behind_it() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    tool = {"role": "tool", "tool_call_id": "1", "content": "42"}
    assert messages(USER, call, tool, template={"user": "<{{ input }}>"})[1:] == [
        {**USER, "content": "<Hi>"},
        call,
        tool,
    ]


def test_few_shot_stands_between_system_messages_and_conversation() -> None:
    few_shot = normalise_artifact({"kind": "few_shot", "examples": [{"input": "q", "output": "a"}]})
    sent = messages(CLIENT_SYSTEM, USER, few_shot=few_shot)
    assert [message["content"] for message in sent] == ["ours", "theirs", "q", "a", "Hi"]


def test_the_last_user_message_is_preprocessed_before_it_is_wrapped() -> None:
    steps = normalise_steps([{"op": "strip"}, {"op": "lowercase"}])
    sent = messages(
        {"role": "user", "content": " A "},
        {**USER, "content": " B "},
        template={"user": "[{{ input }}]"},
        preprocessing_steps=steps,
    )
    assert [message["content"] for message in sent] == ["ours", " A ", "[b]"]


def test_other_slots_are_filled_from_metadata_and_input_is_not() -> None:
    template = {"system": "Speak {{ locale }}.", "user": "{{ input }}"}
    client = {"messages": [USER], "metadata": {"locale": "fr", "input": "forged", "n": 1}}
    assert [m["content"] for m in request(client, template=template)["messages"]] == ["Speak fr.", "Hi"]


def test_a_slot_without_metadata_is_refused_by_name() -> None:
    refusal = refused(request, {"messages": [USER]}, template={"system": "{{ locale }}"})
    assert refusal == {("locale", "missing_variable")}


def test_an_empty_system_prompt_sends_no_message() -> None:
    assert messages(USER, template={"system": ""}) == [USER]


def test_text_parts_become_one_and_other_parts_stay() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    parts = [image, {"type": "text", "text": " A", "x": 1}, image, {"type": "text", "text": "B "}]
    sent = messages(
        {"role": "user", "content": parts}, template={"user": "<{{ input }}>"}, preprocessing_steps=[{"op": "strip"}]
    )
    assert sent[1]["content"] == [image, {"type": "text", "text": "<A\nB>", "x": 1}, image]


def test_parts_of_a_message_that_nothing_changes_stay_where_they_are() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    told = {"role": "user", "content": [{"type": "text", "text": "Left:"}, image, {"type": "text", "text": "right?"}]}
    assert messages(told)[1] == told
    assert messages(told, template={"user": "{{ input }}"})[1] == told


def test_a_message_of_pictures_only_is_left_alone_or_gets_the_template_in_front() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:,"}}
    picture = {"role": "user", "content": [image]}
    assert messages(picture)[1] == picture
    assert messages(picture, template={"user": "See:{{ input }}"})[1]["content"] == [
        {"type": "text", "text": "See:"},
        image,
    ]


def test_generation_tools_and_model_of_the_manifest_win() -> None:
    tools = normalise_artifact({"kind": "tool_schemas", "tools": [{"name": "t"}]})
    client = {
        "model": "theirs",
        "messages": [USER],
        "temperature": 2,
        "max_completion_tokens": 9,
        "functions": [],
        "tools": [],
        "stream": True,
        "top_p": 0.5,
    }
    sent = request(client, generation={"temperature": "0.2", "max_tokens": 800, "stop": ["x"]}, tools=tools)
    del sent["messages"]
    assert sent == {
        "model": "m",
        "temperature": 0.2,
        "max_tokens": 800,
        "stop": ["x"],
        "tools": [{"type": "function", "function": tools["tools"][0]}],
        "stream": True,
        "top_p": 0.5,
    }


def test_the_limit_of_the_manifest_wins_under_either_name() -> None:
    sent = request({"messages": [USER], "max_tokens": 9}, generation={"max_completion_tokens": 800})
    assert "max_tokens" not in sent
    assert sent["max_completion_tokens"] == 800


def test_the_clients_settings_stand_where_the_manifest_says_nothing() -> None:
    client = {"messages": [USER], "max_completion_tokens": 9, "tools": [1]}
    sent = request(client)
    assert (sent["max_completion_tokens"], sent["tools"]) == (9, [1])


def test_the_clients_body_is_left_as_it_was() -> None:
    client = {
        "messages": [CLIENT_SYSTEM, {"role": "user", "content": [{"type": "text", "text": " a "}]}],
        "temperature": 1,
    }
    before = copy.deepcopy(client)
    request(
        client,
        template={"user": "{{ input }}?"},
        generation={"temperature": "0"},
        preprocessing_steps=[{"op": "strip"}],
    )
    assert client == before


@pytest.mark.parametrize(
    ("client", "problem"),
    [
        ({}, ("messages", "wrong_type")),
        ({"messages": "hi"}, ("messages", "wrong_type")),
        ({"messages": []}, ("messages", "no_user_message")),
        ({"messages": [CLIENT_SYSTEM]}, ("messages", "no_user_message")),
        ({"messages": [USER, 3]}, ("messages[1]", "wrong_type")),
        ({"messages": [{"content": "x"}]}, ("messages[0]", "wrong_type")),
        ({"messages": [{"role": "user"}]}, ("messages[0].content", "wrong_type")),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, ("messages[0].content[0]", "wrong_type")),
    ],
)
def test_a_body_that_is_no_conversation_is_refused(client: dict[str, Any], problem: tuple[str, str]) -> None:
    assert refused(request, client) == {problem}
