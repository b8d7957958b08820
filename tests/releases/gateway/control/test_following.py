"""A gateway stays in step with its control plane, and stays as it is without one."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from releases.gateway.control import refreshing
from releases.gateway.control.errors import UnusableTrustError
from releases.gateway.control.options import GENERATION, SNAPSHOTS, SNAPSHOTS_REFUSED
from tests.releases.gateway.control import signed
from tests.releases.gateway.control.fake_edge import FakeEdge, edge, running, soon, worker
from tests.releases.gateway.control.signed import payload


def test_a_new_generation_serves_at_once_and_is_acknowledged(tmp_path: Path) -> None:
    async def story() -> float:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: control.watchers and gateway.generation == 1, "the first snapshot serves")
            started = time.monotonic()
            await control.publish(payload(2))
            await soon(lambda: any(ack["generation"] == 2 for ack in control.acks), "the swap is acknowledged")
            took = time.monotonic() - started
            assert gateway.generation == 2
            assert control.acks[-1] == {
                "replica": "gw/1",
                "region": "eu",
                "epoch": 1,
                "generation": 2,
                "fingerprints": signed.snapshot().fingerprints,
                "at": control.acks[-1]["at"],
            }
            assert gateway.metrics.levels[GENERATION] == 2
            return took

    assert asyncio.run(story()) < 0.9  # the poll alone would take a second


def test_without_the_stream_the_poll_finds_the_new_generation(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            control.announces = False
            await control.drop_streams()
            await soon(lambda: gateway.generation == 1, "the first snapshot serves")
            await control.publish(payload(2))
            await soon(lambda: gateway.generation == 2, "the poll finds it", seconds=10)

    asyncio.run(story())


def test_what_has_not_changed_is_answered_304_and_not_swapped(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: control.answers[304] >= 2, "two polls find nothing new")
            assert control.answers[200] == 1
            assert gateway.metrics.counts[SNAPSHOTS] == 1

    asyncio.run(story())


def test_a_stream_that_breaks_off_is_opened_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path):
            await soon(lambda: control.watchers, "the stream is open")
            (first,) = control.watchers
            await control.drop_streams()
            await soon(lambda: control.watchers and first not in control.watchers, "it is open again", seconds=10)

    asyncio.run(story())


def test_a_tampered_snapshot_raises_the_alarm_once_and_the_old_one_serves_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: control.watchers and gateway.generation == 1, "the first snapshot serves")
            document = json.loads(control.envelope)
            document["signatures"][0]["sig"] = "AAAA"
            await control.publish(json.dumps(document).encode(), etag='"1-2"')
            await soon(lambda: gateway.metrics.counts[SNAPSHOTS_REFUSED], "the alarm")
            fetched = control.answers[200]
            asked = control.answers.total()
            await soon(lambda: control.answers.total() >= asked + 2, "two more polls")
            assert control.answers[200] == fetched  # not downloaded again and again
            assert gateway.metrics.counts[SNAPSHOTS_REFUSED] == 1
            assert gateway.generation == 1
            await control.publish(payload(3))
            await soon(lambda: gateway.generation == 3, "a good one is taken")

    asyncio.run(story())
    assert "ALARM" in caplog.text
    assert "serves on" in caplog.text


def test_a_refused_snapshot_is_looked_at_again_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "REFUSED_S", 0.0)

    async def story() -> None:
        async with edge() as control, running(control.port, tmp_path) as gateway:
            await control.publish(b"garbage", etag='"1-1"')
            await soon(lambda: gateway.metrics.counts[SNAPSHOTS_REFUSED] >= 2, "it is fetched a second time")
            await control.publish(signed.envelope(payload(1)), etag='"1-1"')
            await soon(lambda: gateway.generation == 1, "mended under the same name, it serves")

    asyncio.run(story())


@pytest.mark.parametrize(
    "wrong",
    [payload(41), payload(42, slug="eastgate"), payload(42, origin="elsewhere"), payload(99) | {"epoch": 0}],
    ids=["older", "other organization", "other origin", "other epoch"],
)
def test_what_must_not_serve_does_not_replace_what_does(tmp_path: Path, wrong: signed.Payload) -> None:
    async def story() -> None:
        async with edge(payload(42)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: control.watchers and gateway.generation == 42, "the first snapshot serves")
            await control.publish(signed.envelope(wrong), etag='"9-9"')
            await soon(lambda: gateway.metrics.counts[SNAPSHOTS_REFUSED], "the alarm")
            assert gateway.generation == 42
            assert gateway.holder.current is not None
            assert gateway.holder.current.organization == signed.SLUG

    asyncio.run(story())


def test_heartbeats_say_what_is_true_of_the_replica(tmp_path: Path) -> None:
    async def story() -> FakeEdge:
        async with edge(payload(7)) as control, running(control.port, tmp_path) as gateway:
            gateway.in_flight.begin(signed.STABLE)
            gateway.queue.lose(3)
            await soon(lambda: len([1 for beat in control.heartbeats if beat["generation"] == 7]) >= 2, "two beats")
            return control

    beat = asyncio.run(story()).heartbeats[-1]
    assert beat == {
        "replica": "gw/1",
        "region": "eu",
        "epoch": 1,
        "generation": 7,
        "fingerprints": signed.snapshot().fingerprints,
        "in_flight": {signed.STABLE: 1},
        "queued": 0,
        "dropped": 3,
        "version": beat["version"],
    }


def test_a_replica_that_holds_nothing_yet_says_so_in_its_heartbeats(tmp_path: Path) -> None:
    async def story() -> dict[str, object]:
        async with edge() as control, running(control.port, tmp_path):
            await soon(lambda: control.heartbeats, "a heartbeat")
            return control.heartbeats[0]

    beat = asyncio.run(story())
    assert (beat["epoch"], beat["generation"], beat["fingerprints"]) == (1, 0, [])


def test_a_restart_without_control_plane_serves_from_disk(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(5)) as control:
            async with running(control.port, tmp_path) as gateway:
                await soon(lambda: gateway.generation == 5, "the snapshot serves")
                await soon((tmp_path / "routing.newest.json").exists, "it is on disk")
            port = control.port
        async with running(port, tmp_path) as restarted:
            await soon(lambda: restarted.generation == 5, "the one on disk serves")

    asyncio.run(story())


@pytest.mark.parametrize("content", [b"", b"garbage", signed.envelope(payload(5), key=signed.key_of(2))])
def test_a_damaged_snapshot_on_disk_is_ignored_until_the_control_plane_answers(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "routing.json").write_bytes(content)

    async def story() -> None:
        async with edge(payload(6)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 6, "the control plane's serves")

    asyncio.run(story())
    assert "is ignored" in caplog.text


def test_what_the_disk_remembers_keeps_an_older_snapshot_out_after_a_restart(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(5)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 5, "the snapshot serves")
            await soon((tmp_path / "routing.newest.json").exists, "it is on disk")
        (tmp_path / "routing.json").unlink()
        async with edge(payload(4)) as control, running(control.port, tmp_path) as restarted:
            await soon(lambda: restarted.metrics.counts[SNAPSHOTS_REFUSED], "the older one is refused")
            assert restarted.generation == 0
            await control.publish(payload(6))
            await soon(lambda: restarted.generation == 6, "a newer one is taken")

    asyncio.run(story())


def test_a_folder_of_another_organization_is_refused_before_serving_begins(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(5)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 5, "the snapshot serves")
            await soon((tmp_path / "routing.newest.json").exists, "it is on disk")

    asyncio.run(story())
    with pytest.raises(UnusableTrustError, match="a folder of its own"):
        worker(1, tmp_path, trust=signed.trust_file(slug="eastgate", origin="relcontrol.test/eastgate"))


def test_a_disk_that_takes_nothing_does_not_keep_a_snapshot_from_serving(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("releases.gateway.control.disk.write_private", full)

    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: gateway.generation == 1, "it serves")
            await control.publish(payload(2))
            await soon(lambda: gateway.generation == 2, "the next one serves")

    asyncio.run(story())
    assert caplog.text.count("cannot be written") == 1


def test_a_task_that_fails_begins_again_and_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("releases.gateway.control.connection.RESTART_S", (0.01, 0.02))
    failures: list[Exception] = []

    async def story() -> None:
        async with edge(payload(1)) as control:
            gateway = worker(control.port, tmp_path)
            beat = gateway.plane._reports.heartbeat

            def fails_twice() -> dict[str, object]:
                if len(failures) < 2:
                    failures.append(RuntimeError("unexpected"))
                    raise failures[-1]
                return beat()

            gateway.plane._reports.heartbeat = fails_twice  # type: ignore[method-assign]
            gateway.running = asyncio.create_task(gateway.plane.run())
            await soon(lambda: control.heartbeats and gateway.generation == 1, "heartbeats come, the snapshot serves")
            await gateway.plane.drain(1)
            await gateway.running

    asyncio.run(story())
    assert "begins again" in caplog.text


def test_a_wrong_token_is_said_once_and_the_snapshot_on_disk_serves(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with edge(payload(5)) as control:
            async with running(control.port, tmp_path) as gateway:
                await soon(lambda: gateway.generation == 5, "the snapshot serves")
                await soon((tmp_path / "routing.newest.json").exists, "it is on disk")
            async with running(control.port, tmp_path, token="revoked") as revoked:
                await soon(lambda: revoked.generation == 5, "the one on disk serves")
                await soon(lambda: caplog.text.count("heartbeat: 401") == 1, "the refusal is logged")

    asyncio.run(story())
    assert "revoked" not in caplog.text


def test_changes_that_follow_each_other_quickly_end_at_the_last_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with edge(payload(1)) as control, running(control.port, tmp_path) as gateway:
            await soon(lambda: control.watchers and gateway.generation == 1, "the first snapshot serves")
            for generation in range(2, 22):
                await control.publish(payload(generation))
            await soon(lambda: gateway.generation == 21, "twenty changes in a row end at the last", seconds=10)
            await soon(lambda: control.acks[-1]["generation"] == 21, "and it is acknowledged")

    asyncio.run(story())
