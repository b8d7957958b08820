"""One edge process for the tests of a run, and an organization whose gateways call it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import connection

from relcontrol.accounts.models import Application, Organization
from relcontrol.runtime.test_cluster import environment_for
from tests.factories import application, organization, service_token
from tests.releases.edge.processes import EdgeProcess, edge_process


@dataclass(frozen=True)
class Gateways:
    """An organization, and the token of its gateways."""

    organization: Organization
    application: Application
    token: str


@pytest.fixture(scope="session")
def edge(django_db_setup: None) -> Iterator[EdgeProcess]:
    """It is shared: a test that ends it starts one of its own."""
    with edge_process(environment_for(str(connection.settings_dict["NAME"]))) as started:
        yield started


@pytest.fixture
def northgate(transactional_db: None) -> Gateways:
    """An organization with an application."""
    return gateways("northgate")


def gateways(slug: str) -> Gateways:
    """An organization with a token as its gateways have it."""
    owner = organization(slug)
    token = service_token(owner, "routing:read", "gateway:heartbeat", "traces:write")
    return Gateways(owner, application(owner), token)
