"""Fixtures of the tests of privacy."""

import pytest

from tests.releases.privacy.stage import Stage, stage


@pytest.fixture
def here(db: None) -> Stage:
    """Copies of two subjects everywhere."""
    return stage()
