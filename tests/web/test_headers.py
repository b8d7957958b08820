"""What every answer carries."""

import logging

import pytest
from django.test import Client

from relcontrol.web.request_id import ABSENT, RequestIdFilter, accepted_or_new, begin, current_request_id, end

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.kitchen_sink")]
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


@pytest.mark.parametrize("path", ["/sign-in", "/nowhere", "/forbidden", "/robots.txt"])
def test_every_answer_has_exactly_the_strict_policy(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]


def test_a_sane_request_id_is_echoed(client: Client) -> None:
    assert client.get("/robots.txt", headers={"X-Request-Id": "ci.run-7_a"}).headers["X-Request-Id"] == "ci.run-7_a"


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ümlaut", "a\nb", "<script>", None])
def test_any_other_request_id_is_replaced(given: str | None) -> None:
    made = accepted_or_new(given)
    assert made != given
    assert len(made) == 24


def test_an_error_page_names_the_request_id(client: Client) -> None:
    answer = client.get("/nowhere", headers={"X-Request-Id": "find-me"})
    assert "find-me" in answer.text


def test_a_log_record_has_the_id_of_its_request() -> None:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "said", None, None)
    token = begin("req-1")
    try:
        assert RequestIdFilter().filter(record)
    finally:
        end(token)
    assert record.__dict__["request_id"] == "req-1"
    assert current_request_id() == ABSENT
