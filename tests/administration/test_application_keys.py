"""Application keys: shown once, kept as a digest, heard of by gateways; by page, REST and command."""

import hashlib
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from audit.administration.application_keys import create_application_key, revoke_application_key
from audit.models import Opening, Receipt
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Application, ApplicationKey, Organization, Person, Route, RoutingState
from relcontrol.api.models import IdempotencyRecord
from relcontrol.commands import Command as BaseCommand
from relcontrol.errors import Forbidden, Invalid, NotFound
from relcontrol.web.signin import PROVED_AT
from tests import factories
from tests.administration.conftest import SignIn
from tests.factories import Api, api, person_token

pytestmark = pytest.mark.django_db
PAGE = "/o/northgate/settings/applications/legal-assistant/keys/"
CALL = "applications/legal-assistant/keys"
TEXT = re.compile(r"rck_[0-9a-f]{16}\.[A-Za-z0-9_-]{43}")
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def actor(northgate: Organization) -> Actor:
    return command_actor(northgate)


@pytest.fixture
def application(northgate: Organization) -> Application:
    return Application.objects.get(organization=northgate)


@pytest.fixture
def admin_api(northgate: Organization) -> Api:
    return api(person_token(northgate, Person.objects.get(email="admin@northgate.example")))


def make(actor: Actor, name: str = "web-app", **named: Any) -> ApplicationKey:
    application = Application.objects.get(organization=actor.organization)
    return create_application_key(actor=actor, application=application, name=name, **named)[0]


def written() -> tuple[int, int, int]:
    return ApplicationKey.objects.count(), Receipt.objects.count(), sum(generations())


def generations() -> list[int]:
    return list(RoutingState.objects.values_list("generation", flat=True))


def test_only_the_digest_of_the_whole_text_is_kept(actor: Actor, application: Application) -> None:
    key, text = create_application_key(actor=actor, application=application, name="web-app")
    assert TEXT.fullmatch(text)
    assert text.startswith(f"rck_{key.public}.")
    assert key.key_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert text.partition(".")[2] not in str(ApplicationKey.objects.values().get())


def test_making_and_revoking_each_make_a_generation_and_a_receipt_that_names_it(actor: Actor) -> None:
    before = RoutingState.objects.filter(organization=actor.organization).values_list("generation", flat=True).first()
    key = make(actor)
    revoke_application_key(actor=actor, key=key)
    rows = Receipt.objects.filter(organization=actor.organization, event="application.changed").order_by("-seq")[:2]
    assert [row.outcome for row in rows] == ["revoked", "created"]
    states: list[Any] = [Opening.objects.get(receipt=row, field="state").value for row in rows]
    assert [state["generation"] for state in states] == [(before or 1) + 2, (before or 1) + 1]
    assert {state["id"] for state in states} == {key.pk}


def test_no_receipt_holds_the_digest_or_the_text(actor: Actor, application: Application) -> None:
    key, text = create_application_key(actor=actor, application=application, name="web-app")
    said = str(list(Opening.objects.values_list("value", flat=True)))
    assert key.public in said
    assert key.key_sha256 not in said
    assert text.partition(".")[2] not in said


def test_revoking_again_changes_nothing(actor: Actor) -> None:
    key = revoke_application_key(actor=actor, key=make(actor))
    before = written()
    assert revoke_application_key(actor=actor, key=key).revoked_at == key.revoked_at
    assert written() == before


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb"])
def test_a_key_needs_a_name_that_can_be_read(actor: Actor, name: str) -> None:
    before = written()
    with pytest.raises(Invalid):
        make(actor, name)
    assert written() == before


def test_a_route_of_another_application_is_refused(actor: Actor, northgate: Organization) -> None:
    application = Application.objects.get()
    elsewhere = Route.objects.get(application=factories.application(northgate, "contracts"))
    before = written()
    with pytest.raises(Invalid, match="none of legal-assistant"):
        create_application_key(actor=actor, application=application, name="web-app", route=elsewhere)
    assert written() == before


def test_nobody_makes_or_revokes_a_key_of_another_organization(actor: Actor) -> None:
    southgate = factories.organization("southgate")
    theirs = factories.application(southgate, "their-app")
    key = make(command_actor(southgate))
    with pytest.raises(NotFound):
        create_application_key(actor=actor, application=theirs, name="web-app")
    with pytest.raises(NotFound):
        revoke_application_key(actor=actor, key=key)


