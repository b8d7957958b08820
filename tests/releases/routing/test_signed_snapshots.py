"""The snapshot in its envelope: signed by the routing key, the same from every process, taken by gateways."""

import base64
import json
import subprocess
import sys
from threading import Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.administration.applications import create_endpoint
from audit.envelope import sign_envelope
from audit.keys.keyring import public_keys, signer
from audit.keys.signing import LOG, ROUTING
from relcontrol.accounts.models import Organization, RoutingState
from relcontrol.clock import now
from relcontrol.runtime.folders import CHECKOUT
from releases.gateway.control.trust import trust_of
from releases.gateway.control.verification import verified
from releases.models import Release
from releases.routing import document
from releases.routing.document import state_of
from releases.routing.snapshot import remembered, signed_snapshot
from tests.releases.routing.scene import add_release, add_rollout, bump, payload_of
from tests.releases.scene import Scene, scene

Delivery = Release.Delivery
IN_ANOTHER_PROCESS = """
import sys, django
django.setup()
from relcontrol.accounts.models import Organization
from releases.routing import document
from releases.routing.document import state_of
from releases.routing.snapshot import signed_snapshot
sys.stdout.buffer.write(signed_snapshot(Organization.objects.get(slug=sys.argv[1])).body)
"""


def serving(of: Scene) -> Release:
    """A stable release behind an endpoint."""
    create_endpoint(actor=of.actor, name="main-llm", base_url="http://127.0.0.1:9000/v1")
    return add_release(of, 1, Delivery.STABLE)


@pytest.mark.django_db
def test_a_gateway_takes_the_snapshot(northgate: Scene) -> None:
    release = serving(northgate)
    add_rollout(add_release(northgate, 2, Delivery.ROLLING))
    signed = signed_snapshot(northgate.organization)
    owner = northgate.organization
    trusted = {
        "organization": owner.slug,
        "origin": owner.origin,
        "keys": [key.as_json() for key in public_keys()],
    }
    trust = trust_of(trusted)
    taken = verified(signed.body, keys=trust.keys, organization=trust.served, newest=signed.position, now=now())
    assert release.manifest_sha256 in taken.releases


@pytest.mark.django_db
def test_it_is_signed_by_the_routing_key_with_the_routing_type(northgate: Scene) -> None:
    envelope = json.loads(signed_snapshot(northgate.organization).body)
    assert envelope["payloadType"] == "application/vnd.relcontrol.routing+json"
    purposes = {key.as_json()["keyid"]: key.purpose for key in public_keys()}
    assert [purposes[signature["keyid"]] for signature in envelope["signatures"]] == [ROUTING]
    assert base64.b64decode(envelope["payload"]).startswith(b'{"applications":')


@pytest.mark.django_db
def test_a_key_of_another_purpose_signs_no_envelope() -> None:
    with pytest.raises(ValueError, match="signs no envelopes"):
        sign_envelope(b"{}", signer(LOG))


@pytest.mark.django_db
def test_it_is_made_once_for_each_generation(northgate: Scene) -> None:
    serving(northgate)
    first = signed_snapshot(northgate.organization)
    with CaptureQueriesContext(connection) as queries:
        assert signed_snapshot(northgate.organization) is first
    assert len(queries) == 1
    assert remembered(northgate.organization) is first
    bump(northgate.organization)
    second = signed_snapshot(northgate.organization)
    assert second.position == (first.epoch, first.generation + 1)
    assert second.etag == f'"{second.epoch}-{second.generation}"'
    assert payload_of(second.body)["generation"] == second.generation


@pytest.mark.django_db(transaction=True)
def test_another_process_makes_the_same_bytes(process_environment: dict[str, str]) -> None:
    northgate = scene("northgate")
    serving(northgate)
    add_rollout(add_release(northgate, 2, Delivery.ROLLING))
    mine = signed_snapshot(northgate.organization).body
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, "northgate"]
    theirs = subprocess.run(
        command, cwd=CHECKOUT, env=process_environment, stdout=subprocess.PIPE, check=True, timeout=60
    )
    assert theirs.stdout == mine


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_between_two_queries_is_in_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    northgate = scene("northgate")

    def then_somebody_changes(organization: Organization) -> RoutingState:
        state = state_of(organization)
        thread = Thread(target=_commit, args=[northgate])
        thread.start()
        thread.join()
        return state

    monkeypatch.setattr(document, "state_of", then_somebody_changes)
    before = state_of(northgate.organization)
    read = document.routing_document(northgate.organization)
    assert state_of(northgate.organization).generation == before.generation + 1
    assert read.generation == before.generation
    assert b"main-llm" not in read.payload


def _commit(of: Scene) -> None:
    try:
        create_endpoint(actor=of.actor, name="main-llm", base_url="http://127.0.0.1:9000/v1")
    finally:
        connection.close()
