"""The protocol of live parts."""

import pytest
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.test import RequestFactory

from relcontrol.web.polling import polled


def ask(query: str, seq: int = 5) -> HttpResponse:
    return polled(RequestFactory().get(f"/part{query}"), seq, lambda: HttpResponse("fragment"))


@pytest.mark.parametrize("query", ["?seq=5", "?seq=6"])
def test_nothing_newer_is_204_without_a_body(query: str) -> None:
    answer = ask(query)
    assert answer.status_code == 204
    assert answer.content == b""


@pytest.mark.parametrize("query", ["", "?seq=4", "?seq=0"])
def test_something_newer_is_the_fragment(query: str) -> None:
    assert ask(query).content == b"fragment"


def test_a_fragment_is_not_made_when_nothing_is_newer() -> None:
    def refuse() -> HttpResponse:
        raise AssertionError("rendered")

    assert polled(RequestFactory().get("/part?seq=5"), 5, refuse).status_code == 204


def test_no_answer_is_kept_by_a_cache() -> None:
    assert {ask("").headers["Cache-Control"], ask("?seq=5").headers["Cache-Control"]} == {"no-store"}


@pytest.mark.parametrize("seq", ["-1", "x", "1.5", "\u0661", ""])
def test_a_number_that_is_none_is_a_bad_request(seq: str) -> None:
    with pytest.raises(BadRequest):
        ask(f"?seq={seq}")
