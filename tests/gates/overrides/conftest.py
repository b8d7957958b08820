"""Fixtures of the tests of overrides: the failed release is made once for a file, a test's own changes are undone."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.gates.overrides.scene import Gate, gate


@pytest.fixture(scope="module")
def _failed(django_db_setup: None, django_db_blocker: Any) -> Iterator[Gate]:
    """In one transaction that is undone after the file's last test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield gate()
        transaction.set_rollback(True)


@pytest.fixture
def db(_failed: Gate) -> Iterator[None]:
    """In this folder a savepoint in the file's transaction, in place of a transaction for each test."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def failed(db: None, _failed: Gate) -> Gate:
    """A release that failed on IP licensing."""
    return copy.deepcopy(_failed)
