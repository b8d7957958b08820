"""Fixtures of the tests of panels."""

import pytest

from tests.gates.panels.scene import Campaign, campaign
from tests.gates.scene import Scene


@pytest.fixture
def here(northgate: Scene) -> Campaign:
    """An organization with a suite, experts and a manager."""
    return campaign(northgate)
