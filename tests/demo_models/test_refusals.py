"""What is refused is refused with OpenAI's error object, and nothing is held that is too large."""

from typing import Any

import pytest

from tests.demo_models.client import Client, chat_body

CHAT = "/v1/chat/completions"


def error(client: Client, body: Any, path: str = CHAT, status: int = 400) -> dict[str, Any]:
    answer = client.ask("POST", path, body)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "type", "param", "code"}
    found: dict[str, Any] = document["error"]
    return found


def test_an_unknown_model_is_answered_as_openai_does(client: Client) -> None:
    assert error(client, chat_body("gpt-x"), status=404) == {
        "message": "The model `gpt-x` does not exist or you do not have access to it.",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"model": NaN}', b"[" * 100_000, b'{"n": ' + b"1" * 5_000 + b"}"],
    ids=["none", "open", "list", "string", "no UTF-8", "NaN", "deep", "long number"],
)
def test_what_is_no_json_object_is_refused(client: Client, body: bytes) -> None:
    assert error(client, body)["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": ["hello"]}, "messages[0]"),
        ({"messages": [{"role": "judge", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
        ({"stream": True, "stream_options": 1}, "stream_options"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": True}, "max_completion_tokens"),
        ({"seed": "7"}, "seed"),
        ({"n": 2}, "n"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": 7}, "stop"),
    ],
)
def test_a_wrong_member_is_refused_by_its_path(client: Client, members: dict[str, Any], param: str) -> None:
    assert error(client, {**chat_body(), **members})["param"] == param


def test_half_a_surrogate_pair_does_no_harm(client: Client) -> None:
    assert client.chat(question="\ud800").status == 200
    assert error(client, chat_body("\ud800"), status=404)["code"] == "model_not_found"


def test_a_body_that_is_too_large_is_refused_and_the_server_goes_on(client: Client) -> None:
    refused = error(client, b" " * (4 * 1024 * 1024 + 1), status=413)
    assert refused["message"] == "The body of your request is larger than 4194304 bytes."
    assert client.chat().status == 200


def test_a_prompt_longer_than_the_context_is_refused(client: Client) -> None:
    assert error(client, chat_body(question="law " * 130_000))["code"] == "context_length_exceeded"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", CHAT, 405), ("DELETE", "/v1/models", 405), ("GET", "/v1/nothing", 404), ("POST", "/v1/", 404)],
)
def test_wrong_methods_and_addresses_get_an_error_object(client: Client, method: str, path: str, status: int) -> None:
    answer = client.ask(method, path)
    assert answer.status == status
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_an_unforeseen_error_has_the_shape_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr("relcontrol.demo_models.app.reply_to", broken)
    assert error(client, chat_body(), status=500)["type"] == "server_error"


def test_the_embedding_model_does_not_chat_and_the_others_do_not_embed(client: Client) -> None:
    assert error(client, chat_body("demo-embedding"), status=404)["param"] == "model"
    assert error(client, {"model": "demo-slow", "input": "x"}, "/v1/embeddings", 403)["param"] == "model"
    assert error(client, {"model": "ada", "input": "x"}, "/v1/embeddings", 404)["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"input": None}, "input"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": [1, 2]}, "input"),
        ({"input": ["x"] * 2_049}, "input"),
        ({"input": "law " * 8_193}, "input"),
        ({"input": ["law " * 8_000] * 40}, "input"),
        ({"dimensions": 257}, "dimensions"),
        ({"encoding_format": "hex"}, "encoding_format"),
        ({"encoding_format": ["float"]}, "encoding_format"),
    ],
)
def test_wrong_embedding_requests_are_refused(client: Client, members: dict[str, Any], param: str) -> None:
    body = {"model": "demo-embedding", "input": "x", **members}
    assert error(client, body, "/v1/embeddings")["param"] == param
