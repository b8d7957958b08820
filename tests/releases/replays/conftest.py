"""Fixtures of the replays' tests: a rollout, and the demo model server on a loopback socket."""

from collections.abc import Iterator

import pytest

from tests.demo_models.client import serving
from tests.releases.replays.stage import Stage, stage


@pytest.fixture(scope="package")
def models() -> Iterator[str]:
    """The address of the demo models, which answer at once."""
    with serving(seed=0) as server:
        yield f"http://127.0.0.1:{server.port}/v1"


@pytest.fixture
def here(db: None) -> Stage:
    """A rollout whose model server does not answer."""
    return stage()
