"""Fixtures of the tests of traces."""

import pytest

from relcontrol.accounts.models import Organization
from tests.factories import organization


@pytest.fixture
def owner(db: None) -> Organization:
    """An organization without slices, keys or traces."""
    return organization("northgate")


@pytest.fixture
def other(db: None) -> Organization:
    """Another one."""
    return organization("eastgate")
