"""The driver of the tests: the scenarios of `relcontrol.rehearsal` by Django's test client, with a clock that is moved.

Gateways, users and processes are one loop here: requests become traces as a gateway sends them, the services are
ticked, jobs are done on the spot, and the clock goes on by some seconds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from audit.administration.applications import create_endpoint
from relcontrol import clock
from relcontrol.accounts.models import RoutingState
from relcontrol.jobs.leases import claimable
from relcontrol.rehearsal.world import DANIEL, MARA, PIPELINE, Crowd, NotStoppedError, Reply
from relcontrol.ticks import JOBS, work
from releases.models import Release
from releases.observing.ticking import tick_observers
from releases.replica_models import Replica
from releases.rolling.ticking import tick_rollouts
from tests.acceptance.users import Models, Users
from tests.factories import PASSWORD, Api, api, person, person_token, route
from tests.gates.runs.stage import SUITE, Stage, bare
from tests.releases.evaluating.servers import model_server

STEP = timedelta(seconds=10)
DONE_ON_THE_SPOT = ("replay", "observe")
JOBS_A_STEP = 10


class Clock:
    """In place of `datetime` in `relcontrol.clock`: the real time, and how far it was moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self, zone: Any = UTC) -> datetime:
        """The time here."""
        return datetime.now(zone) + self.ahead


@dataclass
class Moved:
    """An organization with one application; without a model server nobody can ask anything."""

    stage: Stage
    clients: Mapping[str, Api]
    browsers: Mapping[str, Client]
    clock: Clock
    users: Users
    route: str
    organization: str = "northgate"
    application: str = "legal-assistant"
    suite: str = SUITE
    prompt: str = "templates/legal-qa"
    endpoint: str = "main-llm"
    window: timedelta = timedelta(seconds=60)
    crowd: Crowd | None = field(default=None)

    def now(self) -> datetime:
        return self.clock.now()

    def get(self, who: str, path: str, **query: str) -> Reply:
        return _reply(self.clients[who].get(path, **query))

    def post(self, who: str, path: str, body: Any = None) -> Reply:
        return _reply(self.clients[who].post(path, body))

    def upload(self, who: str, path: str, lines: str) -> Reply:
        client = self.clients[who].client
        return _reply(client.post(f"/v1/{path}", lines.encode(), content_type="application/x-ndjson"))

    def submit(self, who: str, page: str, form: Mapping[str, str]) -> Reply:
        address = f"/o/{self.organization}/{page}"
        assert self.browsers[who].get(address).status_code == 200
        return _reply(self.browsers[who].post(address, dict(form), follow=True))

    def turn(self, model: str, behaviour: str) -> None:
        self.users.models.behaviours[model] = behaviour

    def asking(self, crowd: Crowd) -> None:
        self.crowd = crowd

    def until(self, what: str, condition: Callable[[], Any], within: timedelta) -> Any:
        deadline = self.now() + within
        while not (found := condition()):
            if self.now() > deadline:
                raise NotStoppedError(f"not within {within}: {what}")
            self._step()
        return found

    def _step(self) -> None:
        """What happens in some seconds."""
        if self.crowd is not None:
            self.users.ask(self.crowd, self.now(), STEP)
        self._report()
        self.clock.ahead += STEP
        tick_rollouts(self.now())

        tick_observers(self.now())
        for kind in DONE_ON_THE_SPOT:
            rows = claimable(JOBS[kind][0]._default_manager.all(), self.now()).values_list("pk", flat=True)
            for key in rows[:JOBS_A_STEP]:
                work(kind, key)

    def _report(self) -> None:
        """What a gateway that has everything says of itself."""
        routing = RoutingState.objects.get(organization=self.stage.organization)
        bundles = Release.objects.filter(organization=self.stage.organization).values_list("bundle_sha256", flat=True)
        seen = {"epoch": routing.epoch, "generation": routing.generation, "fingerprints": sorted(set(bundles))}
        Replica.objects.update_or_create(
            organization=self.stage.organization,
            name="gw-1",
            defaults={**seen, "seen_at": self.now()},
            create_defaults={**seen, "first_seen_at": self.now(), "seen_at": self.now()},
        )


def _reply(answer: Any) -> Reply:
    kind = answer.headers.get("Content-Type", "")
    return Reply(answer.status_code, answer.json() if "json" in kind else answer.content.decode())


def world_of(slug: str = "northgate", *, models_url: str = "", time: Clock | None = None) -> Moved:
    """A world of this organization; where its models answer, and a clock that was put in the place of the real one."""
    stage = bare(slug)
    route(stage.application, domain="legal", tier="pro")
    if models_url:
        create_endpoint(actor=stage.actor, name="main-llm", base_url=models_url)
    people = {
        name: person(stage.organization, "release-manager", email=f"{name}@{slug}.example") for name in (MARA, DANIEL)
    }
    browsers = {name: Client(raise_request_exception=False) for name in people}
    for name, browser in browsers.items():
        browser.post("/sign-in", {"email": people[name].email, "password": PASSWORD})
    legal = stage.application.routes.select_related("organization", "application").get(routing={"domain": "legal"})
    clients = {name: api(person_token(stage.organization, who)) for name, who in people.items()}
    return Moved(
        stage=stage,
        clients={PIPELINE: stage.ci, **clients},
        browsers=browsers,
        clock=time or Clock(),
        users=Users(legal, Models()),
        route=legal.pk,
        organization=slug,
    )


@contextmanager
def moving() -> Iterator[Moved]:
    """A world with users, models and time of its own."""
    time, models = Clock(), Models()
    with pytest.MonkeyPatch.context() as steady, model_server(models.said) as server:
        steady.setattr(clock, "datetime", time)
        world = world_of(models_url=server.url, time=time)
        world.users.models = models
        yield world