def test_only_administrators_may(northgate: Organization, actor: Actor) -> None:
    manager, key = factories.person_actor(northgate, "release-manager"), make(actor)
    with pytest.raises(Forbidden):
        make(manager)
    with pytest.raises(Forbidden):
        revoke_application_key(actor=manager, key=key)


# Pages


def test_a_new_key_is_shown_once_and_by_no_later_page(admin: Client) -> None:
    answer = admin.post(PAGE, {"name": "web-app", "route": ""})
    text = TEXT.search(answer.text)
    assert answer.status_code == 201
    assert text
    assert "no-store" in answer.headers["Cache-Control"]
    listed = admin.get(PAGE).text
    assert ApplicationKey.objects.get().public in listed
    assert text[0] not in listed
    assert text[0] not in str(dict(admin.session))


def test_a_key_may_name_the_route_that_takes_its_requests(admin: Client) -> None:
    route = Route.objects.get()
    admin.post(PAGE, {"name": "web-app", "route": route.pk})
    assert ApplicationKey.objects.get().route == route


def test_a_route_that_is_not_offered_is_said_in_the_form(admin: Client) -> None:
    elsewhere = factories.application(factories.organization("southgate"), "their-app").routes.get()
    before = written()
    answer = admin.post(PAGE, {"name": "web-app", "route": elsewhere.pk})
    assert answer.status_code == 422
    assert "not one of the available choices" in answer.text
    assert written() == before


def test_a_viewer_sees_the_keys_and_the_reason_why_she_makes_none(viewer: Client, actor: Actor) -> None:
    key = make(actor)
    text = viewer.get(PAGE).text
    assert key.public in text
    assert "one must be administrator" in text
    before = written()
    assert viewer.post(PAGE, {"name": "web-app"}).status_code == 403
    assert viewer.post(f"{PAGE}{key.pk}/revoke").status_code == 403
    assert written() == before


def test_revoking_is_one_click_of_an_administrator(admin: Client, actor: Actor) -> None:
    key = make(actor)
    assert admin.get(f"{PAGE}{key.pk}/revoke").status_code == 405
    answer = admin.post(f"{PAGE}{key.pk}/revoke", follow=True)
    assert "gateways refuse it from the next generation on" in answer.text
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_making_and_revoking_ask_again_who_acts(admin: Client, actor: Actor) -> None:
    key = make(actor)
    session = admin.session
    session[PROVED_AT] -= 601
    session.save()
    before = written()
    for path, sent in ((PAGE, {"name": "web-app"}), (f"{PAGE}{key.pk}/revoke", {})):
        assert admin.post(path, sent).headers["Location"] == reverse("step-up")
    assert written() == before
    admin.post("/step-up", {"password": factories.PASSWORD})
    assert admin.get(PAGE).status_code == 200


def test_an_outsider_finds_nothing(sign_in: SignIn, actor: Actor) -> None:
    key = make(actor)
    outsider = sign_in(factories.person(factories.organization("southgate"), "admin"))
    assert outsider.get(PAGE).status_code == 404
    assert outsider.post(f"{PAGE}{key.pk}/revoke").status_code == 404


def test_a_key_of_another_application_is_not_revoked_below_this_one(
    admin: Client, actor: Actor, northgate: Organization
) -> None:
    key = make(actor)
    factories.application(northgate, "contracts")
    wrong = PAGE.replace("legal-assistant", "contracts")
    assert admin.post(f"{wrong}{key.pk}/revoke").status_code == 404


def test_without_keys_the_page_says_which_command_makes_one(viewer: Client) -> None:
    assert "manage.py application-key create legal-assistant web-app --organization northgate" in viewer.get(PAGE).text


def test_a_name_with_script_tags_is_escaped(admin: Client, actor: Actor) -> None:
    make(actor, SCRIPT)
    text = admin.get(PAGE).text
    assert SCRIPT not in text
    assert escape(SCRIPT) in text


