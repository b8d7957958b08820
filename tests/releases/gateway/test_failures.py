"""What a client sees, and a trace says, when a model server fails: never a 500 of the gateway's own."""

import http.client
import json

import pytest

from tests.releases.gateway.scene import CREDENTIAL, KEY, Scene, chat_body
from tests.waiting import until


@pytest.mark.parametrize(
    ("route", "status", "word"),
    [
        ("status-500", 500, "upstream_5xx"),
        ("status-503", 503, "upstream_5xx"),
        ("status-429", 429, "upstream_4xx"),
        ("status-400", 400, "upstream_4xx"),
        ("status-401", 401, "upstream_denied"),
        ("status-403", 403, "upstream_denied"),
        ("status-404", 404, "upstream_denied"),
        ("garbage", 502, "upstream_5xx"),
        ("wrong-shape", 502, "upstream_5xx"),
        ("redirect", 502, "upstream_5xx"),
        ("reset", 502, "connection_failed"),
        ("dead", 502, "connection_failed"),
        ("no-credential", 502, "connection_failed"),
        ("hang", 504, "timeout"),
    ],
)
def test_a_failure_has_its_status_and_its_word(impatient: Scene, route: str, status: int, word: str) -> None:
    answer = impatient.chat(route)
    assert answer.status == status
    assert answer.error["message"]
    row = impatient.row(answer)
    assert (row["status"], row["error"]) == (status, word)


@pytest.mark.parametrize("route", ["status-500", "status-401"])
def test_a_credential_that_a_model_server_repeats_is_not_passed_on(impatient: Scene, route: str) -> None:
    assert CREDENTIAL.encode() not in impatient.chat(route).body


def test_a_missing_credential_is_not_named_to_clients(impatient: Scene) -> None:
    answer = impatient.chat("no-credential")
    assert b"nobody-has-this" not in answer.body


def test_a_broken_connection_is_tried_once_more_and_not_twice(impatient: Scene) -> None:
    assert impatient.chat("reset-once").status == 200
    assert impatient.upstream.attempts["reset-once"] == 2
    before = impatient.upstream.attempts["reset"]
    impatient.chat("reset")
    assert impatient.upstream.attempts["reset"] == before + 2


def test_an_error_status_is_not_tried_again(impatient: Scene) -> None:
    before = impatient.upstream.attempts["status-503"]
    impatient.chat("status-503")
    assert impatient.upstream.attempts["status-503"] == before + 1


@pytest.mark.parametrize("route", ["half", "no-done", "mid-error"])
def test_a_stream_that_breaks_off_has_no_clean_end(impatient: Scene, route: str) -> None:
    request_id = f"broken-{route}"
    with pytest.raises(http.client.IncompleteRead) as broken:
        streamed(impatient, route, request_id)
    assert b"need" in broken.value.partial
    row = impatient.edge.row(request_id)
    assert (row["error"], row["status"]) == ("stream_broken", 200)
    assert row["output"]["content"].startswith("Audits need")


def test_a_stream_that_is_none_is_refused_before_it_begins(impatient: Scene) -> None:
    answer = impatient.chat("garbage", stream=True)
    assert (answer.status, answer.error["code"]) == (502, "bad_upstream_answer")


def test_a_stream_that_never_ends_is_cut_at_the_time_limit(impatient: Scene) -> None:
    with pytest.raises(http.client.IncompleteRead):
        streamed(impatient, "endless", "endless-1")
    assert impatient.edge.row("endless-1")["error"] == "timeout"


def test_a_client_that_goes_away_closes_the_model_servers_connection_at_once(impatient: Scene) -> None:
    before = impatient.upstream.abandoned["endless"]
    connection = begun(impatient, "endless", "gone-1")
    assert connection.getresponse().read(20)
    connection.close()
    until(lambda: impatient.upstream.abandoned["endless"] > before, 2, "the model server sees its asker go")
    assert impatient.edge.row("gone-1")["error"] == "client_gone"


def test_a_client_that_goes_away_before_the_first_byte_is_gone_as_well(impatient: Scene) -> None:
    before, asked = impatient.upstream.abandoned["hang"], impatient.upstream.attempts["hang"]
    connection = begun(impatient, "hang", "gone-2")
    until(lambda: impatient.upstream.attempts["hang"] > asked, 2, "the model server is asked")
    connection.close()
    until(lambda: impatient.upstream.abandoned["hang"] > before, 1, "the model server sees its asker go")
    row = impatient.edge.row("gone-2")
    assert (row["error"], row["output"]) == ("client_gone", None)


def test_a_body_that_never_arrives_is_408_and_gives_its_place_back(impatient: Scene) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", impatient.port, timeout=20)
    connection.putrequest("POST", "/v1/chat/completions")
    for name, value in {"authorization": f"Bearer {KEY}", "content-length": "100"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"{")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (408, "body_too_slow")
    connection.close()


def begun(scene: Scene, route: str, request_id: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=20)
    headers = {"authorization": f"Bearer {KEY}", "x-relcontrol-route": route, "x-request-id": request_id}
    connection.request("POST", "/v1/chat/completions", json.dumps({**chat_body(), "stream": True}), headers)
    return connection


def streamed(scene: Scene, route: str, request_id: str) -> bytes:
    connection = begun(scene, route, request_id)
    try:
        return connection.getresponse().read()
    finally:
        connection.close()
