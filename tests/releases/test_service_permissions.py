"""Each service asks for its permission itself: pages and commands come past the API's own check."""

from collections.abc import Callable
from typing import Any

import pytest

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Route
from relcontrol.errors import Forbidden
from releases.artifacts import create_artifact
from releases.checkpoints import DEFAULT_PLAN
from releases.models import ArtifactVersion, Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.rolling.order import RollOrder
from releases.rolling.preparing import prepare
from releases.rolling.rolling_back import roll_back
from releases.rolling.starting import dry_start, start_rollout
from tests.factories import person_actor
from tests.releases.scene import PROMPT_VALUE, Scene, body

ROLL = RollOrder(plan=DEFAULT_PLAN)
SERVICES: dict[str, Callable[[Actor], Any]] = {
    "register": lambda actor: register(actor=actor, order=Order(**body())),
    "create_artifact": lambda actor: create_artifact(actor=actor, ref="templates/n@v1", value=PROMPT_VALUE),
    "prepare": lambda actor: prepare(actor=actor, release=Release()),
    "start_rollout": lambda actor: start_rollout(actor=actor, release=Release(), order=ROLL),
    "dry_start": lambda actor: dry_start(actor=actor, release=Release(), order=ROLL),
    "roll_back": lambda actor: roll_back(actor=actor, route=Route(), reason="It answers wrongly."),
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_refuses_an_actor_without_the_role_and_writes_nothing(northgate: Scene, service: str) -> None:
    viewer = person_actor(northgate.organization, "viewer")
    before = northgate.written(), ArtifactVersion.objects.count()
    with pytest.raises(Forbidden):
        SERVICES[service](viewer)
    assert (northgate.written(), ArtifactVersion.objects.count()) == before
