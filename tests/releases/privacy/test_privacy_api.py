"""`/v1/subjects/erase`, `/v1/subjects/erasures` and `/v1/organization/redactions`."""

import json
from typing import Any

import pytest

from relcontrol.accounts.models import Organization
from relcontrol.api.models import IdempotencyRecord
from releases.trace_models import Erasure, Trace
from releases.traces.subjects import subject_digest
from tests import factories
from tests.releases.traces.samples import stored, trace_row

REASON = "She asked for it by letter."
MAIL = {"pattern": r"[\w.]+@[\w.]+", "with": "[mail]"}


@pytest.fixture
def owner(db: None) -> Organization:
    made = factories.organization()
    stored(made, trace_row(1), trace_row(2, subject="somebody else"))
    return made


def client(owner: Organization, *roles: str) -> factories.Api:
    return factories.api(factories.person_token(owner, factories.person(owner, *roles)))


@pytest.mark.parametrize("whom", [{"subject": "user-42"}, {"request_id": "req-1"}])
def test_a_subject_is_erased_by_her_name_or_by_a_request(owner: Organization, whom: dict[str, str]) -> None:
    answer = client(owner, "admin").post("subjects/erase", {**whom, "reason": REASON})
    assert answer.status_code == 200, answer.content
    row = Erasure.objects.get(organization=owner)
    told = answer.json()
    assert (told["erasure_id"], told["subject_digest"]) == (row.pk, bytes(row.subject).hex())
    assert (told["receipt"], told["reason"], told["gone"]["traces"]) == (row.receipt_hash, REASON, 1)
    assert dict(Trace.objects.filter(organization=owner).values_list("request_id", "body"))["req-1"] is None


def test_neither_the_answer_nor_what_is_stored_of_it_names_her(owner: Organization) -> None:
    admin = client(owner, "admin")
    order = {"subject": "user-42", "reason": REASON}
    first = admin.post("subjects/erase", order, Idempotency_Key="once")
    assert admin.post("subjects/erase", order, Idempotency_Key="once").json() == first.json()
    kept = json.dumps(list(IdempotencyRecord.objects.values("key", "request_sha256", "answer")))
    assert "user-42" not in first.content.decode() + kept


@pytest.mark.parametrize(
    "whom",
    [
        {},
        {"subject": "user-42", "request_id": "req-1"},
        {"request_id": "req-1", "subject_digest": "3f" * 16},
        {"subject": ""},
        {"subject": "a\nb"},
        {"subject": "x" * 2_001},
        {"subject_digest": "3F" * 16},
        {"subject_digest": "3f" * 15},
    ],
)
def test_whom_is_said_in_one_way(owner: Organization, whom: dict[str, str]) -> None:
    answer = client(owner, "admin").post("subjects/erase", {**whom, "reason": REASON})
    assert answer.status_code == 422, answer.content
    assert not Erasure.objects.exists()


def test_after_a_backup_was_restored_the_digests_of_receipts_erase_again(owner: Organization) -> None:
    admin = client(owner, "admin")
    digest = subject_digest(owner.pk, "user-42").hex()
    answer = admin.post("subjects/erase", {"subject_digest": digest, "reason": REASON})
    assert (answer.json()["subject_digest"], answer.json()["gone"]["traces"]) == (digest, 1)


@pytest.mark.parametrize("whom", [{"subject": "nobody"}, {"request_id": "req-none"}, {"subject_digest": "3f" * 16}])
def test_whoever_was_never_seen_is_not_found(owner: Organization, whom: dict[str, str]) -> None:
    answer = client(owner, "admin").post("subjects/erase", {**whom, "reason": REASON})
    assert answer.status_code == 404
    assert "known here" in answer.json()["detail"]


def test_the_request_of_another_organization_is_not_found(owner: Organization) -> None:
    other = factories.organization("eastgate")
    answer = client(other, "admin").post("subjects/erase", {"request_id": "req-1", "reason": REASON})
    assert answer.status_code == 404


@pytest.mark.parametrize("role", ["viewer", "release-manager", "domain-owner", "auditor"])
def test_nobody_but_administrators_erases_or_redacts(owner: Organization, role: str) -> None:
    somebody = client(owner, role)
    assert somebody.post("subjects/erase", {"subject": "user-42", "reason": REASON}).status_code == 403
    assert somebody.patch("organization/redactions", {"redactions": [MAIL]}).status_code == 403
    assert not Erasure.objects.exists()


def test_everybody_sees_what_was_erased_newest_first(owner: Organization) -> None:
    admin = client(owner, "admin")
    for subject in ("user-42", "somebody else"):
        admin.post("subjects/erase", {"subject": subject, "reason": REASON})
    rows = client(owner, "viewer").get("subjects/erasures", limit="1").json()
    assert [row["erasure_id"] for row in rows["results"]] == [Erasure.objects.latest("pk").pk]
    assert rows["next"]


def test_redactions_are_set_whole_and_told(owner: Organization) -> None:
    admin = client(owner, "admin")
    assert admin.get("organization/redactions").json() == {"redactions": []}
    assert admin.patch("organization/redactions", {"redactions": [MAIL]}).json() == {"redactions": [MAIL]}
    assert admin.get("organization/redactions").json() == {"redactions": [MAIL]}
    assert admin.patch("organization/redactions", {"redactions": []}).json() == {"redactions": []}


@pytest.mark.parametrize("redactions", [None, "x", [1], [{"pattern": "("}], [{"pattern": "a|b*", "with": ""}]])
def test_a_pattern_that_is_none_is_refused_by_its_place(owner: Organization, redactions: Any) -> None:
    answer = client(owner, "admin").patch("organization/redactions", {"redactions": redactions})
    assert answer.status_code == 422
    assert all(error["field"].startswith("redactions") for error in answer.json()["errors"])
    owner.refresh_from_db()
    assert owner.redactions == []
