"""Pages of slices and suites: what they show, to whom, and the upload without scripts."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gates.models import Suite, SuiteImport
from gates.slices.services import change_slice, create_slice, slice_named
from gates.suites import carry_out, request_import
from tests.factories import organization, person
from tests.gates.scene import ANSWER, CASES, Scene, lines

BODY = lines([dict(CASES[0], answers=[dict(ANSWER)]), CASES[1]])
PAGES = ("slices/", "slices/ip-licensing/", "suites/", "suites/legal-v3/")


def signed_in(northgate: Scene, *roles: str) -> Client:
    client = Client()
    client.force_login(person(northgate.organization, *roles))
    return client


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def uploaded(client: Client, body: bytes = BODY, name: str = "legal-v3", **fields: str) -> Any:
    file = SimpleUploadedFile("cases.jsonl", body)
    return client.post("/o/northgate/suites/", {"file": file, "name": name, **fields})


@pytest.fixture
def owner(northgate: Scene) -> Client:
    return signed_in(northgate, "domain-owner")


def test_an_upload_leads_to_its_import_and_that_to_the_suite(northgate: Scene, owner: Client) -> None:
    answer = uploaded(owner, grade_scale="1,5")
    job = SuiteImport.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/o/northgate/suites/imports/{job.pk}/")
    page = owner.get(answer["Location"])
    assert "2 cases imported, with 1 graded answer." in text_of(page)
    assert "/o/northgate/suites/legal-v3/" in text_of(page)
    assert northgate.last_statement()["actor"]["auth"] == "session"


def test_a_suites_page_shows_facts_cases_and_slices(northgate: Scene, owner: Client) -> None:
    uploaded(owner, grade_scale="1,5")
    for address in ("legal-v3", Suite.objects.get().pk):
        page = text_of(owner.get(f"/o/northgate/suites/{address}/"))
        for shown in ("May affiliates use the licence?", "contract-drafting", "1 to 5", "6c93fdd27f6e"):
            assert shown in page


def test_every_wrong_row_stands_in_the_table_of_a_refused_import(northgate: Scene, owner: Client) -> None:
    answer = uploaded(owner, lines([{"case_id": "<script>alert(1)</script>", "slice": "nowhere", "input": 1}, {}]))
    page = owner.get(answer["Location"]).content.decode()
    for shown in ("Refused", "input: Must be a string.", "slice: Must be a string.", "Nothing was imported"):
        assert shown in page
    assert "<script>alert" not in page
    assert not Suite.objects.exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "a b"}, "Use 1 to 200 letters"),
        ({"grade_scale": "5"}, "lowest and the highest"),
        ({"name": ""}, "required"),
    ],
)
def test_a_form_that_breaks_a_rule_comes_back_with_the_reason(
    northgate: Scene, owner: Client, fields: dict[str, Any], says: str
) -> None:
    answer = uploaded(owner, **fields)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not SuiteImport.objects.exists()


def test_a_file_over_the_limit_is_refused_by_the_form(northgate: Scene, owner: Client, settings: Any) -> None:
    settings.UPLOAD_LIMIT = 1024
    assert "At most 1.0" in text_of(uploaded(owner, BODY * 20))


def test_a_waiting_import_asks_for_itself_and_a_finished_one_no_longer(northgate: Scene, owner: Client) -> None:
    job = request_import(actor=northgate.actor, name="later", body=BODY, file_format="jsonl")
    address = f"/o/northgate/suites/imports/{job.pk}/"
    page = owner.get(address)
    assert "0 of 2 lines" in text_of(page)
    assert "hx-get" in text_of(page)
    asked = f"{address}?seq={page.context['seq']}"
    assert owner.get(asked, headers={"HX-Request": "true"}).status_code == 204
    carry_out(job)
    fragment = owner.get(asked, headers={"HX-Request": "true"})
    assert "2 cases imported" in text_of(fragment)
    assert "hx-get" not in text_of(fragment)
    assert "<html" not in text_of(fragment)


def test_who_may_not_upload_reads_why_in_place_of_the_form(northgate: Scene) -> None:
    viewer = signed_in(northgate, "viewer")
    page = text_of(viewer.get("/o/northgate/suites/"))
    assert "To define slices and suites one must be" in page
    assert 'type="file"' not in page
    assert uploaded(viewer).status_code == 403
    assert not SuiteImport.objects.exists()


def test_first_use_shows_the_call_that_uploads_the_first_suite(northgate: Scene) -> None:
    page = text_of(signed_in(northgate, "viewer").get("/o/northgate/suites/"))
    assert "No suite yet" in page
    assert "/v1/suites?name=" in page


def test_an_empty_tree_shows_the_call_that_makes_the_first_slice(db: None) -> None:
    empty = organization("westgate")
    client = Client()
    client.force_login(person(empty, "viewer"))
    page = text_of(client.get("/o/westgate/slices/"))
    assert "No slice yet" in page
    assert "/v1/slices" in page


def test_the_tree_names_thresholds_and_parents(northgate: Scene, owner: Client) -> None:
    northgate.ci.post(
        "slices", {"slug": "fr-be", "name": "Belgian French", "parent": "ip-licensing", "threshold": 0.65}
    )
    page = text_of(owner.get("/o/northgate/slices/"))
    for shown in ("└ ", "Belgian French", "0.65", "below ip-licensing"):
        assert shown in page


def test_a_slices_page_shows_its_revisions(northgate: Scene, owner: Client) -> None:
    northgate.ci.patch("slices/ip-licensing", {"threshold": 0.7, "match": {"locale": "fr-BE"}})
    page = text_of(owner.get("/o/northgate/slices/ip-licensing/"))
    for shown in ("revision 2", "0.7", "fr-BE", "not set", "ci"):
        assert shown in page


@pytest.mark.parametrize("path", [*PAGES, "suites/imports/{job}/"])
def test_pages_are_not_found_by_outsiders_and_ask_strangers_to_sign_in(
    northgate: Scene, eastgate: Scene, owner: Client, path: str
) -> None:
    uploaded(owner)
    address = f"/o/northgate/{path.format(job=SuiteImport.objects.get().pk)}"
    assert owner.get(address).status_code == 200
    assert signed_in(eastgate, "admin").get(address).status_code == 404
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("path", ["slices/", "slices/ip-licensing/", "suites/legal-v3/"])
def test_pages_that_only_show_take_no_other_method(northgate: Scene, owner: Client, path: str) -> None:
    uploaded(owner)
    assert owner.post(f"/o/northgate/{path}").status_code == 405


def test_what_is_not_there_is_not_found(northgate: Scene, owner: Client) -> None:
    for path in ("slices/nowhere/", "suites/nowhere/", "suites/a%00b/", "suites/imports/imp_x/"):
        assert owner.get(f"/o/northgate/{path}").status_code == 404


@pytest.mark.parametrize("cursor", ["AA", "wyg", "A"])
def test_a_cursor_that_is_not_ours_is_refused_in_words(northgate: Scene, owner: Client, cursor: str) -> None:
    uploaded(owner)
    for path in ("suites/", "suites/legal-v3/"):
        assert owner.get(f"/o/northgate/{path}?cursor={cursor}").status_code == 400


def test_cases_are_paged_in_order(northgate: Scene, owner: Client) -> None:
    uploaded(owner, lines([{"case_id": f"c{row:03}", "slice": "ip-licensing", "input": "?"} for row in range(120)]))
    address, seen = "/o/northgate/suites/legal-v3/", []
    while address:
        page = owner.get(address)
        seen += [case.case_id for case in page.context["cases"]]
        following = page.context["next_cursor"]
        address = f"/o/northgate/suites/legal-v3/?cursor={following}" if following else ""
    assert seen == [f"c{row:03}" for row in range(120)]


def queries_of(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(f"/o/northgate/{path}").status_code == 200
    return len(counted)


def more_slices(northgate: Scene, first: int, last: int) -> None:
    for number in range(first, last):
        create_slice(actor=northgate.actor, slug=f"s{number}", parent="ip-licensing")


def more_revisions(northgate: Scene, first: int, last: int) -> None:
    target = slice_named(northgate.organization, "ip-licensing")
    for number in range(first, last):
        change_slice(actor=northgate.actor, target=target, n_min=100 + number)


def more_suites(northgate: Scene, first: int, last: int) -> None:
    for number in range(first, last):
        imported(northgate, f"v{number}", BODY)


def more_cases(northgate: Scene, first: int, last: int) -> None:
    more_slices(northgate, first, last)
    Suite.objects.filter(name="legal-v3").update(name=f"until-{first}")
    imported(
        northgate, "legal-v3", lines([{"case_id": f"c{row}", "slice": f"s{row}", "input": "?"} for row in range(last)])
    )


def imported(northgate: Scene, name: str, body: bytes) -> None:
    carry_out(request_import(actor=northgate.actor, name=name, body=body, file_format="jsonl"))


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("slices/", more_slices),
        ("slices/ip-licensing/", more_revisions),
        ("suites/", more_suites),
        ("suites/legal-v3/", more_cases),
    ],
)
def test_pages_take_the_same_queries_for_thirty_rows_as_for_three(
    northgate: Scene, owner: Client, path: str, more: Callable[[Scene, int, int], None]
) -> None:
    more(northgate, 0, 3)
    queries_of(owner, path)
    few = queries_of(owner, path)
    more(northgate, 3, 30)
    assert queries_of(owner, path) == few <= 9
