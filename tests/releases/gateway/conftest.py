"""One gateway for each module that asks for it: real processes are too slow to start for every sentence."""

from collections.abc import Iterator

import pytest

from tests.releases.gateway.scene import Scene, gateway


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with gateway(tmp_path_factory.mktemp("gateway"), workers="1") as running:
        yield running


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A gateway that waits three seconds for an answer and not ten minutes."""
    with gateway(tmp_path_factory.mktemp("gateway"), workers="1", timeout="3") as running:
        yield running
