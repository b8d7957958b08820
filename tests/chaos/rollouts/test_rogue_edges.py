"""Somebody else answers as the control plane: what must not serve is refused and counted, and the gateway stays up."""

from collections.abc import Iterator

import pytest

from tests.releases.gateway.control import signed
from tests.releases.gateway.scene import Scene, gateway, snapshot_payload
from tests.waiting import until

GENERATION = 42
REFUSED = "relcontrol_gateway_snapshots_refused_total"
SECONDS = 20


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A gateway on generation 42 of its organization."""
    with gateway(tmp_path_factory.mktemp("gateway")) as scene:
        yield scene


def payload(of: Scene, generation: int, **members: object) -> signed.Payload:
    return {**snapshot_payload(f"http://127.0.0.1:{of.edge.port}", generation), **members}


def wrong(of: Scene, how: str) -> bytes:
    """A snapshot with a later generation unless it is the generation that is wrong."""
    later = payload(of, GENERATION + 1)
    ways: dict[str, bytes] = {
        "another key": signed.envelope(later, key=signed.key_of(99)),
        "older generation": signed.envelope(payload(of, GENERATION - 1)),
        "older epoch": signed.envelope(payload(of, GENERATION + 1, epoch=0)),
        "another organization": signed.envelope({**later, "organization": "eastgate"}),
        "no snapshot": b"<html>It works!</html>",
    }
    return ways[how]


def refusals(of: Scene) -> float:
    lines = of.ask("/metrics", key="").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(REFUSED))


@pytest.mark.parametrize(
    "how",
    ["another key", "older generation", "older epoch", "another organization", "no snapshot"],
)
def test_what_a_rogue_edge_says_is_refused_and_requests_are_served_as_before(serving: Scene, how: str) -> None:
    before = refusals(serving)
    serving.edge.envelope = wrong(serving, how)
    until(lambda: refusals(serving) > before, SECONDS, "the snapshot is refused")
    answer = serving.chat()
    assert answer.status == 200
    assert answer.headers["x-relcontrol-generation"] == str(GENERATION)


def test_the_true_edge_is_believed_again_afterwards(serving: Scene) -> None:
    serving.edge.envelope = signed.envelope(payload(serving, GENERATION + 1))
    later = str(GENERATION + 1)
    until(lambda: serving.chat().headers["x-relcontrol-generation"] == later, SECONDS, "the next generation serves")
