"""Fixtures of the gate's tests; the pure ones need no database and ask for none."""

import pytest

from tests.gates.scene import Scene, scene


@pytest.fixture
def northgate(db: None) -> Scene:
    """An organization with two slices."""
    return scene("northgate")


@pytest.fixture
def eastgate(db: None) -> Scene:
    """Another organization with the same names."""
    return scene("eastgate")
