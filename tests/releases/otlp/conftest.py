"""An organization whose exporters send spans."""

import pytest

from tests.releases.otlp.receiver import Receiver
from tests.releases.scene import Scene


@pytest.fixture
def receiver(northgate: Scene) -> Receiver:
    """Where northgate's spans go."""
    return Receiver(northgate.organization)
