"""Requests made to hurt: each gets an error in OpenAI's shape, or service, and the gateway answers the next one."""

import json
import socket
from typing import Any

import pytest

from tests.releases.gateway.scene import KEY, Scene, chat_body

AUTHORIZED = f"authorization: Bearer {KEY}\r\n".encode()


@pytest.mark.parametrize("key", ["", "rck_0000000000000000.nobody", "x" * 3000, "\u00e9\u00fc"])
def test_an_unknown_key_is_401_in_openais_shape(scene: Scene, key: str) -> None:
    answer = scene.ask("/v1/chat/completions", chat_body(), key="", authorization=f"Bearer {key}")
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b"[]", "wrong_type"),
        (b'{"messages": NaN}', "not_a_number"),
        (b'{"temperature": 1e999, "messages": []}', "number_too_large"),
        (b'{"messages": [], "messages": []}', "duplicate_key"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "too_deep"),
        (b"\xff\xfe", "not_utf8"),
        (b'{"messages": 7}', "wrong_type"),
        (b'{"messages": [7]}', "wrong_type"),
        (b'{"messages": []}', "no_user_message"),
        (b'{"messages": [{"role": "user", "content": null}]}', "wrong_type"),
        (b'{"messages": [{"role": "user", "content": "a"}], "stream": "yes"}', "invalid_type"),
        (b'{"messages": [{"role": "user", "content": "a"}], "user": "%s"}' % (b"u" * 2000), "subject_too_long"),
    ],
)
def test_a_body_that_cannot_be_read_is_400(scene: Scene, body: bytes, code: str) -> None:
    answer = scene.ask("/v1/chat/completions", body)
    assert (answer.status, answer.error["code"]) == (400, code)


@pytest.mark.parametrize(
    "members",
    [
        {"metadata": 7},
        {"metadata": {"route": 7, "tenant": []}},
        {"user": {"a": 1}},
        {"stream_options": "yes", "stream": True},
        {"temperature": "hot"},
        {"n": -1},
    ],
)
def test_members_of_wrong_types_do_not_hurt(scene: Scene, members: dict[str, Any]) -> None:
    assert scene.chat(**members).status == 200


def test_half_a_surrogate_pair_is_served(scene: Scene) -> None:
    body = b'{"messages": [{"role": "user", "content": "a \\ud800 b"}], "user": "\\udfff"}'
    answer = scene.ask("/v1/chat/completions", body)
    assert answer.status == 200
    assert scene.row(answer)["subject"] == "\N{REPLACEMENT CHARACTER}"


def test_a_prompt_of_twenty_megabytes_is_served_and_left_out_of_the_trace(scene: Scene) -> None:
    answer = scene.chat(said="law " * 5_000_000)
    assert answer.status == 200
    assert scene.row(answer)["input"].startswith("(left out: a request of 20,0")


@pytest.mark.parametrize("model", [None, "", 7, "m" * 5_000, "a\0b"])
def test_embeddings_of_any_model_name_leave_a_trace(scene: Scene, model: Any) -> None:
    answer = scene.ask("/v1/embeddings", {"model": model, "input": "x"})
    assert answer.status == 200
    assert scene.row(answer)["route"] == "rte_default"


def test_a_request_as_large_as_a_trace_may_hold_leaves_one(scene: Scene) -> None:
    metadata = {f"{n:064}": "\N{PILE OF POO}" * 512 for n in range(80)}
    answer = scene.chat(said='"' * 150_000, metadata=metadata)
    assert len(scene.row(answer)["metadata"]) == 64


def test_a_body_over_the_limit_is_413_without_being_taken_in(scene: Scene) -> None:
    answer = scene.ask("/v1/chat/completions", b"x" * (32 * 1024 * 1024 + 1))
    assert (answer.status, answer.error["code"]) == (413, "request_too_large")


def test_a_body_without_a_length_is_counted_as_it_comes(scene: Scene) -> None:
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n" + AUTHORIZED + b"\r\n"
    assert raw(scene, head + piece * 33)[0] == 413


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: " + b"y" * 100_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(9_000)) + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\nbad header\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n", 200),
        (b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n" + AUTHORIZED * 2 + b"content-length: 2\r\n\r\n{}", 401),
        (b"DELETE /v1/models HTTP/1.1\r\nhost: a\r\n" + AUTHORIZED + b"\r\n", 405),
        (b"GET /v2/anything HTTP/1.1\r\nhost: a\r\n" + AUTHORIZED + b"\r\n", 404),
    ],
)
def test_bytes_that_are_no_honest_request_get_an_error_object(scene: Scene, sent: bytes, status: int) -> None:
    got, body = raw(scene, sent)
    assert got == status
    if status != 200:
        error = json.loads(body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert status != 404 or "POST /v1/chat/completions" in error["message"]  # what to use instead


@pytest.mark.parametrize("name", ["x-relcontrol-route", "x-relcontrol-subject"])
def test_a_header_that_is_sent_twice_is_refused(scene: Scene, name: str) -> None:
    body = json.dumps(chat_body()).encode()
    twice = f"{name}: default\r\n".encode() * 2
    length = f"content-length: {len(body)}\r\n\r\n".encode()
    sent = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n" + AUTHORIZED + twice + length + body
    status, answered = raw(scene, sent)
    assert (status, json.loads(answered)["error"]["code"]) == (400, "duplicate_header")


def test_a_header_in_no_known_encoding_is_a_subject_like_any_other(scene: Scene) -> None:
    body = json.dumps(chat_body()).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nx-relcontrol-subject: \xff\xe9\r\n" + AUTHORIZED
    assert raw(scene, head + b"content-length: %d\r\n\r\n" % len(body) + body)[0] == 200


def test_a_compressed_body_is_refused_with_a_sentence(scene: Scene) -> None:
    answer = scene.ask("/v1/chat/completions", b"\x1f\x8b", content_encoding="gzip")
    assert (answer.status, answer.error["code"]) == (415, "unsupported_encoding")


def test_the_gateway_is_still_there_after_all_of_this(scene: Scene) -> None:
    assert scene.chat().status == 200
    assert not [line for line in scene.log if "worker_died" in line or "defect" in line]


def raw(scene: Scene, sent: bytes) -> tuple[int, bytes]:
    """Status and body of the first answer to these bytes."""
    with socket.create_connection(("127.0.0.1", scene.port), timeout=20) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            length = 0
            for line in iter(answer.readline, b"\r\n"):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            return status, answer.read(length)
