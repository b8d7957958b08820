"""An organization that can register, requests that came in, and browsers of its people."""

import pytest
from django.test import Client

from tests.releases.page_visitors import visitor
from tests.releases.scene import Scene, scene


@pytest.fixture
def northgate(db: None) -> Scene:
    """An organization that can register, with the slices ip-licensing and contract-drafting."""
    return scene("northgate")


@pytest.fixture
def viewer(northgate: Scene) -> Client:
    """The browser of somebody who may see the organization, and nothing said in it."""
    return visitor(northgate.organization, "viewer")


@pytest.fixture
def auditor(northgate: Scene) -> Client:
    """The browser of somebody who may read what was said as well."""
    return visitor(northgate.organization, "auditor")
