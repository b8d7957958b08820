"""`GET /v1/routing` and `/v1/routing/watch` of a real edge process."""

import asyncio
import base64
import json

import aiohttp
from django.db import transaction

from audit.administration.routing import next_generation
from relcontrol.accounts.models import RoutingState
from tests.factories import route
from tests.releases.edge.conftest import Gateways, gateways
from tests.releases.edge.processes import EdgeProcess, Stream
from tests.waiting import until

WATCHERS = 100


def bump(of: Gateways) -> int:
    with transaction.atomic():
        return next_generation(of.organization).generation


def generation_of(of: Gateways) -> int:
    return RoutingState.objects.get(organization=of.organization).generation


def position(stream: Stream) -> tuple[int, int]:
    said = json.loads(stream.event()["data"])
    return said["epoch"], said["generation"]


def test_the_snapshot_is_a_signed_envelope_of_the_present_generation(edge: EdgeProcess, northgate: Gateways) -> None:
    answer = edge.call("/v1/routing", northgate.token)
    assert answer.status == 200
    assert answer.headers["etag"] == f'"1-{generation_of(northgate)}"'
    assert answer.json["payloadType"] == "application/vnd.relcontrol.routing+json"
    payload = json.loads(base64.b64decode(answer.json["payload"]))
    assert payload["organization"] == "northgate"
    assert payload["generation"] == generation_of(northgate)


def test_who_has_the_generation_is_told_so_and_nothing_else(edge: EdgeProcess, northgate: Gateways) -> None:
    etag = edge.call("/v1/routing", northgate.token).headers["etag"]
    for said in (etag, f'"0-0", W/{etag}'):
        answer = edge.call("/v1/routing", northgate.token, If_None_Match=said)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)


def test_who_has_an_older_generation_gets_the_new_one(edge: EdgeProcess, northgate: Gateways) -> None:
    etag = edge.call("/v1/routing", northgate.token).headers["etag"]
    generation = bump(northgate)

    def newer() -> bool:
        answer = edge.call("/v1/routing", northgate.token, If_None_Match=etag)
        return answer.status == 200 and answer.headers["etag"] == f'"1-{generation}"'

    until(newer, 2, "the snapshot is the new generation's")


def test_a_watch_begins_with_the_present_generation_and_hears_of_the_next(
    edge: EdgeProcess, northgate: Gateways
) -> None:
    with edge.watch(northgate.token) as stream:
        first = stream.event()
        generation = generation_of(northgate)
        assert first["id"] == f"1-{generation}"
        assert first["event"] == "generation"
        assert json.loads(first["data"]) == {"epoch": 1, "generation": generation}
        route(northgate.application, domain="tax")
        assert position(stream) == (1, generation + 1)


def test_a_watch_hears_nothing_of_other_organizations(edge: EdgeProcess, northgate: Gateways) -> None:
    eastgate = gateways("eastgate")
    with edge.watch(northgate.token) as stream, edge.watch(eastgate.token) as theirs:
        before, others = position(stream), position(theirs)
        bump(eastgate)
        assert position(theirs) == (1, others[1] + 1)
        bump(northgate)
        assert position(stream) == (1, before[1] + 1)


def test_a_change_that_is_rolled_back_is_no_news(edge: EdgeProcess, northgate: Gateways) -> None:
    with edge.watch(northgate.token) as stream:
        before = position(stream)
        with transaction.atomic():
            next_generation(northgate.organization)
            transaction.set_rollback(True)
        assert bump(northgate) == before[1] + 1
        assert position(stream) == (1, before[1] + 1)


def test_a_hundred_watchers_hear_of_a_commit(edge: EdgeProcess, northgate: Gateways) -> None:
    """How soon is measured by `manage.py bench propagation`."""
    before = bump(northgate)
    heard = asyncio.run(_heard_by_watchers(edge, northgate))
    assert heard == [before + 1] * WATCHERS


async def _heard_by_watchers(edge: EdgeProcess, of: Gateways) -> list[int]:
    """The generation that each watcher is told of by the second event of its stream, after one commit."""
    headers = {"Authorization": f"Bearer {of.token}"}
    began = [asyncio.Event() for _ in range(WATCHERS)]

    async def one(session: aiohttp.ClientSession, begun: asyncio.Event) -> int:
        async with session.get(f"http://127.0.0.1:{edge.port}/v1/routing/watch", headers=headers) as answer:
            await answer.content.readuntil(b"\n\n")
            begun.set()
            event = await answer.content.readuntil(b"\n\n")
            (data,) = [line for line in event.decode().splitlines() if line.startswith("data:")]
            return int(json.loads(data.removeprefix("data:"))["generation"])

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(60)) as session:
        tasks = [asyncio.create_task(one(session, begun)) for begun in began]
        await asyncio.gather(*(begun.wait() for begun in began))
        await asyncio.to_thread(_bump_in_thread, of)
        return await asyncio.gather(*tasks)


def _bump_in_thread(of: Gateways) -> None:
    from django.db import connection  # noqa: PLC0415 - the connection of this thread

    try:
        bump(of)
    finally:
        connection.close()
