"""Fixtures of the registry's tests."""

import pytest

from tests.releases.scene import Scene, scene


@pytest.fixture
def northgate(db: None) -> Scene:
    """An organization that can register."""
    return scene("northgate")


@pytest.fixture
def eastgate(db: None) -> Scene:
    """Another organization with the same names."""
    return scene("eastgate")
