"""Organizations that can register, and browsers of their people."""

import time

import pytest
from django.test import Client

from relcontrol.web.signin import PROVED_AT
from tests.releases.page_visitors import visitor
from tests.releases.scene import Scene, scene


def proved(client: Client) -> Client:
    """The same browser after a sign-in."""
    session = client.session
    session[PROVED_AT] = time.time()
    session.save()
    return client


@pytest.fixture
def northgate(db: None) -> Scene:
    """An organization that can register."""
    return scene("northgate")


@pytest.fixture
def manager(northgate: Scene) -> Client:
    """The browser of a release manager who has just proved who she is."""
    return proved(visitor(northgate.organization, "release-manager"))


@pytest.fixture
def viewer(northgate: Scene) -> Client:
    """The browser of somebody who may only look."""
    return visitor(northgate.organization, "viewer")
