"""The page of traces: what a line says, how it is narrowed by its address, and what it says while there are none."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from releases.models import Release
from tests import factories
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.test_rollout_page import text_of
from tests.releases.pages_traces.requests import assign, many, told
from tests.releases.scene import Scene
from tests.releases.traces.samples import stored, trace_row

pytestmark = pytest.mark.django_db
URL = "/o/northgate/traces/"
SCRIPT = "<script>alert(1)</script>"
QUERIES = 16


def shown(client: Client, **query: str) -> list[int]:
    """Which requests a page has lines of."""
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return [number for number in range(20) if f"/traces/req-{number}/" in answer.text]


def test_before_the_first_request_the_page_says_how_to_point_an_application_here(viewer: Client) -> None:
    page = viewer.get(URL).text
    assert "No request yet" in page
    assert "client = OpenAI(base_url=" in page
    assert "chat/completions" in page
    assert 'href="/o/northgate/settings/applications/"' in page


def test_a_line_says_how_a_request_ended_what_answered_it_and_how_long_it_took(
    viewer: Client, northgate: Scene
) -> None:
    release = Release.objects.get(pk=northgate.registered()["release_id"])
    told(northgate, 1, release=release.manifest_sha256, error="stream_broken", latency_ms=1900)
    assign([f"{1:032x}"])
    text = text_of(viewer.get(URL))
    assert "Stream broke off domain legal r1" in text
    assert "Candidate ip-licensing 120 ms 1,900 ms 20 2" in text


def test_what_no_slice_took_and_what_is_not_registered_here_is_said_so(viewer: Client, northgate: Scene) -> None:
    told(northgate, 1, arm=None, ttft_ms=None, route="rte_elsewhere")
    text = text_of(viewer.get(URL))
    assert "Answered rte_elsewhere aaaaaaaaaaaa" in text
    assert "– unassigned –" in text


def test_the_filters_stand_in_the_address(viewer: Client, northgate: Scene) -> None:
    release = Release.objects.get(pk=northgate.registered()["release_id"])
    told(northgate, 1, release=release.manifest_sha256, arm="stable", ago=timedelta(minutes=50))
    told(northgate, 2, error="timeout", rollout="rol_2")
    assign([f"{1:032x}"])
    for query in (
        {"release": release.manifest_sha256[:12]},
        {"arm": "stable"},
        {"slice": "ip-licensing"},
        {"error": "-"},
        {"request_id": "req-1"},
    ):
        assert shown(viewer, **query) == [1], query
    route = northgate.application.routes.get().pk
    for query in ({"slice": "-"}, {"error": "timeout"}, {"rollout": "rol_2"}):
        assert shown(viewer, route=route, **query) == [2], query
    assert shown(viewer, to="2020-01-01 14:03") == []
    assert shown(viewer, **{"from": "2020-01-01T14:03:00Z"}) == [1, 2]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "noon"}, "Write a time of UTC such as 2026-11-20 14:03."),
        ({"release": "r12"}, "Name it by its id"),
        ({"arm": "left"}, "left is not one of the available choices"),
        ({"request_id": "x" * 301}, "at most 300 characters"),
    ],
)
def test_a_filter_that_cannot_be_read_is_marked_and_nothing_is_shown(
    viewer: Client, northgate: Scene, query: dict[str, str], said: str
) -> None:
    told(northgate, 1)
    answer = viewer.get(URL, query)
    assert answer.status_code == 422
    assert said in answer.text
    assert "/traces/req-1/" not in answer.text


def test_where_nothing_is_like_it_the_filters_can_be_cleared(viewer: Client, northgate: Scene) -> None:
    told(northgate, 1)
    text = text_of(viewer.get(URL, {"request_id": "req-2"}))
    assert "No request is like this" in text
    assert "Clear the filters" in text


def test_older_requests_are_on_the_next_page(viewer: Client, northgate: Scene) -> None:
    many(northgate, 55, unassigned=0)
    first = viewer.get(URL, {"slice": "ip-licensing"})
    assert first.text.count("/traces/req-") == 50
    link = first.text.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "slice=ip-licensing" in link
    second = viewer.get(URL + link).text
    assert second.count("/traces/req-") == 5
    assert "/traces/req-55/" not in second
    assert viewer.get(URL, {"cursor": "cmVsXzE"}).status_code == 400


def test_what_a_client_sends_is_shown_and_never_run(viewer: Client, northgate: Scene) -> None:
    told(northgate, 1, request_id=SCRIPT, model=SCRIPT, route=SCRIPT)
    page = viewer.get(URL).text
    assert SCRIPT not in page
    assert escape(SCRIPT) in page


def test_another_organizations_requests_are_not_there(northgate: Scene, viewer: Client) -> None:
    other = factories.organization("southgate")
    stored(other, trace_row(1))
    assert shown(viewer) == []
    assert visitor(other, "admin").get(URL).status_code == 404


@pytest.mark.parametrize("path", ["", "req-1/"])
def test_pages_of_traces_take_no_other_method(viewer: Client, northgate: Scene, path: str) -> None:
    told(northgate, 1)
    assert viewer.post(URL + path).status_code == 405


def test_the_page_costs_the_same_at_any_length(
    viewer: Client, northgate: Scene, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        told(northgate, number)
    with django_assert_max_num_queries(QUERIES) as few:
        viewer.get(URL)
    ceiling = len(few)
    many(northgate, 40, unassigned=20, first=3)
    with django_assert_max_num_queries(ceiling):
        viewer.get(URL)
