"""Each service asks for its permission itself: pages and commands come past the API's own check."""

from collections.abc import Callable
from typing import Any

import pytest

from relcontrol.accounts.actors import Actor
from relcontrol.errors import Forbidden
from releases.artifacts import create_artifact
from releases.models import ArtifactVersion, Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.rolling import require_deployable
from tests.factories import person_actor
from tests.releases.scene import PROMPT_VALUE, Scene, body

SERVICES: dict[str, Callable[[Actor], Any]] = {
    "register": lambda actor: register(actor=actor, order=Order(**body())),
    "create_artifact": lambda actor: create_artifact(actor=actor, ref="templates/n@v1", value=PROMPT_VALUE),
    "require_deployable": lambda actor: require_deployable(actor=actor, release=Release()),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refuses_an_actor_without_the_role_and_writes_nothing(northgate: Scene, service: str) -> None:
    viewer = person_actor(northgate.organization, "viewer")
    before = northgate.written(), ArtifactVersion.objects.count()
    with pytest.raises(Forbidden):
        SERVICES[service](viewer)
    assert (northgate.written(), ArtifactVersion.objects.count()) == before
