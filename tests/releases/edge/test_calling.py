"""Who may call the edge, and how it says no."""

import asyncio
from typing import Any

import pytest
from django.db import connection

from audit.administration.tokens import revoke_token
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Token
from relcontrol.accounts.permissions import READ_ROUTING
from relcontrol.errors import Unauthenticated
from releases.edge import callers
from releases.edge.callers import KEPT_SECONDS, Callers
from releases.edge.threads import Threads
from tests.factories import person, person_token, service_token
from tests.releases.edge.conftest import Gateways
from tests.releases.edge.processes import EdgeProcess

UNKNOWN = "rc_0123456789abcdef.0123456789012345678901234567890123456789012"
PATHS = ["routing", "routing/watch", "gateways/heartbeat", "gateways/ack", "traces", "otlp/v1/traces"]
SCOPES = {"routing": "routing:read", "gateways": "gateway:heartbeat", "traces": "traces:write", "otlp": "traces:write"}


def body_for(path: str) -> bytes | None:
    return None if path.startswith("routing") else b"{}"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["", "nonsense", UNKNOWN])
def test_nobody_gets_anywhere_without_a_known_token(edge: EdgeProcess, path: str, token: str) -> None:
    answer = edge.call(f"/v1/{path}", token, body_for(path))
    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_without_the_scope_is_told_which_one_it_needs(edge: EdgeProcess, northgate: Gateways) -> None:
    for path in PATHS:
        needed = SCOPES[path.partition("/")[0]]
        others = sorted({*SCOPES.values()} - {needed})
        answer = edge.call(f"/v1/{path}", service_token(northgate.organization, *others), body_for(path))
        assert (answer.status, answer.json["code"]) == (403, "forbidden"), path
        assert needed in answer.json["detail"]


def test_a_viewer_does_not_read_the_routing_but_an_administrator_does(edge: EdgeProcess, northgate: Gateways) -> None:
    owner = northgate.organization
    viewer, admin = (person_token(owner, person(owner, role)) for role in ("viewer", "admin"))
    assert edge.call("/v1/routing", viewer).status == 403
    assert edge.call("/v1/routing", admin).status == 200


def test_unknown_paths_and_methods_are_problems_too(edge: EdgeProcess) -> None:
    missing, wrong = edge.call("/v1/nothing"), edge.call("/v1/traces", method="GET")
    assert (missing.status, missing.json["code"]) == (404, "not_found")
    assert (wrong.status, wrong.json["code"], wrong.headers["allow"]) == (405, "method_not_allowed", "POST")


def test_every_answer_carries_the_request_id(edge: EdgeProcess) -> None:
    given = edge.call("/v1/routing", X_Request_Id="mine-1")
    assert given.headers["x-request-id"] == given.json["request_id"] == "mine-1"
    assert len(edge.call("/healthz", X_Request_Id="not safe\t").headers["x-request-id"]) == 24


def test_metrics_count_without_naming_a_customer(edge: EdgeProcess, northgate: Gateways) -> None:
    edge.call("/v1/routing", northgate.token)
    text = edge.call("/metrics").body.decode()
    assert "relcontrol_edge_streams" in text
    assert "relcontrol_edge_listening 1.0" in text
    assert "northgate" not in text


class Clock:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Counted(Threads):
    """Runs each work in a thread that leaves no connection behind, and counts it."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self.runs += 1

        def whole() -> Any:
            try:
                return work(*args, **kwargs)
            finally:
                connection.close()

        return await asyncio.to_thread(whole)


def answer_of(asked: Callers, token: str) -> Actor:
    return asyncio.run(asked.caller(f"Bearer {token}", READ_ROUTING))


def test_who_calls_many_times_at_once_is_looked_up_once(northgate: Gateways) -> None:
    threads = Counted()
    asked = Callers(threads, Clock())

    async def together() -> list[Actor]:
        return await asyncio.gather(*(asked.caller(f"Bearer {northgate.token}", READ_ROUTING) for _ in range(20)))

    assert {actor.organization.slug for actor in asyncio.run(together())} == {"northgate"}
    assert threads.runs == 1


def test_a_revoked_token_stops_within_five_seconds(northgate: Gateways) -> None:
    clock, threads = Clock(), Counted()
    asked = Callers(threads, clock)

    def ask() -> str:
        return answer_of(asked, northgate.token).organization.slug

    assert ask() == "northgate"
    token = Token.objects.get(organization=northgate.organization)
    assert token.last_used_at is not None
    revoke_token(actor=command_actor(northgate.organization), token=token)
    clock.at += KEPT_SECONDS - 0.1
    assert ask() == "northgate"
    assert threads.runs == 1
    clock.at += 0.2
    with pytest.raises(Unauthenticated):
        ask()


def test_what_is_kept_of_callers_is_bounded(northgate: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "MOST_KEPT", 2)
    asked = Callers(Counted(), Clock())
    for _ in range(5):
        token = service_token(northgate.organization, "routing:read")
        answer_of(asked, token)
        assert len(asked._kept) <= 2
