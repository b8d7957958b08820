"""Lists page by page: every row once while others are added, always in the same order; cursors and limits checked."""

import json
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gates.slices.services import create_slice
from tests.api.addresses import Address, calls
from tests.api.world import World

FIRST, ADDED = 7, 3
NONE_OF_OURS = (
    *("limit=0", "limit=201", "limit=-1", "limit=x", "limit=1.5", "limit=", "limit=000200999"),
    *("cursor=***", "cursor=AAA", "cursor=%C3%A9", "cursor=%FF", "cursor=gICA"),
)
NAMES = (
    "applications",
    "routes",
    "endpoints",
    "receipts",
    "exports",
    "slices",
    "suites",
    "artifacts",
    "releases",
)


def _is_list(address: Address) -> bool:
    return address.name in {f"api-{name}" for name in NAMES}


LISTS = [pytest.param(address, id=str(address)) for address in calls() if _is_list(address)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, FIRST + 2), when=st.lists(st.booleans(), min_size=FIRST + 2, max_size=FIRST + 2))
def test_every_row_comes_once_although_rows_are_added_between_the_pages(
    northgate: World, limit: int, when: list[bool]
) -> None:
    with transaction.atomic():
        here = northgate.scene.actor
        for number in range(FIRST):
            create_slice(actor=here, slug=f"old-{number}")
        seen: list[str] = []
        cursor: str | None = ""
        for number, add in enumerate(when):
            page = northgate.everything.get("slices", limit=str(limit), **({"cursor": cursor} if cursor else {})).json()
            seen += [row["slug"] for row in page["results"]]
            cursor = page["next"]
            if cursor is None:
                break
            if add:
                create_slice(actor=here, slug=f"new-{number}")
        seen += [] if cursor is None else _rest(northgate, cursor)
        old = [slug for slug in seen if slug.startswith("old-")]
        assert old == [f"old-{number}" for number in reversed(range(FIRST))]
        assert len(seen) == len(set(seen))
        assert not any(slug.startswith("new-") for slug in seen)
        transaction.set_rollback(True)


def _rest(here: World, cursor: str) -> list[str]:
    return [row["slug"] for row in here.everything.get("slices", cursor=cursor).json()["results"]]


@pytest.mark.parametrize("address", LISTS)
def test_page_by_page_gives_the_same_rows_as_one_page(northgate: World, address: Address) -> None:
    path, client = northgate.path(address).removeprefix("/v1/"), northgate.everything
    whole, seen = client.get(path, limit="200").json(), list[Any]()
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(path, limit="1", **({"cursor": cursor} if cursor else {})).json()
        assert len(page["results"]) == 1
        seen += page["results"]
        cursor = page["next"]
    assert (seen, whole["next"]) == (whole["results"], None)


@pytest.mark.parametrize("address", LISTS)
def test_a_limit_or_a_cursor_that_is_none_of_ours_is_a_400(northgate: World, address: Address) -> None:
    taken = {}
    for query in NONE_OF_OURS:
        answer = northgate.everything.client.get(f"{northgate.path(address)}?{query}")
        if (answer.status_code, answer.json().get("code")) != (400, "malformed"):
            taken[query] = (answer.status_code, answer.content[:120])
    assert taken == {}


def test_a_list_of_slices_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    assert _growth(northgate, "slices", "slices", lambda number: {"slug": f"s-{number}", "parent": "ip-licensing"}) == 0


def test_a_list_of_applications_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    assert _growth(northgate, "applications", "applications", lambda number: {"slug": f"a-{number}"}) == 0


def test_a_list_of_routes_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    def route(number: int) -> dict[str, object]:
        return {"application": "legal-assistant", "routing": {"domain": f"d-{number}"}}

    assert _growth(northgate, "routes", "routes", route) == 0


def test_a_list_of_endpoints_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    def endpoint(number: int) -> dict[str, object]:
        return {"name": f"e-{number}", "base_url": f"http://127.0.0.1:{number + 9000}"}

    assert _growth(northgate, "endpoints", "endpoints", endpoint) == 0


def test_a_list_of_exports_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    assert _growth(northgate, "exports", "exports", lambda number: {"scope": {"organization": True}}) == 0


def test_a_list_of_receipts_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    assert _growth(northgate, "receipts", "applications", lambda number: {"slug": f"r-{number}"}) == 0


def test_a_list_of_suites_costs_as_many_queries_at_9_rows_as_at_3(northgate: World) -> None:
    def upload(first: int, last: int) -> None:
        for number in range(first, last):
            row = json.dumps({"case_id": "c", "slice": "ip-licensing", "input": str(number)})
            client = northgate.everything.client
            assert client.post(f"/v1/suites?name=s-{number}", row, "application/x-ndjson").status_code == 201

    upload(0, 3)
    few = _queries(northgate, "suites")
    upload(3, 9)
    assert _queries(northgate, "suites") == few


def _growth(here: World, listed: str, made_by: str, body: object) -> int:
    assert callable(body)
    counts = []
    for first, last in ((0, 3), (3, 9)):
        for number in range(first, last):
            assert here.everything.post(made_by, body(number)).status_code in {201, 202}
        counts.append(_queries(here, listed))
    return counts[1] - counts[0]


def _queries(here: World, path: str) -> int:
    here.everything.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert here.everything.get(path).status_code == 200
    return len(captured)
