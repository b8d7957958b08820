"""The requirement map names what there is: events, fields of a receipt, pages; and says what they do not show."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.requirements import NOTE, Requirement, requirements
from audit.schema_json import receipt_schema
from relcontrol.accounts.models import Organization
from tests import factories

EACH = [pytest.param(one, id=one.id) for one in requirements()]
# Written before anything was rolled, rated or anchored here.
PRESENT = "member.changed"
ABSENT = "rollback.auto"


def field_at(schema: Any, path: str) -> list[Mapping[str, Any]]:
    """What the schema of a receipt has at this path; arrays and alternatives are stepped into."""
    found = [schema]
    for name in path.split("."):
        found = [inner["properties"][name] for one in found for inner in _inside(one) if name in inner["properties"]]
    return found


def _inside(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    below = [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else [])]
    return [schema] if "properties" in schema else [one for part in below for one in _inside(part)]


def test_every_frame_and_clause_that_was_asked_for_is_there() -> None:
    ids = [one.id for one in requirements()]
    assert len(set(ids)) == len(ids)
    frames = ("eu-ai-act-12", "eu-ai-act-19", "eu-ai-act-26", "gdpr-17", "nist-govern", "nist-map", "nist-measure")
    for begun in (*frames, "nist-manage", *(f"hipaa-164-312-{letter}" for letter in "abcde")):
        assert any(one.startswith(begun) for one in ids), begun


@pytest.mark.parametrize("one", EACH)
def test_every_field_that_is_named_is_one_of_a_receipt(one: Requirement) -> None:
    assert one.fields
    assert [path for path in one.fields if not field_at(receipt_schema(), path)] == []


def test_a_field_that_no_receipt_has_would_be_found() -> None:
    assert field_at(receipt_schema(), "predicate.decision.inputs.metric")
    assert field_at(receipt_schema(), "predicate.decision.inputs.salary") == []


@pytest.mark.parametrize("one", EACH)
def test_every_page_that_is_named_has_an_address(one: Requirement) -> None:
    assert [reverse(name, kwargs={"organization": "northgate"}) for _, name in one.pages]


@pytest.mark.parametrize("one", EACH)
def test_each_says_what_it_asks_shows_and_does_not_show_in_sentences(one: Requirement) -> None:
    assert one.events
    assert len(set(one.events)) == len(one.events)
    for said in (one.asks, one.shows, one.not_shown):
        assert re.fullmatch(r"[A-Z].{20,}[.]", said), said
        assert "  " not in said


@pytest.fixture
def organization(db: None) -> Organization:
    """With an auditor."""
    made = factories.organization()
    factories.person(made, "auditor", email="auditor@northgate.example")
    return made


def test_the_page_links_events_of_which_there_are_receipts(organization: Organization, client: Client) -> None:
    client.force_login(organization.memberships.get().person)
    text = client.get("/o/northgate/audit/requirements/").text
    assert NOTE.split(".")[0] in text
    assert f"/o/northgate/audit/?event={PRESENT}" in text
    assert f"?event={ABSENT}" not in text
    assert ABSENT in text
    assert all(one.clause in text for one in requirements())


def test_the_links_lead_to_those_receipts(organization: Organization, client: Client) -> None:
    client.force_login(organization.memberships.get().person)
    text = client.get(f"/o/northgate/audit/?event={PRESENT}").text
    assert "auditor@northgate.example" in text or "as auditor" in text


def test_the_api_says_the_same(organization: Organization) -> None:
    answer = factories.api(factories.service_token(organization, "audit:read")).get("requirements").json()
    assert answer["note"] == NOTE
    assert answer["requirements"] == [one.as_json() for one in requirements()]
    assert set(answer["requirements"][0]) == {
        *("id", "frame", "clause", "asks", "events", "fields", "pages", "shows", "does_not_show")
    }
