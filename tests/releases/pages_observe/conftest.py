"""A watched route, and the browsers of people who look at it."""

import pytest
from django.test import Client

from releases.observer_models import Observer
from tests.releases.observing import factory
from tests.releases.page_visitors import visitor
from tests.releases.scene import Scene


@pytest.fixture
def watched(northgate: Scene) -> Observer:
    """A serving release with two slices, armed and above their floors for an hour and a half."""
    return factory.watched(northgate)


@pytest.fixture
def manager(northgate: Scene) -> Client:
    """The browser of a release manager, who may read receipts too."""
    return visitor(northgate.organization, "release-manager")


@pytest.fixture
def viewer(northgate: Scene) -> Client:
    """The browser of somebody who may only look."""
    return visitor(northgate.organization, "viewer")
