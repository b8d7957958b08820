"""Two organizations, made once for the tests of a file; each test's own changes are undone after it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from tests.api.world import World, world

FAST_HASHES = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="module")
def _northgate(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Committed, and all of it deleted after the file's last test: a transaction of minutes would keep every version
    of its rows, and hold back whoever waits for the oldest writer of the server (the counting of traces).
    """
    settings = override_settings(PASSWORD_HASHERS=FAST_HASHES, RATE_LIMIT_PER_MINUTE=1_000_000)
    with django_db_blocker.unblock(), settings:
        try:
            yield world("northgate")
        finally:
            call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(scope="module")
def _eastgate(_northgate: World) -> World:
    """Its neighbour."""
    return world("eastgate")


@pytest.fixture
def db(_northgate: World) -> Iterator[None]:
    """In this folder each test's transaction, around what the file's tests share."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def northgate(db: None, _northgate: World) -> World:
    """The organization that is visited."""
    return _northgate


@pytest.fixture
def eastgate(_eastgate: World, northgate: World) -> World:
    """Another organization with the same names."""
    return _eastgate
