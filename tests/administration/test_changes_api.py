"""REST: what may change of one application and of one endpoint; what is left out stays."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.administration.applications import create_endpoint
from audit.models import Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Endpoint, Organization, Person, RoutingState
from tests import factories
from tests.factories import Api, api, person_token

pytestmark = pytest.mark.django_db
APPLICATION, ENDPOINT = "applications/legal-assistant", "endpoints/main-llm"
CHANGES = [(APPLICATION, {"client_settings": ["temperature"]}), (ENDPOINT, {"serves": ["hf:org/repo"]})]
ONE_CEILING = 6


@pytest.fixture(autouse=True)
def main_llm(northgate: Organization) -> Endpoint:
    return create_endpoint(
        actor=command_actor(northgate), name="main-llm", base_url="http://127.0.0.1:9/v1", credential="main-llm-key"
    )


@pytest.fixture
def admin_api(northgate: Organization) -> Api:
    return api(person_token(northgate, Person.objects.get(email="admin@northgate.example")))


def as_it_is() -> tuple[Any, ...]:
    rows = (Application.objects.values().get(), Endpoint.objects.values().get())
    return *rows, Receipt.objects.count(), RoutingState.objects.get().generation


def test_an_application_says_what_its_clients_may_set(admin_api: Api) -> None:
    generation = RoutingState.objects.get().generation
    answer = admin_api.patch(APPLICATION, {"client_settings": ["temperature", "max_tokens"]})
    assert (answer.status_code, answer.json()["client_settings"]) == (200, ["max_tokens", "temperature"])
    assert admin_api.get(APPLICATION).json() == answer.json()
    assert RoutingState.objects.get().generation == generation + 1


def test_a_name_and_settings_change_together_or_not_at_all(admin_api: Api) -> None:
    admin_api.patch(APPLICATION, {"name": "Legal help", "client_settings": ["seed"]})
    before = as_it_is()
    assert before[0]["name"] == "Legal help"
    assert admin_api.patch(APPLICATION, {"name": "Other", "client_settings": ["model"]}).status_code == 422
    assert as_it_is() == before


def test_an_endpoint_lists_the_models_that_answer_there(admin_api: Api) -> None:
    answer = admin_api.patch(ENDPOINT, {"serves": ["openai:gpt-4o-mini", "hf:org/repo", "hf:org/repo"]})
    assert answer.status_code == 200, answer.content
    assert answer.json()["serves"] == ["hf:org/repo", "openai:gpt-4o-mini"]
    assert answer.json()["credential"] == "main-llm-key"
    assert admin_api.get(ENDPOINT).json() == answer.json()


def test_a_price_alone_leaves_the_rest_of_an_endpoint(admin_api: Api) -> None:
    admin_api.patch(ENDPOINT, {"serves": ["hf:org/repo"]})
    answer = admin_api.patch(ENDPOINT, {"input_price": "0.0000002"}).json()
    assert (answer["input_price"], answer["serves"]) == ("0.0000002", ["hf:org/repo"])
    assert (answer["base_url"], answer["credential"]) == ("http://127.0.0.1:9/v1", "main-llm-key")


def test_a_new_endpoint_may_list_its_models_at_once(admin_api: Api) -> None:
    body = {"name": "second", "base_url": "http://127.0.0.1:10/v1", "serves": ["hf:org/repo@a1"]}
    answer = admin_api.post("endpoints", body)
    assert (answer.status_code, answer.json()["serves"]) == (201, ["hf:org/repo@a1"])


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (APPLICATION, {"client_settings": ["model"]}, "client_settings"),
        (APPLICATION, {"client_settings": "seed"}, "client_settings"),
        (APPLICATION, {"slug": "other"}, "slug"),
        (ENDPOINT, {"serves": ["gpt-4o-mini"]}, "serves"),
        (ENDPOINT, {"serves": [7]}, "serves[0]"),
        (ENDPOINT, {"serves": ["hf:org/repo"] * 51}, "serves"),
        (ENDPOINT, {"base_url": "ftp://llm.example"}, "base_url"),
        (ENDPOINT, {"name": "other"}, "name"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_and_changes_nothing(
    admin_api: Api, path: str, body: dict[str, Any], field: str
) -> None:
    before = as_it_is()
    answer = admin_api.patch(path, body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert as_it_is() == before


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_only_administrators_change_and_others_read(northgate: Organization, path: str, body: dict[str, Any]) -> None:
    manager = api(person_token(northgate, factories.person(northgate, "release-manager")))
    service = api(factories.service_token(northgate, "releases:write"))
    before = as_it_is()
    assert [each.patch(path, body).status_code for each in (manager, service)] == [403, 403]
    assert [each.get(path).status_code for each in (manager, service)] == [200, 200]
    assert as_it_is() == before


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_others_find_nothing(northgate: Organization, path: str, body: dict[str, Any]) -> None:
    southgate = factories.organization("southgate")
    outsider = api(person_token(southgate, factories.person(southgate, "admin")))
    assert [outsider.get(path).status_code, outsider.patch(path, body).status_code] == [404, 404]


@pytest.mark.parametrize("path", [APPLICATION, ENDPOINT])
def test_there_is_no_other_method(admin_api: Api, path: str) -> None:
    assert admin_api.post(path, {}).status_code == 405
    assert admin_api.client.delete(f"/v1/{path}").status_code == 405


@pytest.mark.parametrize("path", [APPLICATION, ENDPOINT])
def test_reading_one_is_bounded(admin_api: Api, path: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert admin_api.get(path).status_code == 200
    assert len(captured) <= ONE_CEILING
