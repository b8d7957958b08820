"""One route that has served three releases, made once for the tests of a file; each test's own changes are undone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from relcontrol import clock as clock_of_the_product
from releases.rolling import looking, readiness, ticking
from tests.releases.canary import Canary, canary
from tests.releases.lineage.walked import Clock, Walked, walked_route
from tests.releases.rolling.readings import Readings

FAST_HASHES = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="module")
def _walked(django_db_setup: None, django_db_blocker: Any) -> Iterator[Walked]:
    """Committed, and all of it deleted after the file's last test; what monitors see is always within its limits."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        patched.setattr(clock_of_the_product, "datetime", clock)
        patched.setattr(readiness, "COOL_DOWN", timedelta(0))
        patched.setattr(looking, "measured", Readings().measured)
        patched.setattr(ticking, "fold", lambda *_: None)
        patched.setattr(ticking, "choose_pairs", lambda *_: 0)
        with override_settings(PASSWORD_HASHERS=FAST_HASHES):
            try:
                yield walked_route(canary(), clock)
            finally:
                call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def db(_walked: Walked) -> Iterator[None]:
    """Each test's transaction, around what the file's tests share."""
    ahead = _walked.clock.ahead
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    _walked.clock.ahead = ahead


@pytest.fixture
def route(db: None, _walked: Walked) -> Walked:
    """The route after two whole rollouts."""
    return _walked


@pytest.fixture
def here(route: Walked) -> Canary:
    """Its organization, with the first release and the second."""
    return route.canary


@pytest.fixture
def clock(route: Walked) -> Clock:
    """The product's clock, to be moved."""
    return route.clock
