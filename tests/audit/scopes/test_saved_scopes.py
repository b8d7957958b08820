"""Saved scopes: kept under a name, exported again, deleted; by pages and by the API, without a receipt of their own."""

from typing import Any

import pytest
from django.test import Client

from audit.evidence_models import SavedScope
from audit.models import Export, Receipt
from audit.scopes.saved import MOST, delete_scope, export_again, save_scope
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from relcontrol.errors import Conflict, Forbidden, Invalid
from tests import factories

PAGE = "/o/northgate/audit/scopes/"
ONE = {"application": "legal-assistant"}
FORM = {"name": "Quarterly", "scope": "application", "application": "legal-assistant", "opens": "impersonal"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def organization() -> Organization:
    """With an application and an auditor."""
    made = factories.organization()
    factories.application(made)
    return made


@pytest.fixture
def auditor(organization: Organization) -> Actor:
    """Who audits it."""
    return factories.person_actor(organization, "auditor")


@pytest.fixture
def browser(auditor: Actor) -> Client:
    """Her browser."""
    client = Client()
    assert auditor.person is not None
    client.force_login(auditor.person)
    return client


def test_an_auditor_exports_again_what_she_saved(auditor: Actor) -> None:
    row = save_scope(actor=auditor, name=" Quarterly ", scope=ONE, opens="impersonal")
    export = export_again(actor=auditor, row=row)
    assert (row.name, row.created_by) == ("Quarterly", auditor.id)
    assert export.scope == row.scope == {"application": "legal-assistant", "from": None, "to": None}
    assert (export.opens, export.requested_by) == ("impersonal", auditor.id)


def test_an_open_end_grows_with_the_chain(auditor: Actor, organization: Organization) -> None:
    row = save_scope(actor=auditor, name="All", scope={"organization": True})
    before = export_again(actor=auditor, row=row).receipts
    factories.application(organization, "another")
    assert export_again(actor=auditor, row=row).receipts == before + 2


def test_a_time_range_is_kept(auditor: Actor) -> None:
    earlier, later = Receipt.objects.earliest("seq").issued_at, Receipt.objects.latest("seq").issued_at
    row = save_scope(actor=auditor, name="Range", scope={"organization": True}, start=earlier, end=later)
    export = export_again(actor=auditor, row=row)
    assert (export.scope["from"], export.scope["to"]) == (row.scope["from"], row.scope["to"])
    assert 0 < export.receipts < Receipt.objects.count()
    with pytest.raises(Invalid, match="must end after it starts"):
        save_scope(actor=auditor, name="Backwards", scope={"organization": True}, start=later, end=earlier)


def test_neither_saving_nor_deleting_leaves_a_receipt(auditor: Actor) -> None:
    before = Receipt.objects.count()
    delete_scope(actor=auditor, row=save_scope(actor=auditor, name="All", scope={"organization": True}))
    assert Receipt.objects.count() == before
    assert SavedScope.objects.count() == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": ""}, "1 to"),
        ({"name": "x" * 101}, "1 to 100"),
        ({"scope": {}}, "Give one scope"),
        ({"scope": {"release": "rel_nowhere"}}, "There is no release"),
        ({"opens": "some"}, "Use one of all, impersonal, nothing"),
    ],
)
def test_what_cannot_be_exported_is_not_saved(auditor: Actor, given: dict[str, Any], said: str) -> None:
    asked: dict[str, Any] = {"actor": auditor, "name": "All", "scope": {"organization": True}}
    with pytest.raises(Invalid, match=said):
        save_scope(**asked | given)
    assert SavedScope.objects.count() == 0


def test_a_name_is_taken_once_in_each_organization(auditor: Actor) -> None:
    save_scope(actor=auditor, name="All", scope={"organization": True})
    with pytest.raises(Conflict, match="There is a saved scope All already"):
        save_scope(actor=auditor, name="All", scope=ONE)
    other = command_actor(factories.organization("southfield"))
    assert save_scope(actor=other, name="All", scope={"organization": True}).pk


