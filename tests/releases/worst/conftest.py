"""The demo model server on a loopback socket, for the release that answers again."""

from collections.abc import Iterator

import pytest

from tests.demo_models.client import serving


@pytest.fixture(scope="package")
def models() -> Iterator[str]:
    """The address of the demo models, which answer at once."""
    with serving(seed=0) as server:
        yield f"http://127.0.0.1:{server.port}/v1"
