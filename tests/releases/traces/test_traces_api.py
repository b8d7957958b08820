"""`GET /v1/traces`: whose, which, in which order, and with what was said for those who may read it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from relcontrol.accounts.models import Organization
from relcontrol.api.pages import cursor_of
from relcontrol.clock import now
from releases.models import Release
from releases.trace_models import SubjectKey, Trace
from tests.factories import Api, api, organization, person, person_token, service_token
from tests.releases.scene import scene
from tests.releases.traces.samples import MESSAGES, stored, trace_row

QUERIES = 8


@pytest.fixture
def reader(owner: Organization) -> Api:
    """A token that may see the organization, and nothing said in it."""
    return api(service_token(owner, "releases:write"))


@pytest.fixture
def auditor(owner: Organization) -> Api:
    """A token that may read what was said as well."""
    return api(service_token(owner, "audit:read"))


def sent(owner: Organization, number: int, *, ago: timedelta = timedelta(minutes=1), **changes: Any) -> dict[str, Any]:
    """A trace that came in so long ago."""
    row = trace_row(number, **{"started_at": (now() - ago).isoformat(), **changes})
    assert stored(owner, row, now=now()).accepted == 1
    return row


def numbers(client: Api, **query: str) -> list[int]:
    """The traces of a page."""
    answer = client.get("traces", **query)
    assert answer.status_code == 200, answer.content
    return [int(row["trace_id"], 16) for row in answer.json()["results"]]


def test_a_trace_is_told_as_it_was_sent_without_what_was_said(reader: Api, owner: Organization) -> None:
    row = sent(owner, 1)
    (told,) = reader.get("traces").json()["results"]
    same = set(row) - {"started_at", "subject", "input", "output", "metadata"}
    assert {name: told[name] for name in same} == {name: row[name] for name in same}
    assert datetime.fromisoformat(told["started_at"]) == datetime.fromisoformat(row["started_at"])
    assert told["slice"] is None
    assert not {"input", "output", "metadata", "body", "subject"} & set(told)


def test_the_newest_stand_first(reader: Api, owner: Organization) -> None:
    for number, minutes in ((1, 5), (2, 1), (3, 9)):
        sent(owner, number, ago=timedelta(minutes=minutes))
    assert numbers(reader) == [2, 1, 3]


def test_nobody_sees_what_is_another_organizations(reader: Api, other: Organization) -> None:
    sent(other, 1)
    assert numbers(reader) == []
    assert numbers(reader, request_id="req-1") == []


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_traces_are_only_read_here(reader: Api, owner: Organization, method: str) -> None:
    assert getattr(reader.client, method)("/v1/traces", {}, content_type="application/json").status_code == 405
    assert not Trace.objects.filter(organization=owner).exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("release", "c" * 64),
        ("release", "C" * 64),
        ("route", "rte_2"),
        ("rollout", "rol_2"),
        ("arm", "stable"),
        ("error", "timeout"),
        ("request_id", "req-other"),
    ],
)
def test_traces_are_narrowed_to_what_they_name(reader: Api, owner: Organization, name: str, value: str) -> None:
    sent(owner, 1)
    changes: dict[str, Any] = {name: value.lower()}
    sent(owner, 2, **changes)
    assert numbers(reader, **{name: value}) == [2]


def test_an_empty_slice_or_error_asks_for_traces_without(reader: Api, owner: Organization) -> None:
    sent(owner, 1)
    sent(owner, 2, error="timeout")
    Trace.objects.filter(trace_id=f"{2:032x}").update(slice="ip-licensing")
    assert numbers(reader, slice="") == [1]
    assert numbers(reader, slice="ip-licensing") == [2]
    assert numbers(reader, error="") == [1]


def test_other_empty_filters_ask_for_everything(reader: Api, owner: Organization) -> None:
    sent(owner, 1)
    assert numbers(reader, **dict.fromkeys(("release", "route", "rollout", "arm", "request_id", "from", "to"), "")) == [
        1
    ]


def test_times_include_the_first_moment_and_not_the_last(reader: Api, owner: Organization) -> None:
    times = [sent(owner, number, ago=timedelta(minutes=9 - number))["started_at"] for number in range(3)]
    assert numbers(reader, **{"from": times[1]}) == [2, 1]
    assert numbers(reader, to=times[1]) == [0]


@pytest.mark.django_db
def test_a_release_is_asked_for_by_any_of_its_names() -> None:
    here = scene("northgate")
    release = Release.objects.get(pk=here.registered()["release_id"])
    sent(here.organization, 1, release=release.manifest_sha256)
    sent(here.organization, 2)
    for name in (release.pk, release.manifest_sha256, release.manifest_sha256[:12]):
        assert numbers(here.ci, release=name) == [1]


def test_a_release_that_is_not_here_is_a_404_that_says_how_to_name_one(reader: Api) -> None:
    answer = reader.get("traces", release="rel_none")
    assert answer.status_code == 404
    answer = reader.get("traces", release="r12")
    assert (answer.status_code, "first 12 digits" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"arm": "left"}, 422, "stable, candidate, shadow"),
        ({"error": "bad luck"}, 422, "upstream_5xx"),
        ({"limit": "0"}, 400, "from 1 to 200"),
        ({"limit": "51", "bodies": "true"}, 400, "at most 50"),
        ({"bodies": "yes"}, 400, "true or false"),
        ({"from": "noon"}, 400, "2026-11-20T14:03:00Z"),
        ({"cursor": cursor_of("rel_1")}, 400, "not one of a list of traces"),
        ({"cursor": cursor_of(f"2026-99-99T00:00:00+00:00 {1:032x}")}, 400, "not one of a list of traces"),
        ({"cursor": cursor_of(f"2026-11-21T00:00:00 {1:032x}")}, 400, "not one of a list of traces"),
    ],
)
def test_what_cannot_be_asked_says_what_can(auditor: Api, query: dict[str, str], status: int, said: str) -> None:
    answer = auditor.get("traces", **query)
    assert (answer.status_code, said in answer.content.decode()) == (status, True)


def test_every_trace_comes_once_although_others_come_in_between_the_pages(reader: Api, owner: Organization) -> None:
    same = (now() - timedelta(minutes=5)).isoformat()
    for number in range(1, 8):
        sent(owner, number, **({"started_at": same} if number > 2 else {"ago": timedelta(minutes=9 - number)}))
    page = reader.get("traces", limit="2").json()
    seen = [int(row["trace_id"], 16) for row in page["results"]]
    while page["next"]:
        sent(owner, 100 + len(seen), ago=timedelta(seconds=1))
        page = reader.get("traces", limit="2", cursor=page["next"]).json()
        seen += [int(row["trace_id"], 16) for row in page["results"]]
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_what_was_said_is_told_to_those_who_may_read_it(auditor: Api, owner: Organization) -> None:
    row = sent(owner, 1)
    (told,) = auditor.get("traces", bodies="true").json()["results"]
    assert told["body"] == "open"
    assert told["input"]["messages"] == MESSAGES
    assert (told["output"], told["metadata"]) == (row["output"], row["metadata"])


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("auditor", 200), ("domain-owner", 200)])
def test_whether_a_person_may_read_what_was_said_is_a_matter_of_her_role(
    owner: Organization, role: str, status: int
) -> None:
    client = api(person_token(owner, person(owner, role)))
    assert client.get("traces", bodies="true").status_code == status
    assert client.get("traces", bodies="false").status_code == 200


def test_a_token_without_the_scope_reads_nothing_that_was_said(reader: Api, owner: Organization) -> None:
    sent(owner, 1)
    answer = reader.get("traces", bodies="true")
    assert (answer.status_code, "Answer briefly." in answer.content.decode()) == (403, False)


def test_what_is_gone_or_damaged_is_said_beside_what_is_there(auditor: Api, owner: Organization) -> None:
    for number, subject in ((1, "anna"), (2, "bert"), (3, "carla")):
        sent(owner, number, ago=timedelta(minutes=9 - number), subject=subject)
    sent(owner, 4, input=None, output=None, metadata=None)
    first, second = (Trace.objects.get(trace_id=f"{number:032x}") for number in (1, 2))
    SubjectKey.objects.filter(organization=owner, subject=bytes(first.subject)).update(wrapped_key=None)
    *sealed, last = bytes(second.body or b"")
    damaged = bytes([*sealed, last ^ 1])
    Trace.objects.filter(trace_id=second.trace_id).update(body=damaged)
    told = auditor.get("traces", bodies="true").json()["results"]
    assert [row["body"] for row in told] == ["none", "open", "damaged", "erased"]
    assert [row["output"] for row in told if row["body"] != "open"] == [None, None, None]


@pytest.mark.parametrize("bodies", ["false", "true"])
def test_a_page_costs_the_same_at_any_length(auditor: Api, owner: Organization, bodies: str) -> None:
    asked: list[list[str]] = []
    for numbers_of_rows in (range(3), range(3, 30)):
        for number in numbers_of_rows:
            sent(owner, number, subject=f"subject-{number}")
        auditor.get("traces", bodies=bodies)
        with CaptureQueriesContext(connection) as captured:
            auditor.get("traces", bodies=bodies)
        asked.append([query["sql"] for query in captured])
    few, many = asked
    assert len(few) == len(many) <= QUERIES
    assert sum("releases_trace" in query for query in many) == 1


def test_a_list_leaves_the_bodies_in_the_database(reader: Api, owner: Organization) -> None:
    sent(owner, 1)
    with CaptureQueriesContext(connection) as captured:
        reader.get("traces")
    (asked,) = (query["sql"] for query in captured if "releases_trace" in query["sql"])
    assert '"body"' not in asked


def test_an_organization_without_traces_has_an_empty_list(db: None) -> None:
    answer = api(service_token(organization("southgate"), "audit:read")).get("traces", bodies="true")
    assert answer.json() == {"results": [], "next": None}
