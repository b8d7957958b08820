"""What every test of rollouts begins with."""

import pytest

from tests.releases.canary import Canary, canary
from tests.releases.rolling.readings import readings

__all__ = ["here", "readings"]


@pytest.fixture
def here(db: None) -> Canary:
    """A stable release, and a candidate that may roll."""
    return canary()
