"""POST /v1/slices/matches and GET /v1/slices/suggestions."""

from typing import Any

import pytest

from audit.models import Receipt
from gates.models import Slice
from relcontrol.accounts.models import Organization
from tests.factories import Api, api, application, organization, person, person_token, service_token
from tests.releases.suggestions.requests import asked, slices

pytestmark = pytest.mark.django_db
TAX = {"metadata": {"topic": "tax"}}


@pytest.fixture
def owner(db: None) -> Organization:
    return organization("northgate")


@pytest.fixture
def ci(owner: Organization) -> Api:
    """A pipeline: it may make slices, and not read what was asked."""
    return api(service_token(owner, "gates:write"))


def by(owner: Organization, role: str) -> Api:
    return api(person_token(owner, person(owner, role)))


def tried(client: Api, **body: Any) -> dict[str, Any]:
    answer = client.post("slices/matches", {"match": TAX, **body})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_rule_is_tried_with_counts_sentences_and_examples(owner: Organization) -> None:
    slices(owner, patents={"pattern": "patent"})
    asked(owner, "Tax on a patent?", metadata={"topic": "tax"})
    asked(owner, "Tax?", metadata={"topic": "tax"})
    found = tried(by(owner, "domain-owner"), slug="tax")
    assert (found["matched"], found["taken"], found["per_day"]) == (2, 1, 2.0)
    assert (found["asked_first"], found["moved_from"], found["parts"]) == ({"patents": 1}, {}, {})
    assert sum(found["days"].values()) == 2
    assert found["looked_at"]["requests"] == 2
    assert found["looked_at"]["whole_week"] is True
    assert "1 of 2 goes to Patents, which is asked first." in found["sentences"]
    assert [(row["input"], row["slice"], row["request_id"]) for row in found["examples"]] == [
        ("Tax?", "tax", "req-2"),
        ("Tax on a patent?", "patents", "req-1"),
    ]


def test_texts_are_for_those_who_may_read_what_was_asked(owner: Organization, ci: Api) -> None:
    for _ in range(5):
        asked(owner, "Secret?", metadata={"topic": "tax"})
    found = ci.post("slices/matches", {"match": TAX})
    assert (found.json()["matched"], found.json()["examples"]) == (5, None)
    suggested = ci.get("slices/suggestions")
    assert [row["examples"] for row in suggested.json()["results"]] == [None]
    assert b"Secret" not in found.content + suggested.content


def test_a_saved_slice_is_tried_with_a_new_rule_at_its_own_place(owner: Organization, ci: Api) -> None:
    slices(owner, french={"locale": "fr"}, tax=("french", {"metadata": {"topic": "vat"}}))
    asked(owner, metadata={"topic": "tax", "locale": "en"})
    assert tried(ci, slice="tax")["outside"] == {"french": 1}
    assert tried(ci, slice="tax", parent=None)["taken"] == 1


def test_suggestions_are_rules_that_a_slice_can_be_made_with(owner: Organization) -> None:
    for _ in range(5):
        asked(owner, "Tax?", metadata={"topic": "tax law"})
    client = by(owner, "domain-owner")
    found = client.get("slices/suggestions").json()
    assert (found["unassigned"], found["sentence"]) == (
        5,
        "5 requests of the last 7 days belong to no slice: about 5 a day.",
    )
    (row,) = found["results"]
    assert (row["name"], row["match"], row["requests"], row["subjects"]) == (
        "Tax law",
        {"metadata": {"topic": "tax law"}},
        5,
        5,
    )
    assert [example["input"] for example in row["examples"]] == ["Tax?"]
    assert client.post("slices", {"slug": "tax-law", "name": row["name"], "match": row["match"]}).status_code == 201
    assert client.get("slices/suggestions").json()["results"] == []


def test_another_organization_s_slice_is_not_there(owner: Organization, ci: Api) -> None:
    slices(organization("southgate"), theirs=TAX)
    assert ci.post("slices/matches", {"match": TAX, "slice": "theirs"}).status_code == 404
    assert ci.post("slices/matches", {"match": TAX, "parent": "theirs"}).status_code == 422


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_makes_no_slices_may_not_try_rules_on_what_others_wrote(owner: Organization, role: str) -> None:
    client = by(owner, role)
    assert client.post("slices/matches", {"match": TAX}).status_code == 403
    assert client.get("slices/suggestions").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "match"),
        ({"match": {}}, "match"),
        ({"match": {"pattern": "("}}, "match.pattern"),
        ({"match": TAX, "parent": "nowhere"}, "parent"),
        ({"match": TAX, "application": "nowhere"}, "application"),
        ({"match": TAX, "slug": "Not A Slug"}, "slug"),
        ({"match": TAX, "more": 1}, "more"),
    ],
)
def test_what_cannot_be_tried_names_its_field_and_changes_nothing(
    owner: Organization, ci: Api, body: dict[str, Any], field: str
) -> None:
    application(owner)
    before = Slice.objects.count(), Receipt.objects.count()
    answer = ci.post("slices/matches", body)
    assert answer.status_code == 422, answer.content
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert (Slice.objects.count(), Receipt.objects.count()) == before


def test_other_methods_are_not_known(ci: Api) -> None:
    assert ci.get("slices/matches").status_code == 405
    assert ci.post("slices/suggestions", {}).status_code == 405


def test_no_slice_can_be_called_like_these_addresses(ci: Api) -> None:
    for slug in ("matches", "suggestions"):
        assert ci.post("slices", {"slug": slug}).status_code == 422
