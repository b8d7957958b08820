"""Fixtures of the tests of reviews."""

import pytest

from tests.gates.reviews.scene import Reviews, reviews
from tests.gates.scene import Scene


@pytest.fixture
def here(northgate: Scene) -> Reviews:
    """An organization with an application and a suite of two cases."""
    return reviews(northgate)


@pytest.fixture
def there(eastgate: Scene) -> Reviews:
    """Another organization with the same names."""
    return reviews(eastgate)
