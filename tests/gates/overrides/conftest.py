"""Fixtures of the tests of overrides."""

import pytest

from tests.gates.overrides.scene import Gate, gate


@pytest.fixture
def failed(db: None) -> Gate:
    """A release that failed on IP licensing."""
    return gate()
