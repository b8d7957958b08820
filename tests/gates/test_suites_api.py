"""Suites over REST: whole or not at all, with every wrong row, and the same again for the same file."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gates import suites
from gates.models import GradedAnswer, Rating, Suite, SuiteCase, SuiteImport
from gates.suites import suite_named
from relcontrol.errors import NotFound
from tests.gates.pure.shared_files import SHARED
from tests.gates.scene import ANSWER, CASES, Scene, lines, post_suite

BODY = lines(CASES)
GOLDEN = "sha256:6c93fdd27f6e429ffdcb32188b919fee755325b010f6ef952eb7f9981534fa24"
GRADED = lines([dict(CASES[0], answers=[dict(ANSWER)]), CASES[1]])


def test_an_uploaded_suite_has_the_digest_of_the_contract(northgate: Scene) -> None:
    answer = northgate.upload(BODY, name="scored-qa-legal-v3")
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made["sha256"] == GOLDEN
    assert made["dataset_version"] == made["name"] == "scored-qa-legal-v3"
    assert (made["cases"], made["graded_answers"]) == (2, 0)
    assert made["slices"] == {"contract-drafting": 1, "ip-licensing": 1}


def test_the_digest_is_the_one_of_the_shared_vectors(northgate: Scene) -> None:
    file = SHARED / "vectors" / "digests.json"
    if not file.exists():
        pytest.skip(f"{file} is not here; set RELCONTROL_SHARED")
    vector = json.loads(file.read_text())["suite"]
    rows = [{name: value for name, value in case.items() if value is not None} for case in vector["value"]["cases"]]
    assert northgate.upload(lines(rows), name="v").json()["sha256"] == vector["digest"]


def test_graded_answers_are_kept_with_every_rating(northgate: Scene) -> None:
    made = northgate.upload(GRADED, name="graded", grade_scale="1,5").json()
    assert (made["graded_answers"], made["grade_scale"], made["sha256"]) == (1, [1.0, 5.0], GOLDEN)
    answer = GradedAnswer.objects.get(case__suite_id=made["suite_id"])
    assert (answer.case.case_id, answer.answer_id, answer.output, answer.system) == ("c1", "a1", "Yes.", "r127")
    ratings = Rating.objects.filter(answer=answer).order_by("rater").values_list("rater", "grade")
    assert list(ratings) == [("unnamed-1", 4.0), ("unnamed-2", 4.0), ("unnamed-3", 5.0)]


def test_an_import_leaves_a_receipt_that_names_who_asked_for_it(northgate: Scene) -> None:
    owner = northgate.person("domain-owner")
    northgate.upload(GRADED, client=owner, name="graded")
    predicate = northgate.last_statement()
    assert (predicate["event"], predicate["actor"]["kind"]) == ("suite.imported", "person")
    assert predicate["actor"]["auth"] == "token"
    assert predicate["actor"]["id"] == owner.get("me").json()["id"]


def test_the_same_file_again_is_the_same_suite_and_no_new_receipt(northgate: Scene) -> None:
    first = northgate.upload(GRADED, name="graded")
    receipts = len(northgate.receipts())
    again = northgate.upload(GRADED, name="graded")
    assert (again.status_code, again.json()) == (200, first.json())
    assert len(northgate.receipts()) == receipts
    assert SuiteCase.objects.count() == 2


@pytest.mark.parametrize(("body", "code"), [(lines(CASES[:1]), "suite_differs"), (GRADED, "suite_grades_differ")])
def test_other_content_under_a_taken_name_is_a_conflict_that_says_what_to_do(
    northgate: Scene, body: bytes, code: str
) -> None:
    northgate.upload(BODY, name="taken")
    answer = northgate.upload(body, name="taken")
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert "new name" in answer.json()["detail"]
    assert answer.json()["state"]["sha256"] == GOLDEN
    assert SuiteCase.objects.count() == 2


def test_ten_thousand_rows_with_an_error_in_the_last_are_refused_whole(northgate: Scene) -> None:
    rows: list[Any] = [{"case_id": f"c{row}", "slice": "ip-licensing", "input": "Why?"} for row in range(9_999)]
    receipts = len(northgate.receipts())
    answer = northgate.upload(lines([*rows, {"case_id": "last", "slice": "ip-licensing"}]), name="large")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "row 10000", "message": "input: Must be a string."}]
    assert (Suite.objects.count(), SuiteCase.objects.count(), len(northgate.receipts())) == (0, 0, receipts)


def test_unknown_slices_are_listed_and_nothing_is_imported(northgate: Scene) -> None:
    answer = northgate.upload(lines([dict(CASES[0], slice="nowhere")]), name="s")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_slices")
    assert "nowhere" in answer.json()["detail"]
    assert not Suite.objects.exists()


def test_slices_of_another_organization_are_unknown(northgate: Scene, eastgate: Scene) -> None:
    eastgate.ci.post("slices", {"slug": "theirs"})
    assert northgate.upload(lines([dict(CASES[0], slice="theirs")]), name="s").status_code == 422


@pytest.mark.parametrize("name", ["", "a b", "../up", "sui_01", "a" * 64, "sha256:" + "a" * 64, "<script>", "x" * 201])
def test_a_name_that_cannot_stand_in_a_manifest_is_refused(northgate: Scene, name: str) -> None:
    answer = northgate.upload(BODY, name=name)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]
    assert not SuiteImport.objects.exists()


@pytest.mark.parametrize(("query", "field"), [({"format": "xlsx"}, "format"), ({"grade_scale": "5"}, "grade_scale")])
def test_a_query_that_breaks_a_rule_is_named(northgate: Scene, query: dict[str, Any], field: str) -> None:
    answer = northgate.upload(BODY, name="s", **query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("body", [b"", b" \n\n", b"\x00\x01\xff", b"[]", b'{"case_id": NaN}'])
def test_a_body_that_is_no_suite_is_refused_and_leaves_none(northgate: Scene, body: bytes) -> None:
    for file_format in ("jsonl", "csv", "yaml"):
        assert northgate.upload(body, name="s", format=file_format).status_code == 422
    assert not Suite.objects.exists()


def test_what_curl_sends_without_a_content_type_is_read_as_json_lines(northgate: Scene) -> None:
    answer = post_suite(northgate.ci, BODY, "application/x-www-form-urlencoded", name="curl")
    assert (answer.status_code, answer.json()["sha256"]) == (201, GOLDEN)


def test_a_file_in_a_form_is_read_by_its_name(northgate: Scene) -> None:
    body = "case_id,slice,input,reference,cluster_id\n" + "\n".join(
        ",".join([case["case_id"], case["slice"], case["input"], case.get("reference", ""), case.get("cluster_id", "")])
        for case in CASES
    )
    file = SimpleUploadedFile("cases.csv", body.encode())
    answer = northgate.ci.client.post("/v1/suites?name=form", {"file": file})
    assert (answer.status_code, answer.json()["sha256"]) == (201, GOLDEN)


def test_a_form_without_a_file_or_without_its_end_is_refused(northgate: Scene) -> None:
    assert northgate.ci.client.post("/v1/suites?name=form", {"other": "x"}).status_code == 422
    broken = "multipart/form-data; boundary="
    assert northgate.ci.client.post("/v1/suites?name=form", b"x", content_type=broken).status_code in {400, 422}


def test_a_body_over_the_upload_limit_is_refused_before_it_is_read(northgate: Scene) -> None:
    answer = northgate.ci.client.post(
        "/v1/suites?name=s", b"{}", content_type="application/x-ndjson", headers={"Content-Length": str(10**9)}
    )
    assert answer.status_code == 413


def test_the_same_key_gives_the_same_suite_and_another_body_is_refused(northgate: Scene) -> None:
    def send(body: bytes) -> Any:
        return northgate.ci.client.post(
            "/v1/suites?name=s", body, content_type="text/plain", headers={"Idempotency-Key": "k1"}
        )

    first = send(BODY)
    again = send(BODY)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert SuiteImport.objects.count() == 1
    assert send(GRADED).status_code == 422


def test_a_refused_file_can_be_sent_again_under_its_key_once_its_slice_is_there(northgate: Scene) -> None:
    body = lines([dict(CASES[0], slice="later")])

    def send() -> Any:
        return northgate.ci.client.post(
            "/v1/suites?name=s", body, content_type="text/plain", headers={"Idempotency-Key": "k1"}
        )

    assert send().status_code == 422
    northgate.ci.post("slices", {"slug": "later"})
    assert send().status_code == 201


def test_a_large_file_is_left_to_a_worker(northgate: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[tuple[str, str]] = []
    monkeypatch.setattr(suites, "INLINE_BYTES", 10)
    monkeypatch.setattr(suites, "wake", lambda kind, key: woken.append((kind, key)))
    answer = northgate.upload(BODY, name="large")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.json()["progress"] == {"done": 0, "of": 2}
    assert woken == [("suite-import", answer.json()["import_id"])]


def test_an_import_tells_how_it_ended(northgate: Scene) -> None:
    northgate.upload(BODY, name="good")
    northgate.upload(b"{}", name="bad")
    good, bad = SuiteImport.objects.order_by("pk").values_list("pk", flat=True)
    told = northgate.reader.get(f"suite-imports/{good}").json()
    assert (told["state"], told["progress"], told["sha256"]) == ("done", {"done": 2, "of": 2}, GOLDEN)
    told = northgate.reader.get(f"suite-imports/{bad}").json()
    assert (told["state"], told["suite_id"]) == ("error", None)
    assert {error["field"] for error in told["problem"]["errors"]} == {"row 1"}


def test_the_file_is_deleted_when_its_import_is_over(northgate: Scene) -> None:
    northgate.upload(BODY, name="good")
    northgate.upload(b"{}", name="bad")
    assert list(SuiteImport.objects.values_list("body", flat=True)) == [None, None]


def test_a_suite_is_found_by_name_id_and_digest(northgate: Scene) -> None:
    made = northgate.upload(BODY, name="scored-qa-legal-v3").json()
    for text in ("scored-qa-legal-v3", made["suite_id"], GOLDEN, GOLDEN.removeprefix("sha256:")):
        assert suite_named(northgate.organization, text).pk == made["suite_id"]
        assert northgate.reader.get(f"suites/{text}").json() == made
    for text in ("sha256:", "nothing", "a\x00b", "sui_\x00", ""):
        with pytest.raises(NotFound):
            suite_named(northgate.organization, text)


def test_another_organizations_suites_and_imports_are_not_found(northgate: Scene, eastgate: Scene) -> None:
    theirs = eastgate.upload(BODY, name="theirs").json()["suite_id"]
    job = SuiteImport.objects.get().pk
    for path in (f"suites/{theirs}", "suites/theirs", f"suites/{GOLDEN}", f"suite-imports/{job}"):
        assert northgate.ci.get(path).status_code == 404
    assert northgate.ci.get("suites").json()["results"] == []


def test_viewers_and_tokens_without_the_scope_may_only_read(northgate: Scene) -> None:
    northgate.upload(BODY, name="s")
    viewer = northgate.person("viewer")
    for client in (viewer, northgate.reader):
        assert client.get("suites").status_code == client.get("suites/s").status_code == 200
        assert northgate.upload(GRADED, client=client, name="t").status_code == 403
    assert Suite.objects.count() == SuiteImport.objects.count() == 1


def test_other_methods_are_not_allowed(northgate: Scene) -> None:
    assert northgate.ci.patch("suites", {}).status_code == 405
    assert northgate.ci.post("suites/s", {}).status_code == 405
    assert northgate.ci.post("suite-imports/x", {}).status_code == 405


def queries_of_list(northgate: Scene) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert northgate.reader.get("suites").status_code == 200
    return len(counted)


def test_the_list_takes_the_same_queries_for_thirty_suites_as_for_three(northgate: Scene) -> None:
    for number in range(3):
        northgate.upload(BODY, name=f"s{number}")
    northgate.reader.get("suites")
    few = queries_of_list(northgate)
    for number in range(3, 30):
        northgate.upload(BODY, name=f"s{number}")
    assert queries_of_list(northgate) == few <= 4
