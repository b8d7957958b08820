"""One organization for all tests of weights; each test's own changes are undone."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from relcontrol.accounts.models import Role
from releases.models import Release
from tests.audit.weights.observing import WEIGHTS, observer
from tests.factories import person_actor
from tests.releases.canary import Canary, endpoint, passed, replica, serving, warm
from tests.releases.rolling.readings import readings
from tests.releases.scene import OTHER_PROMPT, scene, stable

__all__ = ["readings"]
FAST_HASHES = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def open_weights() -> Canary:
    """A route that serves open weights, a candidate with another prompt, and an agent beside the model server."""
    made = scene()
    endpoint(made.organization)
    first = Release.objects.get(pk=made.registered(weights_sha256=WEIGHTS)["release_id"])
    serving(stable(first.pk))
    fields = {"weights_sha256": WEIGHTS, "prompt_template_ref": OTHER_PROMPT, "previous_release": first.pk}
    second = Release.objects.select_related("organization", "application", "route").get(
        pk=made.registered(**fields)["release_id"]
    )
    passed(second)
    replica(made.organization, fingerprints=[first.bundle_sha256, second.bundle_sha256])
    warm(first)
    observer(made.organization)
    return Canary(made, first, second, person_actor(made.organization, Role.RELEASE_MANAGER))


@pytest.fixture(scope="package")
def _shared(django_db_setup: None, django_db_blocker: Any) -> Iterator[Canary]:
    fast = override_settings(PASSWORD_HASHERS=FAST_HASHES)
    with fast, django_db_blocker.unblock(), transaction.atomic():
        yield open_weights()
        transaction.set_rollback(True)


@pytest.fixture
def db(_shared: Canary) -> Iterator[None]:
    """Each test's own part of the one transaction."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def here(db: None, _shared: Canary) -> Canary:
    """The organization, what its route serves, and what may roll; gateway and model server answer now."""
    replica(_shared.organization)
    warm(_shared.stable)
    return _shared