def test_there_is_a_most(auditor: Actor, organization: Organization) -> None:
    first = save_scope(actor=auditor, name="0", scope={"organization": True})
    rows = [
        SavedScope(organization=organization, name=str(n), scope=first.scope, opens="all", created_at=first.created_at)
        for n in range(1, MOST)
    ]
    SavedScope.objects.bulk_create(rows)
    with pytest.raises(Conflict, match=f"There are {MOST} saved scopes"):
        save_scope(actor=auditor, name="one more", scope={"organization": True})


def test_a_viewer_saves_none(organization: Organization) -> None:
    with pytest.raises(Forbidden, match="save scopes of exports"):
        save_scope(actor=factories.person_actor(organization, "viewer"), name="All", scope={"organization": True})


def test_the_page_saves_exports_and_deletes(browser: Client) -> None:
    assert browser.post(PAGE, FORM).headers["Location"] == PAGE
    row = SavedScope.objects.get()
    text = browser.get(PAGE).text
    assert "The application legal-assistant; its reader opens all but what is personal" in text
    again = browser.post(f"{PAGE}{row.pk}/export")
    export = Export.objects.get()
    assert again.headers["Location"] == f"/o/northgate/audit/exports/{export.pk}/"
    assert browser.post(f"{PAGE}{row.pk}/delete").headers["Location"] == PAGE
    assert SavedScope.objects.count() == 0
    assert "No saved scope yet" in browser.get(PAGE).text


def test_looking_at_an_act_does_nothing(browser: Client) -> None:
    browser.post(PAGE, FORM)
    row = SavedScope.objects.get()
    for act in ("export", "delete"):
        assert browser.get(f"{PAGE}{row.pk}/{act}").headers["Location"] == PAGE
    assert (SavedScope.objects.count(), Export.objects.count()) == (1, 0)


def test_the_form_says_what_is_wrong(browser: Client) -> None:
    browser.post(PAGE, FORM)
    for sent, said in (
        ({**FORM, "scope": "release"}, "Name the release"),
        (FORM, "There is a saved scope Quarterly already"),
        ({**FORM, "name": ""}, "This field is required"),
    ):
        answer = browser.post(PAGE, sent)
        assert (answer.status_code, said in answer.text) == (422, True)


def test_what_a_scope_names_may_be_gone_when_it_is_exported(browser: Client) -> None:
    browser.post(PAGE, FORM)
    row = SavedScope.objects.get()
    row.scope = {"application": "renamed", "from": None, "to": None}
    row.save(update_fields=["scope"])
    assert "There is no export of Quarterly" in browser.post(f"{PAGE}{row.pk}/export", follow=True).text
    assert Export.objects.count() == 0


def test_another_organizations_scopes_are_not_there(browser: Client) -> None:
    other = command_actor(factories.organization("southfield"))
    row = save_scope(actor=other, name="Theirs", scope={"organization": True})
    assert "Theirs" not in browser.get(PAGE).text
    assert [browser.post(f"{PAGE}{row.pk}/{act}").status_code for act in ("export", "delete")] == [404, 404]


def test_the_api_lists_saves_and_deletes(organization: Organization, auditor: Actor) -> None:
    assert auditor.person is not None
    mine = factories.api(factories.person_token(organization, auditor.person))
    body = {"name": "Q1", "scope": {"organization": True}, "opens": "nothing", "to": "2036-01-01T00:00:00Z"}
    made = mine.post("scopes", body)
    assert made.status_code == 201
    assert made.json()["scope"] == {"organization": True, "from": None, "to": "2036-01-01T00:00:00.000000Z"}
    assert mine.get("scopes").json()["results"] == [made.json()]
    service = factories.api(factories.service_token(organization, "audit:read"))
    assert service.get("scopes").json()["results"] == [made.json()]
    assert service.post("scopes", body).status_code == 403
    path = f"/v1/scopes/{made.json()['scope_id']}"
    assert mine.client.delete(path).status_code == 204
    assert mine.client.delete(path).status_code == 404
