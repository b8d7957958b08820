"""The edge loses its connections, its database, its life: it comes back by itself, and says so meanwhile."""

import json
import os
import signal
import time

from django.db import connection, transaction

from audit.administration.routing import next_generation
from tests.releases.edge.conftest import Gateways
from tests.releases.edge.processes import EdgeProcess, Stream, edge_process
from tests.waiting import until

END_LISTENING = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'relcontrol edge, listening'"
)
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def as_owner(statement: str) -> list[int]:
    """Run a statement as the owner: rc_app ends nobody's connection."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(statement)
        rows = [row[0] for row in cursor.fetchall()]
        cursor.execute("RESET ROLE")
    return rows


def listens(edge: EdgeProcess) -> bool:
    return "relcontrol_edge_listening 1.0" in edge.call("/metrics").body.decode()


def bump(of: Gateways) -> int:
    with transaction.atomic():
        return next_generation(of.organization).generation


def generation(stream: Stream) -> int:
    said: int = json.loads(stream.event()["data"])["generation"]
    return said


def test_a_killed_listening_connection_comes_back_and_what_happened_meanwhile_is_read(
    edge: EdgeProcess, northgate: Gateways
) -> None:
    until(lambda: listens(edge), 10, "the edge listens")
    with edge.watch(northgate.token) as stream:
        generation(stream)
        assert as_owner(END_LISTENING)
        made = bump(northgate)
        assert generation(stream) == made
        until(lambda: listens(edge), 10, "the edge listens again")
        made = bump(northgate)
        assert generation(stream) == made


def test_all_connections_lost_at_once_end_no_stream(edge: EdgeProcess, northgate: Gateways) -> None:
    until(lambda: listens(edge), 10, "the edge listens")
    with edge.watch(northgate.token) as stream:
        generation(stream)
        as_owner(OTHERS)
        made = bump(northgate)
        assert generation(stream) == made
    until(lambda: edge.call("/v1/routing", northgate.token).status == 200, 10, "the routing is there again")
    assert edge.call("/readyz").status == 200


def test_without_its_database_the_edge_says_when_to_come_again(process_environment: dict[str, str]) -> None:
    """Nobody listens where its database should be: it starts, and answers."""
    away = "postgresql://rc_app@127.0.0.1:1/nothing"
    environment = process_environment | {"DATABASE_URL": away, "DATABASE_APP_URL": away}
    with edge_process(environment, ready=False) as edge:
        ready = edge.call("/readyz")
        assert (ready.status, ready.json["status"]) == (503, "not ready")
        assert edge.call("/healthz").status == 200
        answer = edge.call("/v1/routing", "rc_0123456789abcdef.0123456789012345678901234567890123456789012")
        assert (answer.status, answer.json["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"


def test_sigterm_ends_the_streams_at_once(process_environment: dict[str, str], northgate: Gateways) -> None:
    with edge_process(process_environment) as edge, edge.watch(northgate.token) as stream:
        stream.event()
        os.kill(edge.process.pid, signal.SIGTERM)
        asked = time.monotonic()
        assert stream.ended()
        edge.process.wait(timeout=20)
        assert time.monotonic() - asked < 4  # draining waits five seconds for a stream that nobody ends
