"""Two organizations, made once for the tests of a file; each test's own changes are undone after it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from tests.api.world import World, world

FAST_HASHES = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="module")
def _northgate(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """In one transaction that is undone after the file's last test."""
    settings = override_settings(PASSWORD_HASHERS=FAST_HASHES, RATE_LIMIT_PER_MINUTE=1_000_000)
    with django_db_blocker.unblock(), settings, transaction.atomic():
        yield world("northgate")
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def _eastgate(_northgate: World) -> World:
    """In the same transaction."""
    return world("eastgate")


@pytest.fixture
def db(_northgate: World) -> Iterator[None]:
    """In this folder a savepoint in the file's transaction, in place of a transaction for each test."""
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
