"""What gateways are told: which releases, which shares, of whom."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.administration.applications import create_endpoint, set_client_settings
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import ApplicationKey
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.clock import now
from releases.models import Release
from releases.routing.document import routing_document
from tests.factories import application, organization, route
from tests.releases.routing.scene import PROMPT_SYSTEM, add_release, add_rollout, changed_at, payload
from tests.releases.scene import Scene

Delivery = Release.Delivery
pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(northgate: Scene) -> None:
    create_endpoint(actor=northgate.actor, name="main-llm", base_url="http://127.0.0.1:9000/v1", credential="llm-key")


def key_of(scene: Scene, name: str, **changes: object) -> ApplicationKey:
    values: dict[str, object] = {
        "organization": scene.organization,
        "application": scene.application,
        "name": name,
        "public": name,
        "key_sha256": name * 8,
        "created_by": "test",
        "created_by_label": "test",
        "created_at": now(),
    }
    return ApplicationKey.objects.create(**values | changes)


def test_an_organization_without_any_change_stands_at_the_first_generation(db: None) -> None:
    said = payload(organization("southgate"))
    assert (said["epoch"], said["generation"], said["routes"], said["releases"]) == (1, 1, [], {})


def test_the_bytes_are_canonical_and_the_same_every_time(northgate: Scene, endpoint: None) -> None:
    add_release(northgate, 1, Delivery.STABLE)
    first, second = routing_document(northgate.organization), routing_document(northgate.organization)
    assert first == second
    assert canonical_bytes(json.loads(first.payload)) == first.payload


def test_the_stable_release_comes_with_all_that_it_is_rendered_by(northgate: Scene, endpoint: None) -> None:
    release = add_release(northgate, 1, Delivery.STABLE)
    said = payload(northgate.organization)
    assert said["routes"][0]["stable"] == release.manifest_sha256
    assert said["routes"][0]["candidate"] is None
    carried = said["releases"][release.manifest_sha256]
    assert (carried["name"], carried["endpoint"], carried["model"]) == ("r1", "main-llm", "Divinci-AI/gemma-4-e2b")
    assert carried["manifest"] == json.loads(bytes(release.manifest))
    prompt = carried["artifacts"][carried["manifest"]["prompt_template"]]
    assert prompt["system"] == PROMPT_SYSTEM
    assert carried["manifest"]["preprocessing"] in carried["artifacts"]
    assert said["endpoints"]["main-llm"] == {
        "base_url": "http://127.0.0.1:9000/v1",
        "protocol": "openai",
        "credential": "llm-key",
    }


@pytest.mark.parametrize("state", ["checkpoint", "paused", "waiting_review"])
def test_a_candidate_keeps_the_share_of_its_checkpoint_also_while_it_is_held(
    northgate: Scene, endpoint: None, state: str
) -> None:
    release = add_release(northgate, 2, Delivery.ROLLING)
    rollout = add_rollout(release, state=state)
    assert payload(northgate.organization)["routes"][0]["candidate"] == {
        "release": release.manifest_sha256,
        "rollout": rollout.pk,
        "salt": rollout.pk,
        "basis_points": 2_500,
        "shadow_basis_points": 0,
    }


@pytest.mark.parametrize("state", ["shadowing", "paused"])
def test_a_shadow_answers_nobody_and_gets_copies(northgate: Scene, endpoint: None, state: str) -> None:
    add_rollout(add_release(northgate, 2, Delivery.ROLLING), state=state, checkpoint=0)
    candidate = payload(northgate.organization)["routes"][0]["candidate"]
    assert (candidate["basis_points"], candidate["shadow_basis_points"]) == (0, 1_000)


@pytest.mark.parametrize("state", ["completed", "halted", "aborted"])
def test_a_rollout_that_is_over_gives_no_candidate(northgate: Scene, endpoint: None, state: str) -> None:
    add_rollout(add_release(northgate, 2, Delivery.HALTED), state=state)
    said = payload(northgate.organization)
    assert said["routes"][0]["candidate"] is None
    assert said["releases"] == {}


def test_the_newest_superseded_releases_are_there_to_roll_back_to(northgate: Scene, endpoint: None) -> None:
    rows = {number: add_release(northgate, number, Delivery.SUPERSEDED) for number in range(1, 7)}
    add_release(northgate, 7, Delivery.STABLE, previous_release=rows[2])
    named = {release["name"] for release in payload(northgate.organization)["releases"].values()}
    assert named == {"r7", "r6", "r5", "r4", "r2"}


def test_what_was_staged_lately_is_there_before_it_answers_anything(northgate: Scene, endpoint: None) -> None:
    at = changed_at(northgate.organization)
    add_release(northgate, 1, Delivery.REGISTERED, staged_at=at - timedelta(minutes=14))
    add_release(northgate, 2, Delivery.REGISTERED, staged_at=at - timedelta(minutes=16))
    add_release(northgate, 3, Delivery.REGISTERED)
    assert [release["name"] for release in payload(northgate.organization)["releases"].values()] == ["r1"]


def test_an_application_comes_with_its_keys_but_not_the_revoked_ones(northgate: Scene) -> None:
    set_client_settings(actor=northgate.actor, application=northgate.application, names=["temperature", "seed"])
    key, _ = key_of(northgate, "abcdefgh"), key_of(northgate, "ijklmnop", revoked_at=now())
    said = payload(northgate.organization)
    assert said["applications"] == [
        {
            "id": northgate.application.pk,
            "slug": "legal-assistant",
            "default_route": said["routes"][0]["id"],
            "client_settings": ["seed", "temperature"],
            "keys": [{"id": key.pk, "sha256": "abcdefgh" * 8, "route": None}],
        }
    ]


def test_a_release_that_no_endpoint_serves_is_left_out_and_nothing_names_it(northgate: Scene) -> None:
    add_release(northgate, 1, Delivery.STABLE)
    add_rollout(add_release(northgate, 2, Delivery.ROLLING))
    said = payload(northgate.organization)
    assert said["releases"] == {}
    assert (said["routes"][0]["stable"], said["routes"][0]["candidate"]) == (None, None)


def test_nothing_of_another_organization_is_in_it(northgate: Scene, eastgate: Scene, endpoint: None) -> None:
    create_endpoint(actor=eastgate.actor, name="secret-llm", base_url="http://127.0.0.1:9999/v1")
    key_of(eastgate, "eastkeys")
    release = add_release(eastgate, 77, Delivery.STABLE)
    add_rollout(add_release(eastgate, 78, Delivery.ROLLING))
    add_release(northgate, 1, Delivery.STABLE)
    said = routing_document(northgate.organization).payload.decode()
    theirs = ["eastgate", "secret-llm", "eastkeys", release.manifest_sha256, release.route_id, eastgate.application.pk]
    assert [word for word in theirs if word in said] == []
    assert all(word in routing_document(eastgate.organization).payload.decode() for word in theirs)


def test_the_number_of_queries_does_not_grow(northgate: Scene, endpoint: None) -> None:
    add_release(northgate, 1, Delivery.STABLE)
    with CaptureQueriesContext(
        connection,
    ) as few:
        routing_document(northgate.organization)
    for number in range(5):
        other = application(northgate.organization, f"app-{number}")
        route(other, domain="tax")
        key_of(northgate, f"key-{number}", application=other)
        create_endpoint(actor=command_actor(northgate.organization), name=f"e-{number}", base_url="http://e/v1")
        add_release(northgate, 10 + number, Delivery.SUPERSEDED)
    add_rollout(add_release(northgate, 20, Delivery.ROLLING))
    with CaptureQueriesContext(connection) as many:
        routing_document(northgate.organization)
    assert len(many) == len(few)
