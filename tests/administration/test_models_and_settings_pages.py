"""The pages of an endpoint's models and of what an application's clients may set."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.administration.applications import create_endpoint, set_client_settings
from audit.models import Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Endpoint, Organization

pytestmark = pytest.mark.django_db
BASE = "/o/northgate/settings/"
APPLICATION = f"{BASE}applications/legal-assistant/"
MODELS = ["hf:org/repo", "openai:gpt-4o-mini"]
URL = "http://127.0.0.1:9/v1"
LIST_CEILING = 9


def application() -> Application:
    return Application.objects.get()


def test_models_are_entered_one_in_a_line(admin: Client) -> None:
    sent = {"name": "main-llm", "base_url": URL, "serves": " openai:gpt-4o-mini \r\n\r\nhf:org/repo"}
    assert admin.post(f"{BASE}endpoints/", sent).status_code == 302
    assert Endpoint.objects.get().serves == MODELS


def test_the_form_of_an_endpoint_begins_with_its_models_and_keeps_them(admin: Client, northgate: Organization) -> None:
    create_endpoint(actor=command_actor(northgate), name="main-llm", base_url=URL, serves=MODELS)
    text = admin.get(f"{BASE}endpoints/main-llm/").text
    assert "hf:org/repo\nopenai:gpt-4o-mini" in text
    assert "Which models answer here?" in text
    admin.post(f"{BASE}endpoints/main-llm/", {"base_url": "http://127.0.0.1:10/v1", "serves": "\n".join(MODELS)})
    assert Endpoint.objects.get().serves == MODELS


def test_lines_that_are_taken_out_are_gone(admin: Client, northgate: Organization) -> None:
    create_endpoint(actor=command_actor(northgate), name="main-llm", base_url=URL, serves=MODELS)
    admin.post(f"{BASE}endpoints/main-llm/", {"base_url": URL, "serves": ""})
    assert Endpoint.objects.get().serves == []


def test_what_is_no_model_is_said_at_the_field(admin: Client) -> None:
    answer = admin.post(f"{BASE}endpoints/", {"name": "main-llm", "base_url": URL, "serves": "gpt-4o-mini"})
    assert answer.status_code == 422
    assert "is no model: write hf:org/repo" in answer.text
    assert not Endpoint.objects.exists()


def test_everybody_sees_which_models_an_endpoint_lists(viewer: Client, northgate: Organization) -> None:
    several = [*MODELS, "hf:org/third", "hf:org/fourth"]
    create_endpoint(actor=command_actor(northgate), name="main-llm", base_url=URL, serves=several)
    listed = viewer.get(f"{BASE}endpoints/").text
    assert "hf:org/repo" in listed
    assert "and 1 more" in listed
    assert "hf:org/fourth, hf:org/repo" in viewer.get(f"{BASE}endpoints/main-llm/").text


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_costs_the_same_at_any_length(viewer: Client, northgate: Organization, rows: int) -> None:
    for number in range(rows):
        create_endpoint(actor=command_actor(northgate), name=f"llm-{number}", base_url=URL, serves=MODELS)
    with CaptureQueriesContext(connection) as captured:
        assert viewer.get(f"{BASE}endpoints/").status_code == 200
    assert len(captured) <= LIST_CEILING


def test_what_clients_may_set_is_chosen_on_the_page_of_the_application(admin: Client) -> None:
    before = Receipt.objects.count()
    answer = admin.post(f"{APPLICATION}clients", {"client_settings": ["temperature", "max_tokens"]})
    assert (answer.status_code, answer["Location"]) == (302, APPLICATION)
    assert application().client_settings == ["max_tokens", "temperature"]
    assert Receipt.objects.count() == before + 1


def test_the_form_begins_with_what_holds_and_may_take_all_of_it_away(admin: Client, northgate: Organization) -> None:
    set_client_settings(actor=command_actor(northgate), application=application(), names=["seed"])
    assert admin.get(APPLICATION).text.count(" checked") == 1
    admin.post(f"{APPLICATION}clients", {})
    assert application().client_settings == []


def test_a_setting_that_is_none_is_refused(admin: Client) -> None:
    answer = admin.post(f"{APPLICATION}clients", {"client_settings": ["model"]})
    assert answer.status_code == 422
    assert "model is not one of the available choices" in answer.text
    assert application().client_settings == []


def test_a_viewer_changes_neither(viewer: Client, northgate: Organization) -> None:
    before = Receipt.objects.count()
    assert viewer.post(f"{APPLICATION}clients", {"client_settings": ["seed"]}).status_code == 403
    assert "What clients may set" not in viewer.get(APPLICATION).text
    assert Receipt.objects.count() == before


def test_the_form_is_not_read_by_itself(admin: Client) -> None:
    assert admin.get(f"{APPLICATION}clients").status_code == 405
