"""One demo model server for the tests of this folder, without pauses, in a thread and reached through a socket."""

from collections.abc import Iterator

import pytest

from tests.demo_models.client import Client, serving


@pytest.fixture(scope="package")
def client() -> Iterator[Client]:
    with serving(seed=0) as found:
        yield found
