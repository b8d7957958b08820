"""One server for the tests of this folder, and for each file one organization whose endpoint it is."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from relcontrol.model_servers import retries
from tests.gates.scoring.counting import Counting, counting
from tests.gates.scoring.stage import Stage, stage


@pytest.fixture(scope="package")
def one_server() -> Iterator[Counting]:
    with counting() as server:
        yield server


@pytest.fixture(scope="module")
def one_stage(one_server: Counting, django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield stage(one_server.base_url)
        transaction.set_rollback(True)


@pytest.fixture
def server(one_server: Counting) -> Counting:
    one_server.reset()
    return one_server


@pytest.fixture
def at(one_stage: Stage, server: Counting, db: None) -> Stage:
    return one_stage


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retries, "LONGEST_WISH", 0.001)
