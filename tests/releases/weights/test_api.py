"""REST: statements, observers, observations, and what is known of a digest."""

from typing import Any

import pytest

from audit.evidence_models import WeightsStatement
from tests.audit.weights.files import foreign_bundle, foreign_key
from tests.audit.weights.observing import OTHER, OTHER_WEIGHTS, WEIGHTS, envelope, key, statement
from tests.factories import Api
from tests.releases.canary import Canary


@pytest.fixture
def agent(here: Canary) -> Api:
    """What runs beside the model server."""
    return here.service("gateway:heartbeat")


def test_a_statement_is_handed_in_once_and_names_the_digest_to_register(here: Canary) -> None:
    body = {"bundle": foreign_bundle(), "public_key": foreign_key().decode()}
    first, again = (here.scene.ci.post("weights/statements", body) for _ in range(2))
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert first.json()["weights_sha256"] == "33b5b14cdc0a51a12c20805deeadaa9bdeaf3476ebb79ae68992b7d86f93bc91"
    assert here.events()[-1] == "artifact.created"
    found = here.scene.ci.get(f"weights/sha256:{first.json()['weights_sha256']}").json()
    assert found["statements"][0]["bundle"]["dsseEnvelope"] == foreign_bundle()["dsseEnvelope"]
    assert (found["assurance"], found["observations"]) == ("declared", [])


@pytest.mark.parametrize(
    "body", [{"bundle": {}}, {"bundle": foreign_bundle()}, {"bundle": foreign_bundle(), "public_key": "x"}]
)
def test_a_statement_that_does_not_hold_is_refused_with_what_to_do(here: Canary, body: dict[str, Any]) -> None:
    answer = here.scene.ci.post("weights/statements", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "bundle")
    assert not WeightsStatement.objects.exists()


def test_an_observation_is_taken_in_from_a_registered_agent(here: Canary, agent: Api) -> None:
    body = {"envelope": envelope(here.organization), "statement": statement().bundle}
    answer, again = agent.post("weights/observations", body), agent.post("weights/observations", body)
    assert (answer.status_code, again.status_code) == (201, 200)
    assert (answer.json()["drifted"], answer.json()["releases"]) == (False, [here.stable.pk])
    assert len(answer.json()["receipts"]) == 1
    known = agent.get(f"weights/{WEIGHTS}").json()
    assert (known["assurance"], known["drifted"], len(known["observations"])) == ("files-at-load", False, 1)


def test_other_files_are_no_error_of_the_call(here: Canary, agent: Api) -> None:
    answer = agent.post("weights/observations", {"envelope": envelope(here.organization, seen=OTHER)})
    assert (answer.status_code, answer.json()["drifted"]) == (201, True)
    assert agent.get(f"weights/{WEIGHTS}").json()["drifted"] is True


def test_a_stranger_is_told_how_to_become_known(here: Canary, agent: Api) -> None:
    answer = agent.post("weights/observations", {"envelope": envelope(here.organization, "stranger")})
    assert (answer.status_code, answer.json()["code"]) == (403, "unknown_observer")
    assert "POST /v1/weights/observers" in answer.json()["detail"]


def test_a_person_registers_an_observer_and_no_service_does(here: Canary, agent: Api) -> None:
    body = {"name": "gpu-2", "public_key": key("gpu-2").public.pem.decode()}
    admin = here.client("admin")
    assert agent.post("weights/observers", body).status_code == 403
    answer = admin.post("weights/observers", body)
    assert (answer.status_code, answer.json()["keyid"]) == (201, key("gpu-2").public.keyid)
    assert here.events()[-1] == "policy.changed"
    assert [row["name"] for row in admin.get("weights/observers").json()["results"]] == ["gpu-2", "gpu-1"]
    assert admin.post("weights/observers", body).status_code == 409
    taken = admin.post("weights/observers", {"name": "gpu-2", "public_key": key("gpu-3").public.pem.decode()})
    wrong = admin.post("weights/observers", {"name": "gpu-3", "public_key": "ssh-ed25519 AAAA"})
    assert [each.json()["errors"][0]["field"] for each in (taken, wrong)] == ["name", "public_key"]


def test_weights_that_nobody_knows_are_not_there(here: Canary, agent: Api) -> None:
    assert [agent.get(f"weights/{name}").status_code for name in (OTHER_WEIGHTS, "nonsense")] == [404, 404]