def test_a_list_of_thirty_costs_no_more_queries_than_one_of_three(
    admin: Client, actor: Actor, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        make(actor, f"app {number}", route=Route.objects.get())
    with django_assert_max_num_queries(16) as few:
        admin.get(PAGE)
    ceiling = len(few)
    for number in range(3, 30):
        make(actor, f"app {number}", route=Route.objects.get())
    with django_assert_max_num_queries(ceiling):
        admin.get(PAGE)


def test_the_page_of_the_application_leads_to_its_keys(viewer: Client) -> None:
    assert PAGE in viewer.get("/o/northgate/settings/applications/legal-assistant/").text


# REST


def test_a_key_is_made_listed_and_revoked_over_rest(admin_api: Api) -> None:
    made = admin_api.post(CALL, {"name": "web-app", "route": Route.objects.get().pk})
    row = made.json()
    assert made.status_code == 201
    assert TEXT.fullmatch(row.pop("key"))
    assert admin_api.get(CALL).json()["results"] == [row]
    ended = admin_api.client.delete(f"/v1/{CALL}/{row['key_id']}")
    assert (ended.status_code, ended.json()["revoked_at"] is None) == (200, False)


def test_a_repeated_call_gets_the_row_again_but_not_the_text(admin_api: Api) -> None:
    first = admin_api.post(CALL, {"name": "web-app"}, Idempotency_Key="key-1").json()
    second = admin_api.post(CALL, {"name": "web-app"}, Idempotency_Key="key-1").json()
    assert second == first | {"key": None}
    assert ApplicationKey.objects.count() == 1
    assert first["key"] not in str(list(IdempotencyRecord.objects.values()))


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_the_list_of_keys_takes_no_other_method(admin_api: Api, method: str) -> None:
    assert getattr(admin_api.client, method)(f"/v1/{CALL}").status_code == 405


@pytest.mark.parametrize("method", ["get", "put", "patch", "post"])
def test_one_key_can_only_be_revoked(admin_api: Api, actor: Actor, method: str) -> None:
    assert getattr(admin_api.client, method)(f"/v1/{CALL}/{make(actor).pk}").status_code == 405


def test_another_organizations_keys_are_not_there_over_rest(actor: Actor) -> None:
    key, southgate = make(actor), factories.organization("southgate")
    theirs = api(person_token(southgate, factories.person(southgate, "admin")))
    before = written()
    assert theirs.get(CALL).status_code == 404
    assert theirs.post(CALL, {"name": "web-app"}).status_code == 404
    assert theirs.client.delete(f"/v1/{CALL}/{key.pk}").status_code == 404
    assert written() == before


def test_a_release_manager_and_a_service_read_but_do_not_write(northgate: Organization, actor: Actor) -> None:
    key, before = make(actor), written()
    manager = api(person_token(northgate, factories.person(northgate, "release-manager")))
    service = api(factories.service_token(northgate, "rollouts:write"))
    before = written()
    for client in (manager, service):
        assert client.get(CALL).status_code == 200
        assert client.post(CALL, {"name": "web-app"}).status_code == 403
        assert client.client.delete(f"/v1/{CALL}/{key.pk}").status_code == 403
    assert written() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"name": ""}, 422), ({"name": "a", "scopes": []}, 422), ({"name": "a", "route": "rte_none"}, 404)],
)
def test_a_wrong_body_changes_nothing(admin_api: Api, body: dict[str, Any], status: int) -> None:
    before = written()
    assert admin_api.post(CALL, body).status_code == status
    assert written() == before


# Command


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("application-key", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_the_key_and_nothing_else(northgate: Organization) -> None:
    route = Route.objects.get()
    text = command("create", "legal-assistant", "web-app", "--organization", "northgate", "--route", route.name)
    assert TEXT.fullmatch(text)
    row = ApplicationKey.objects.get()
    assert (row.key_sha256, row.route) == (hashlib.sha256(text.encode()).hexdigest(), route)


def test_the_command_says_what_is_not_there(northgate: Organization) -> None:
    with pytest.raises(Exception, match="There is no application contracts here") as raised:
        command("create", "contracts", "web-app", "--organization", "northgate")
    assert raised.type.__module__.startswith(("django", BaseCommand.__module__.partition(".")[0]))
    assert not ApplicationKey.objects.exists()
