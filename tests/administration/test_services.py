"""The services: what each changes, who may, and the receipt that it leaves."""

from decimal import Decimal
from typing import Any

import pytest

from audit.administration.applications import change_endpoint, create_endpoint, rename_application
from audit.administration.people import add_person, change_roles, remove_person
from audit.models import Opening, Receipt
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Application, Endpoint, Membership, Organization, Token
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from tests import factories

pytestmark = pytest.mark.django_db
PRICE = Decimal("0.00000020")


@pytest.fixture
def actor(northgate: Organization) -> Actor:
    return command_actor(northgate)


def last_state(organization: Organization) -> tuple[str, str, Any]:
    row = Receipt.objects.filter(organization=organization).latest("seq")
    return row.event, row.outcome, Opening.objects.get(receipt=row, field="state").value


def receipts() -> int:
    return Receipt.objects.count()


def only_admin(organization: Organization) -> Membership:
    return Membership.objects.get(organization=organization, roles__contains=["admin"])


def make_endpoint(actor: Actor) -> Endpoint:
    return create_endpoint(actor=actor, name="main-llm", base_url="http://127.0.0.1:11434/v1")


def test_a_renamed_application_keeps_its_slug(actor: Actor) -> None:
    row = Application.objects.get()
    rename_application(actor=actor, application=row, name="  Legal help  ")
    row.refresh_from_db()
    assert (row.slug, row.name) == ("legal-assistant", "Legal help")
    assert last_state(actor.organization)[:2] == ("application.changed", "renamed")


def test_the_same_name_again_writes_nothing(actor: Actor) -> None:
    row = Application.objects.get()
    before = receipts()
    rename_application(actor=actor, application=row, name=row.name)
    assert receipts() == before


def test_an_endpoint_change_is_recorded_with_what_holds_now(actor: Actor) -> None:
    row = make_endpoint(actor)
    change_endpoint(
        actor=actor,
        endpoint=row,
        base_url="https://llm.example/v1/",
        credential="llm",
        input_price=Decimal("0.0000002000"),
    )
    event, outcome, state = last_state(actor.organization)
    assert (event, outcome) == ("endpoint.changed", "changed")
    assert (state["base_url"], state["credential"]) == ("https://llm.example/v1", "llm")
    assert (state["input_price"], state["output_price"]) == ("0.0000002", None)


def test_the_same_endpoint_again_writes_nothing(actor: Actor) -> None:
    row, before = make_endpoint(actor), receipts()
    change_endpoint(actor=actor, endpoint=row, base_url=row.base_url)
    assert receipts() == before


def test_a_wrong_address_changes_nothing(actor: Actor) -> None:
    row, before = make_endpoint(actor), receipts()
    with pytest.raises(Invalid):
        change_endpoint(actor=actor, endpoint=row, base_url="ftp://llm.example", credential="other")
    row.refresh_from_db()
    assert (row.credential, receipts()) == ("", before)


def test_another_organizations_endpoint_is_not_found(actor: Actor) -> None:
    foreign = make_endpoint(command_actor(factories.organization("southgate")))
    with pytest.raises(NotFound):
        change_endpoint(actor=actor, endpoint=foreign, base_url="https://llm.example")


def test_another_organizations_member_is_not_found(actor: Actor) -> None:
    southgate = factories.organization("southgate")
    factories.person(southgate, "admin")
    factories.person(southgate, "admin", email="second@southgate.example")
    foreign = Membership.objects.filter(organization=southgate).earliest("pk")
    for act in (change_roles, remove_person):
        given: dict[str, Any] = {"roles": ["viewer"]} if act is change_roles else {}
        with pytest.raises(NotFound):
            act(actor=actor, membership=foreign, **given)
    foreign.refresh_from_db()
    assert foreign.roles == ["admin"]


def test_the_last_administrator_keeps_the_role(actor: Actor) -> None:
    with pytest.raises(Conflict, match="last administrator"):
        change_roles(actor=actor, membership=only_admin(actor.organization), roles=["viewer"])


def test_the_last_administrator_cannot_be_removed(actor: Actor) -> None:
    with pytest.raises(Conflict, match="last administrator"):
        remove_person(actor=actor, membership=only_admin(actor.organization))


def test_a_stale_row_does_not_let_the_last_administrator_go(actor: Actor) -> None:
    first = only_admin(actor.organization)
    second = add_person(actor=actor, email="second@northgate.example", roles=["admin"])
    change_roles(actor=actor, membership=first, roles=["viewer"])
    with pytest.raises(Conflict):
        remove_person(actor=actor, membership=second)


def test_who_is_removed_loses_membership_and_tokens_here_only(actor: Actor) -> None:
    leaver = factories.person(actor.organization, "viewer")
    southgate = factories.organization("southgate")
    add_person(actor=command_actor(southgate), email=leaver.email, roles=["viewer"])
    here = factories.person_token(actor.organization, leaver)
    there = factories.person_token(southgate, leaver)
    remove_person(actor=actor, membership=Membership.objects.get(organization=actor.organization, person=leaver))
    assert factories.api(here).get("me").status_code == 401
    assert factories.api(there).get("me").status_code == 200
    assert list(leaver.memberships.values_list("organization__slug", flat=True)) == ["southgate"]


def test_a_removal_is_recorded_with_each_revoked_token(actor: Actor) -> None:
    leaver = factories.person(actor.organization, "viewer")
    factories.person_token(actor.organization, leaver)
    remove_person(actor=actor, membership=Membership.objects.get(person=leaver))
    events = Receipt.objects.filter(organization=actor.organization).order_by("-seq").values_list("event", "outcome")
    assert list(events[:2]) == [("member.changed", "removed"), ("token.changed", "revoked")]
    assert last_state(actor.organization)[2]["roles"] == []
    assert Token.objects.get().revoked_at is not None


def test_adding_a_member_again_conflicts_and_writes_nothing(actor: Actor) -> None:
    before = receipts()
    with pytest.raises(Conflict, match="member already"):
        add_person(actor=actor, email="ADMIN@northgate.example", roles=["viewer"])
    assert receipts() == before


def test_an_address_that_no_mail_reaches_is_refused_where_its_domain_is_not_named(actor: Actor) -> None:
    with pytest.raises(Invalid, match="no e-mail address"):
        add_person(actor=actor, email="owner@demo", roles=["viewer"])
    assert add_person(actor=actor, email="owner@demo", roles=["viewer"], domains=["demo"]).person.email == "owner@demo"


def test_the_same_roles_again_write_nothing(actor: Actor) -> None:
    member = only_admin(actor.organization)
    before = receipts()
    change_roles(actor=actor, membership=member, roles=["admin"])
    assert receipts() == before


@pytest.mark.parametrize("role", ["viewer", "domain-owner", "release-manager", "auditor"])
def test_only_an_administrator_changes_people(northgate: Organization, role: str) -> None:
    actor = factories.person_actor(northgate, role)
    member = only_admin(northgate)
    for act in (
        lambda: add_person(actor=actor, email="new@northgate.example", roles=["admin"]),
        lambda: change_roles(actor=actor, membership=member, roles=["viewer"]),
        lambda: remove_person(actor=actor, membership=member),
    ):
        with pytest.raises(Forbidden):
            act()
