"""Server-sent events, byte by byte; a stream that breaks off has no end."""

import http.client
import json

import pytest

from tests.demo_models.client import QUESTION, Client, chat_body

HEAD = (
    b'{"id":"%s","object":"chat.completion.chunk","created":1767225600,"model":"demo-healthy",'
    b'"service_tier":"default","system_fingerprint":"%s",'
)


def test_the_bytes_of_a_stream_are_those_of_the_protocol(client: Client) -> None:
    answer = client.chat(stream=True, max_tokens=10)
    whole = client.chat(max_tokens=10).json()
    head = HEAD % (whole["id"].encode(), whole["system_fingerprint"].encode())
    deltas = [
        b'{"role":"assistant","content":"","refusal":null}',
        b'{"content":"Here is an audit clause with ten days"}',
        b'{"content":"\' warnin"}',
    ]
    choice = b'"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}]}\n\n'
    expected = b"".join(b"data: " + head + choice % (delta, b"null") for delta in deltas)
    expected += b"data: " + head + choice % (b"{}", b'"length"') + b"data: [DONE]\n\n"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.body == expected


def test_a_stream_says_the_same_as_the_answer_without_one(client: Client) -> None:
    whole, stream = client.chat().json(), client.chat(stream=True)
    assert stream.said() == whole["choices"][0]["message"]["content"]
    assert {document["id"] for document in stream.events()} == {whole["id"]}
    assert stream.events()[-1]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"] == "stop"


def test_usage_comes_last_and_only_where_it_was_asked_for(client: Client) -> None:
    *events, last = client.chat(stream=True, stream_options={"include_usage": True}).events()
    assert last["choices"] == []
    assert last["usage"] == client.chat().json()["usage"]
    assert all(event["usage"] is None for event in events)
    assert not any("usage" in event for event in client.chat(stream=True).events())


def test_the_same_prompt_gets_the_same_stream(client: Client) -> None:
    assert client.chat(stream=True).body == client.chat(stream=True).body


def test_some_streams_of_the_broken_model_break_off_and_the_same_ones_again(client: Client) -> None:
    broken = [number for number in range(100) if is_broken(client, number)]
    assert 8 <= len(broken) <= 35
    assert all(is_broken(client, number) for number in broken)


def test_a_stream_that_breaks_off_has_sent_events_but_no_end(client: Client) -> None:
    number = next(number for number in range(100) if is_broken(client, number))
    with pytest.raises(http.client.IncompleteRead) as caught:
        client.chat("demo-broken-streams", asked(number), stream=True)
    events = caught.value.partial.split(b"\n\n")
    assert json.loads(events[0].removeprefix(b"data: "))["choices"][0]["delta"]["role"] == "assistant"
    assert b"[DONE]" not in caught.value.partial
    assert b'"finish_reason":"stop"' not in caught.value.partial


def test_without_a_stream_the_broken_model_answers_as_the_healthy_one(client: Client) -> None:
    for number in range(20):
        whole, healthy = client.chat("demo-broken-streams", asked(number)), client.chat(question=asked(number))
        assert whole.json()["choices"] == healthy.json()["choices"]


def test_a_client_that_goes_away_leaves_the_server_in_peace(client: Client) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=10)
    connection.request("POST", "/v1/chat/completions", json.dumps({**chat_body(), "stream": True}))
    connection.getresponse().read(20)
    connection.close()
    assert client.chat(stream=True).status == 200


def asked(number: int) -> str:
    return f"{QUESTION} File {number}. Answer in about 100 tokens."


def is_broken(client: Client, number: int) -> bool:
    try:
        client.chat("demo-broken-streams", asked(number), stream=True).events()
    except http.client.IncompleteRead:
        return True
    return False
