"""The trust file holds the key of every purpose that signs here, before anything was signed."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from audit.keys.keyring import signer
from audit.keys.signing import ROUTING
from audit.models import KeyringEntry
from relcontrol.accounts.models import Organization
from releases.gateway.control.trust import trust_of
from tests import factories

pytestmark = pytest.mark.django_db
PURPOSES = {"receipts", "export", "log", "routing"}


@pytest.fixture(autouse=True)
def nothing_was_signed_yet(northgate: Organization) -> None:
    """As on a machine whose first act is to fetch the trust file."""
    assert not KeyringEntry.objects.filter(purpose=ROUTING).exists()


def printed(organization: Organization) -> dict[str, Any]:
    out = StringIO()
    call_command("trust", organization=organization.slug, stdout=out)
    return dict(json.loads(out.getvalue()))


def test_the_api_names_a_key_of_each_purpose(northgate: Organization) -> None:
    document = factories.api(factories.service_token(northgate, "audit:read")).get("trust").json()
    assert {key["purpose"] for key in document["keys"]} == PURPOSES


def test_the_command_prints_what_the_api_answers(northgate: Organization) -> None:
    answered = factories.api(factories.service_token(northgate, "audit:read")).get("trust").json()
    assert printed(northgate) == answered


def test_a_gateway_believes_the_key_that_signs_the_routing(northgate: Organization) -> None:
    [key] = trust_of(printed(northgate)).keys
    assert key.keyid == signer(ROUTING).keyid


def test_the_page_lists_the_routing_key(admin: Client) -> None:
    assert '<th scope="row">Routing</th>' in admin.get("/o/northgate/settings/keys/").text


def test_asking_twice_makes_no_second_key(northgate: Organization) -> None:
    assert printed(northgate) == printed(northgate)
    assert KeyringEntry.objects.filter(purpose=ROUTING).count() == 1
