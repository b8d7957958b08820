"""Every change of what gateways must know makes the next generation; what changes nothing makes none."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.administration.applications import (
    change_endpoint,
    create_application,
    create_endpoint,
    create_route,
    rename_application,
    set_client_settings,
)
from audit.models import Receipt
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Endpoint, RoutingState
from relcontrol.errors import Forbidden, Invalid
from tests.factories import application, organization, person_actor
from tests.releases.routing.scene import payload

URL = "http://127.0.0.1:9000/v1"
pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db: None) -> Actor:
    return person_actor(organization(), "admin")


def generation(of: Actor) -> int:
    row = RoutingState.objects.filter(organization=of.organization).first()
    return row.generation if row else 1


def endpoint(admin: Actor, *serves: str) -> Endpoint:
    return create_endpoint(actor=admin, name="main-llm", base_url=URL, serves=serves)


def test_applications_routes_and_endpoints_each_make_the_next_generation(admin: Actor) -> None:
    seen = [generation(admin)]
    made = create_application(actor=admin, slug="legal-assistant")
    seen.append(generation(admin))
    create_route(actor=admin, application=made, routing={"domain": "legal"})
    seen.append(generation(admin))
    row = endpoint(admin)
    seen.append(generation(admin))
    change_endpoint(actor=admin, endpoint=row, base_url=f"{URL}/other")
    seen.append(generation(admin))
    assert seen == [1, 2, 3, 4, 5]


def test_what_changes_nothing_for_gateways_makes_no_generation(admin: Actor) -> None:
    made, row = application(admin.organization), endpoint(admin, "hf:org/repo")
    set_client_settings(actor=admin, application=made, names=["seed"])
    before = generation(admin)
    change_endpoint(actor=admin, endpoint=row, base_url=URL)
    set_client_settings(actor=admin, application=made, names=["seed"])
    rename_application(actor=admin, application=made, name="Another name")
    assert generation(admin) == before


def test_a_change_of_the_endpoint_that_does_not_name_its_models_leaves_them(admin: Actor) -> None:
    row = endpoint(admin, "hf:org/repo")
    assert change_endpoint(actor=admin, endpoint=row, base_url=f"{URL}/x").serves == ["hf:org/repo"]
    assert change_endpoint(actor=admin, endpoint=row, base_url=f"{URL}/x", serves=[]).serves == []


def test_models_are_kept_in_one_spelling_each_once(admin: Actor) -> None:
    row = endpoint(admin, "org/repo", " hf:org/repo ", "hf:org/repo@a1", "openai:gpt-4o")
    assert row.serves == ["hf:org/repo", "hf:org/repo@a1", "openai:gpt-4o"]


@pytest.mark.parametrize("text", ["", "repo", "endpoint:main-llm/x", "hf:org/repo@", "hf:../x", "openai:"])
def test_what_is_no_model_changes_nothing(admin: Actor, text: str) -> None:
    before = generation(admin), Receipt.objects.count()
    with pytest.raises(Invalid) as refused:
        endpoint(admin, text)
    assert refused.value.errors[0].field == "serves"
    assert (generation(admin), Receipt.objects.count()) == before


def test_an_endpoint_lists_fifty_models_at_most(admin: Actor) -> None:
    with pytest.raises(Invalid, match="up to 50"):
        endpoint(admin, *(f"hf:org/repo-{number}" for number in range(51)))


def test_the_settings_of_clients_are_names_of_generation_settings(admin: Actor) -> None:
    made = application(admin.organization)
    row = set_client_settings(actor=admin, application=made, names=["temperature", "max_tokens", "temperature"])
    assert row.client_settings == ["max_tokens", "temperature"]
    assert payload(admin.organization)["applications"][0]["client_settings"] == ["max_tokens", "temperature"]
    with pytest.raises(Invalid, match="Unknown: model"):
        set_client_settings(actor=admin, application=made, names=["model"])


def test_only_administrators_set_what_clients_may_say(admin: Actor) -> None:
    made = application(admin.organization)
    with pytest.raises(Forbidden):
        set_client_settings(actor=person_actor(admin.organization, "release-manager"), application=made, names=["seed"])


def test_a_new_epoch_goes_before_every_generation_of_the_old_one(admin: Actor) -> None:
    application(admin.organization)
    before = generation(admin)
    said = StringIO()
    call_command("routing-epoch", "northgate", stdout=said)
    row = RoutingState.objects.get(organization=admin.organization)
    assert (row.epoch, row.generation) == (2, before + 1)
    assert said.getvalue().strip() == f"northgate: epoch 2, generation {before + 1}"


def test_a_new_epoch_is_for_the_organizations_that_were_named_or_for_all(admin: Actor) -> None:
    other = organization("eastgate")
    call_command("routing-epoch", "eastgate", stdout=StringIO())
    assert not RoutingState.objects.filter(organization=admin.organization).exists()
    call_command("routing-epoch", "--all", stdout=StringIO())
    epochs = dict(RoutingState.objects.values_list("organization", "epoch"))
    assert epochs == {admin.organization.pk: 2, other.pk: 3}


@pytest.mark.parametrize("arguments", [[], ["northgate", "--all"], ["nobody"]])
def test_an_epoch_for_nobody_in_particular_is_refused(admin: Actor, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("routing-epoch", *arguments)
    assert not RoutingState.objects.exists()
