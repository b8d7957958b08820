"""The settings pages: what each shows to whom, what its forms do, and what they refuse."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from audit.administration.applications import create_endpoint, create_route
from audit.administration.people import add_person
from audit.administration.tokens import create_token
from audit.models import ChainCheck, Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Endpoint, Membership, Organization, Person, Route, Token
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import beat
from relcontrol.web.signin import PROVED_AT
from tests import factories
from tests.administration.conftest import SignIn

pytestmark = pytest.mark.django_db
BASE = "/o/northgate/settings/"
SCRIPT = "<script>alert(1)</script>"
LISTS = ("", "applications/", "endpoints/", "people/", "tokens/", "tokens/own/", "keys/", "health/")
CHANGES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("applications/", {"slug": "contracts"}),
    ("applications/legal-assistant/", {"routing": "domain=tax"}),
    ("applications/legal-assistant/name", {"name": "Other"}),
    ("endpoints/", {"name": "main-llm", "base_url": "http://127.0.0.1:1/v1"}),
    ("people/", {"email": "new@northgate.example", "roles": ["admin"]}),
    ("tokens/", {"name": "ci", "scopes": ["audit:read"]}),
)


def member_of(organization: Organization, email: str) -> Membership:
    return Membership.objects.get(organization=organization, person__email=email)


def let_proof_grow_old(client: Client) -> None:
    session = client.session
    session[PROVED_AT] -= 601
    session.save()


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_shown_to_every_member(viewer: Client, path: str) -> None:
    assert viewer.get(BASE + path).status_code == 200


@pytest.mark.parametrize("path", LISTS)
def test_an_outsider_finds_nothing(northgate: Organization, sign_in: SignIn, path: str) -> None:
    outsider = sign_in(factories.person(factories.organization("southgate"), "admin"))
    assert outsider.get(BASE + path).status_code == 404


@pytest.mark.parametrize("path", LISTS)
def test_nobody_is_sent_to_the_sign_in(northgate: Organization, client: Client, path: str) -> None:
    answer = client.get(BASE + path)
    assert answer.headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize(("path", "sent"), CHANGES)
def test_a_viewer_changes_nothing(viewer: Client, path: str, sent: dict[str, Any]) -> None:
    before = Receipt.objects.count()
    assert viewer.post(BASE + path, sent).status_code == 403
    assert Receipt.objects.count() == before


@pytest.mark.parametrize("path", ["applications/", "endpoints/", "people/", "tokens/"])
def test_the_reason_stands_in_place_of_a_form(viewer: Client, path: str) -> None:
    text = viewer.get(BASE + path).text
    assert "one must be administrator; your roles here: viewer" in text
    assert "btn-primary" not in text


@pytest.mark.parametrize(("path", "sent"), CHANGES)
def test_every_change_is_one_receipt(admin: Client, path: str, sent: dict[str, Any]) -> None:
    before = Receipt.objects.count()
    assert admin.post(BASE + path, sent).status_code in {201, 302}
    assert Receipt.objects.count() == before + 1


@pytest.mark.parametrize(
    ("path", "sent", "said"),
    [
        ("applications/", {"slug": "Not A Slug"}, "cannot be used"),
        ("applications/legal-assistant/", {"routing": "domain"}, "is no key=value"),
        ("applications/legal-assistant/", {"routing": "a=1\na=2"}, "is there twice"),
        ("applications/legal-assistant/", {"routing": "domain=legal"}, "already"),
        ("applications/legal-assistant/name", {"name": " "}, "This field is required"),
        ("endpoints/", {"name": "e", "base_url": "http://me:secret@llm.example"}, "Leave user, password"),
        ("people/", {"email": "nobody", "roles": ["admin"]}, "is no e-mail address"),
        ("people/", {"email": "admin@northgate.example", "roles": ["admin"]}, "is a member already"),
        ("people/", {"email": "a@northgate.example", "roles": ["admin"], "password": "short"}, "too short"),
        ("people/", {"email": "a@northgate.example", "roles": ["king"]}, "king is not one of the available choices"),
        ("tokens/", {"name": "ci"}, "This field is required"),
        ("tokens/own/", {"name": "ci", "days": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_done_is_said_in_the_form(admin: Client, path: str, sent: dict[str, Any], said: str) -> None:
    before = Receipt.objects.count()
    answer = admin.post(BASE + path, sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert Receipt.objects.count() == before


def test_a_route_is_made_of_its_lines(admin: Client) -> None:
    admin.post(BASE + "applications/legal-assistant/", {"routing": " domain = legal \r\n\r\ntier=pro"})
    assert Route.objects.latest("pk").routing == {"domain": "legal", "tier": "pro"}


def test_an_endpoint_keeps_its_name_and_takes_another_price(admin: Client, northgate: Organization) -> None:
    create_endpoint(actor=command_actor(northgate), name="main-llm", base_url="http://127.0.0.1:1/v1")
    url = BASE + "endpoints/main-llm/"
    admin.post(url, {"base_url": "http://127.0.0.1:2/v1", "input_price": "0.0000002", "name": "other"})
    row = Endpoint.objects.get()
    assert (row.name, row.base_url) == ("main-llm", "http://127.0.0.1:2/v1")
    assert 'value="0.0000002"' in admin.get(url).text


def test_dangerous_acts_ask_again_who_acts(admin: Client, northgate: Organization) -> None:
    viewer_key = factories.person(northgate, "viewer").memberships.get().pk
    token = create_token(actor=command_actor(northgate), name="ci", scopes=["audit:read"])[0]
    let_proof_grow_old(admin)
    before = Receipt.objects.count()
    for path, sent in (
        ("people/", {"email": "new@northgate.example", "roles": ["admin"]}),
        (f"people/{viewer_key}/", {"roles": ["admin"]}),
        (f"people/{viewer_key}/remove", {"typed": "viewer@northgate.example"}),
        ("tokens/", {"name": "ci", "scopes": ["audit:read"]}),
        ("tokens/own/", {"name": "laptop"}),
        (f"tokens/{token.pk}/revoke", {}),
    ):
        assert admin.post(BASE + path, sent).headers["Location"] == reverse("step-up")
    assert Receipt.objects.count() == before


def test_the_form_comes_back_filled_in_after_the_proof(admin: Client) -> None:
    let_proof_grow_old(admin)
    admin.post(BASE + "people/", {"email": "new@northgate.example", "roles": ["auditor"], "password": "hush-hush-hush"})
    admin.post("/step-up", {"password": factories.PASSWORD})
    text = admin.get(BASE + "people/").text
    assert "new@northgate.example" in text
    assert re.search(r'value="auditor"[^>]*checked', text)
    assert "hush" not in text


def test_a_member_is_removed_only_by_the_typed_address(admin: Client, northgate: Organization) -> None:
    member = factories.person(northgate, "viewer").memberships.get()
    url = f"{BASE}people/{member.pk}/remove"
    assert "nothing was done" in admin.post(url, {"typed": "viewer"}).text
    assert Membership.objects.filter(pk=member.pk).exists()
    assert admin.post(url, {"typed": "viewer@northgate.example"}).status_code == 302
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_the_last_administrator_is_told_why_she_stays(admin: Client, northgate: Organization) -> None:
    member = member_of(northgate, "admin@northgate.example")
    answer = admin.post(f"{BASE}people/{member.pk}/remove", {"typed": member.person.email})
    assert answer.status_code == 422
    assert "This is the last administrator" in answer.text


def test_a_new_token_is_shown_once_and_works(admin: Client) -> None:
    answer = admin.post(BASE + "tokens/", {"name": "ci", "scopes": ["audit:read"], "days": "30"})
    match = re.search(r'id="token-text"[^>]*>(rc_[^<]+)<', answer.text)
    assert answer.status_code == 201
    assert match
    assert factories.api(match[1]).get("me").status_code == 200
    assert match[1] not in admin.get(BASE + "tokens/").text
    assert "no-store" in answer.headers["Cache-Control"]


def test_no_session_holds_the_text_of_a_token(admin: Client) -> None:
    answer = admin.post(BASE + "tokens/own/", {"name": "laptop"})
    match = re.search(r'id="token-text"[^>]*>(rc_[^<]+)<', answer.text)
    assert match
    assert match[1].partition(".")[2] not in str(dict(admin.session))


def test_everybody_makes_and_revokes_tokens_of_her_own(viewer: Client) -> None:
    viewer.post(BASE + "tokens/own/", {"name": "laptop"})
    token = Token.objects.get()
    assert token.person is not None
    assert token.scopes == []
    viewer.post(f"{BASE}tokens/{token.pk}/revoke")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_viewer_sees_no_token_of_somebody_else_and_revokes_none(viewer: Client, northgate: Organization) -> None:
    boss = Person.objects.get(email="admin@northgate.example")
    token = create_token(actor=command_actor(northgate), name="bosses-laptop", person=boss)[0]
    assert "bosses-laptop" not in viewer.get(BASE + "tokens/").text
    assert viewer.post(f"{BASE}tokens/{token.pk}/revoke").status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None


def test_another_organizations_rows_are_not_there(admin: Client) -> None:
    southgate = factories.organization("southgate")
    actor = command_actor(southgate)
    create_endpoint(actor=actor, name="their-llm", base_url="http://127.0.0.1:1/v1")
    factories.application(southgate, "their-app")
    member = factories.person(southgate, "viewer").memberships.get()
    token = create_token(actor=actor, name="theirs", scopes=["audit:read"])[0]
    for path in ("endpoints/their-llm/", "applications/their-app/", f"people/{member.pk}/"):
        assert admin.get(BASE + path).status_code == 404
    assert admin.post(f"{BASE}tokens/{token.pk}/revoke").status_code == 404


def test_script_tags_in_every_text_are_escaped(admin: Client, northgate: Organization) -> None:
    actor = command_actor(northgate)
    application = Application.objects.get()
    Application.objects.update(name=SCRIPT)
    create_route(actor=actor, application=application, routing={"domain": SCRIPT}, name=SCRIPT)
    create_token(actor=actor, name=SCRIPT, scopes=["audit:read"])
    member = add_person(actor=actor, email="x@northgate.example", name=SCRIPT, roles=["viewer"])
    for path in ("applications/", "applications/legal-assistant/", "people/", f"people/{member.pk}/", "tokens/"):
        text = admin.get(BASE + path).text
        assert SCRIPT not in text
        assert escape(SCRIPT) in text


def test_a_page_further_back_follows_its_cursor(admin: Client, northgate: Organization) -> None:
    for number in range(51):
        create_token(actor=command_actor(northgate), name=f"ci-{number}", scopes=["audit:read"])
    text = admin.get(BASE + "tokens/").text
    cursor = re.search(r'rel="next"\s+href="([^"]+)"', text)
    assert cursor
    first_made = re.compile(r"\bci-0\b")
    assert not first_made.search(text)
    assert first_made.search(admin.get(BASE + "tokens/" + cursor[1]).text)


@pytest.mark.parametrize("path", ["applications/legal-assistant/", "endpoints/", "people/", "tokens/", "tokens/own/"])
def test_a_list_of_thirty_costs_no_more_queries_than_one_of_three(
    admin: Client, northgate: Organization, django_assert_max_num_queries: Any, path: str
) -> None:
    make_rows(northgate, 0, 3)
    with django_assert_max_num_queries(20) as few:
        admin.get(BASE + path)
    ceiling = len(few)  # the log begins anew with the next request
    make_rows(northgate, 3, 30)
    with django_assert_max_num_queries(ceiling):
        admin.get(BASE + path)


def make_rows(organization: Organization, start: int, stop: int) -> None:
    actor, boss = command_actor(organization), Person.objects.get(email="admin@northgate.example")
    application = Application.objects.get()
    for number in range(start, stop):
        create_route(actor=actor, application=application, routing={"tier": str(number)})
        create_endpoint(actor=actor, name=f"llm-{number}", base_url="http://127.0.0.1:1/v1")
        add_person(actor=actor, email=f"p{number}@northgate.example", roles=["viewer"])
        create_token(actor=actor, name=f"ci {number}", scopes=["audit:read"])
        create_token(actor=actor, name=f"own {number}", person=boss)


def test_health_says_which_process_was_not_seen(admin: Client) -> None:
    assert "3 things are not well." in admin.get(BASE + "health/").text
    beat("ticker", now())
    beat("worker", now())
    assert "One thing is not well." in admin.get(BASE + "health/").text
    beat("replayer", now())
    assert "All is well." in admin.get(BASE + "health/").text


def test_health_says_where_the_own_chain_breaks_and_nothing_of_others(admin: Client, northgate: Organization) -> None:
    factories.organization("southgate")
    ChainCheck.objects.filter(organization__slug="southgate").update(problem="seq 7: not ours to see")
    assert "not ours to see" not in admin.get(BASE + "health/").text
    ChainCheck.objects.filter(organization=northgate).update(problem="seq 3: the link is broken")
    assert "seq 3: the link is broken" in admin.get(BASE + "health/").text


def test_keys_show_fingerprints_and_no_private_half(admin: Client) -> None:
    text = admin.get(BASE + "keys/").text
    assert "Receipts" in text
    assert "Exports" in text
    assert "PRIVATE KEY" not in text
