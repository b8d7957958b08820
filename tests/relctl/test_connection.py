"""How relctl reaches the server: address, token, what is tried again, when it gives up."""

from pathlib import Path

import pytest

from relcontrol.relctl import BACKOFF_SECONDS
from tests.relctl.conftest import Relctl
from tests.relctl.stage import TOKEN, Reply, Stage, answer

STATUS = {"release_id": "rel_1", "standing": "none", "delivery": "registered", "deployable": False}
REGISTERED = {"release_id": "rel_1", "manifest_sha256": "3f" * 32}
BUSY = Reply(503)


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_the_address_may_end_as_people_write_it(stage: Stage, relctl: Relctl, suffix: str) -> None:
    stage.plays("GET /v1/releases/rel_1", answer(200, STATUS))
    assert relctl("status", "rel_1", "--url", stage.url + suffix).code == 0


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8000", "ftp://host", "file:///etc/passwd", "http://user:word@host", "http://[::1", "http://h/?q"],
)
def test_an_address_that_is_none_exits_2(relctl: Relctl, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("RELCONTROL_URL", url)
    ran = relctl("status", "rel_1")
    assert ran.code == 2
    assert "Set RELCONTROL_URL or --url" in ran.err
    assert "word" not in ran.err


def test_the_token_may_come_from_a_file(
    stage: Stage, relctl: Relctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RELCONTROL_TOKEN")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    relctl("status", "rel_1", "--token-file", tmp_path / "token")
    assert stage.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("token", ["", "  ", "two words", "rc_ä", f"{TOKEN}\nX-Evil: 1"])
def test_a_token_that_is_none_exits_2_and_is_not_shown(
    stage: Stage, relctl: Relctl, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("RELCONTROL_TOKEN", token)
    ran = relctl("status", "rel_1")
    assert (ran.code, stage.asked) == (2, [])
    assert "Set RELCONTROL_TOKEN" in ran.err
    assert "rc_" not in ran.err


@pytest.mark.parametrize("words", [["status", TOKEN], ["status", "rel_1", "--token", TOKEN], [f"--token={TOKEN}"]])
def test_a_token_on_the_command_line_is_refused_and_not_repeated(
    stage: Stage, relctl: Relctl, words: list[str]
) -> None:
    ran = relctl(*words)
    assert (ran.code, stage.asked) == (2, [])
    assert "withdraw it" in ran.err
    assert TOKEN not in ran.out + ran.err


def test_a_token_that_the_server_sends_back_is_masked(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_1", answer(200, STATUS | {"why_not": [f"Bad: {TOKEN}."]}))
    for words in (["status", "rel_1"], ["status", "rel_1", "--json"]):
        said = relctl(*words).out
        assert "Bad: rc_" in said
        assert TOKEN not in said


def test_plain_http_to_another_machine_is_warned_of(relctl: Relctl) -> None:
    ran = relctl("status", "rel_1", "--url", "http://relcontrol.invalid", "--timeout", "0")
    assert "Warning: the token goes to relcontrol.invalid unencrypted" in ran.err


def test_a_busy_server_is_asked_again_after_the_time_it_names(stage: Stage, relctl: Relctl) -> None:
    limited = Reply(429, headers={"Retry-After": "7"})
    stage.plays("GET /v1/releases/rel_1", limited, BUSY, answer(200, STATUS))
    ran = relctl("status", "rel_1")
    assert (ran.code, ran.pauses) == (0, [7.0, BACKOFF_SECONDS[1]])


def test_a_command_is_repeated_under_the_same_key_and_body(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/releases", Reply(cut=True), BUSY, answer(201, REGISTERED))
    assert relctl("register", "--model", "m").code == 0
    assert len(stage.asked) == 3
    assert len({(asked.headers["Idempotency-Key"], asked.body) for asked in stage.asked}) == 1


def test_a_server_that_stays_busy_is_given_up(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_1", BUSY)
    ran = relctl("status", "rel_1")
    assert (ran.code, ran.pauses, len(stage.asked)) == (1, list(BACKOFF_SECONDS), 5)
    assert "HTTP 503" in ran.err


def test_a_wait_beyond_the_time_limit_is_not_begun(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_1", Reply(429, headers={"Retry-After": "3600"}))
    ran = relctl("status", "rel_1", "--timeout", "60")
    assert (ran.code, ran.pauses) == (1, [])
    assert "Gave up after 60 s; --timeout SECONDS waits longer." in ran.err


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_an_answer_that_would_be_the_same_again_is_taken_at_once(stage: Stage, relctl: Relctl, status: int) -> None:
    stage.plays("POST /v1/releases", Reply(status))
    ran = relctl("register", "--model", "m")
    assert (ran.code, len(stage.asked)) == (1, 1)
    assert f"HTTP {status}" in ran.err


def test_nobody_at_the_address_is_said_so(stage: Stage, relctl: Relctl) -> None:
    stage.close()
    ran = relctl("status", "rel_1")
    assert (ran.code, ran.pauses) == (1, list(BACKOFF_SECONDS))
    assert "No answer" in ran.err
    assert "refused" in ran.err


def test_a_server_that_hangs_is_given_up_in_time(stage: Stage, relctl: Relctl) -> None:
    stage.plays("GET /v1/releases/rel_1", Reply(hung=True))
    ran = relctl("status", "rel_1", "--timeout", "0.1")
    assert ran.code == 1
    assert "timed out" in ran.err
    assert "Gave up after 0.1 s" in ran.err


def test_a_redirect_is_not_followed_and_takes_no_token_along(stage: Stage, relctl: Relctl) -> None:
    place = f"{stage.url}/elsewhere"
    stage.plays("GET /v1/releases/rel_1", Reply(302, headers={"Location": place}))
    ran = relctl("status", "rel_1")
    assert (ran.code, len(stage.asked)) == (1, 1)
    assert place in ran.err


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"[]", b"{}", b"\xff", b""])
def test_a_page_that_is_not_relcontrols_is_recognised(stage: Stage, relctl: Relctl, body: bytes) -> None:
    stage.plays("GET /v1/releases/rel_1", Reply(200, body))
    ran = relctl("status", "rel_1")
    assert ran.code == 1
    assert "Is this the address of relcontrol?" in ran.err


def test_a_key_that_no_header_can_hold_is_quoted(stage: Stage, relctl: Relctl) -> None:
    stage.plays("POST /v1/releases", answer(201, REGISTERED))
    assert relctl("register", "--model", "m", "--idempotency-key", "é\nX: 1").code == 0
    assert stage.asked[0].headers["Idempotency-Key"] == "%C3%A9%0AX%3A%201"
