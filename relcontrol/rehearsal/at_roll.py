"""What Roll stops (ten-failures.md #8), and a healthy release that nothing stops at any of the four stages."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from relcontrol.rehearsal.lines import Line, Plan, first_served, steps_of
from relcontrol.rehearsal.stopping import ROLL, UNTOUCHED, Stopped, head, newest_receipt, seconds_since
from relcontrol.rehearsal.world import MARA, PIPELINE, Row, World, expect, must

AT_ONCE: Final = ((100,), (5, 100), (25, 5, 100), (5, 25, 50), (5, 25, 25, 100))
# Of 250 requests 200 and more are streamed, as the monitor of first tokens needs (R11).
STEPS: Final[Plan] = ((5, 250), (25, 250), (100, 250))
FAILING: Final = "demo-failing-long"
LONG: Final = 0.3
TALKATIVE: Final = 6
WATCHED: Final = 3  # windows that a healthy release must be above its floor
ARMED_WITHIN: Final = 6


def at_once(world: World) -> Stopped:
    """#8: all traffic in one step, then a release that times out on answers of more than 2,400 tokens."""
    line = first_served(world)
    release = line.next_release(model_ref=f"endpoint:{world.endpoint}/{FAILING}")
    line.pass_gate(release)
    refused = plans_are_refused(line, release)
    began = world.now().timestamp()
    rollout = line.roll(release, STEPS)
    world.asking(replace(line.crowd, long=LONG, rollout=rollout, percent=5, times=TALKATIVE))
    found = line.until_over(rollout)
    took = seconds_since(world, began)
    must(found["state"] == "halted", f"it was {found['state']}: {' '.join(found['reasons'])}")
    must((found["checkpoint"], "requests failed" in found["reasons"][0]) == (1, True), f"{found['reasons']}")
    last = in_order(found)[-1]
    must((last["act"], last["percent"], last["by"]) == ("halted", 5, "internal"), f"its last step was {last}")
    _stable_serves(line)
    receipt = newest_receipt(world, "rollout.halted", release=release["manifest_sha256"])
    by = f"{refused} Then, at 5 %, with nobody acting: {found['reasons'][0]}"
    tried = "100 % in one step, then time-outs on answers longer than 2,400 tokens"
    return Stopped(ROLL, tried, by, took, "rollout.halted", receipt["receipt_hash"])


def in_order(rollout: Row) -> list[Row]:
    """The steps of a rollout, the first one first."""
    return sorted(rollout["steps"], key=lambda step: int(step["version"]))


def plans_are_refused(line: Line, release: Row) -> str:
    """Every plan that jumps or falls short is refused, and leaves nothing behind; the sentence of the first."""
    before, said = head(line.world), []
    for percents in AT_ONCE:
        body: dict[str, Any] = {"strategy": "canary", "checkpoints": steps_of(tuple((one, 100) for one in percents))}
        answer = line.world.post(MARA, f"releases/{release['release_id']}/roll", body)
        said.append(expect(answer, 422, "rollout_plan").detail)
    must(head(line.world) == before, "a refused plan left a receipt")
    return said[0]


def _stable_serves(line: Line) -> None:
    serving = line.serving()
    stable = line.releases[0]["release_id"]
    must(serving and serving["release_id"] == stable, f"the route serves {serving}, not what it served before")
    line.world.until("every gateway has taken its traffic back", lambda: in_step(line), timedelta(minutes=1))


def in_step(line: Line) -> bool:
    """Whether every gateway serves by the present routing."""
    acknowledged = expect(line.world.get(PIPELINE, f"routes/{line.world.route}"), 200).body["acknowledged"]
    return bool(acknowledged["of"]) and acknowledged["replicas"] == acknowledged["of"]


def healthy_release(world: World) -> Stopped:
    """A cold start by way of shadow and override, then a release that passes all four stages with nobody acting."""
    line = first_served(world, dry=False)
    release = line.next_release()
    line.pass_gate(release)
    began = world.now().timestamp()
    rollout = line.roll(release, STEPS)
    world.asking(replace(line.crowd, rollout=rollout, percent=5, times=TALKATIVE))
    found = line.come_through(rollout)
    took = seconds_since(world, began)
    moved = [(step["act"], step["percent"]) for step in in_order(found) if step["act"] != "extended"]
    must(moved == [("started", 5), ("promoted", 25), ("promoted", 100), ("completed", 100)], f"it moved {moved}")
    world.asking(line.quiet)
    armed = until_armed(line, release)
    seen = datetime.fromisoformat(armed["issued_at"]) + WATCHED * world.window
    world.until("it was watched for three windows", lambda: world.now() > seen, 2 * WATCHED * world.window)
    left_alone(world)
    receipt = newest_receipt(world, "rollout.completed", release=release["manifest_sha256"])
    by = "Nothing stopped it: accepted, passed, 5 to 25 to 100 %, watched and left alone."
    return Stopped(UNTOUCHED, "a healthy release", by, took, "rollout.completed", receipt["receipt_hash"])


def left_alone(world: World) -> None:
    """What came through serves its route by its own rollout, and nobody has ever rolled that back."""
    serving = expect(world.get(PIPELINE, f"routes/{world.route}"), 200).body["serving"]
    must(serving and serving["event"] == "rollout.completed", f"the healthy release was taken back: {serving}")
    query = {"event": "rollback.auto", "application": world.application}
    must(not expect(world.get(PIPELINE, "receipts", **query), 200).body["results"], "it was rolled back once")


def until_armed(line: Line, release: Row) -> Row:
    """The receipt that automatic rollback is armed for this release."""

    def armed() -> Row | None:
        query = {"event": "observer.armed", "release": release["manifest_sha256"]}
        rows: list[Row] = expect(line.world.get(PIPELINE, "receipts", **query), 200).body["results"]
        return rows[0] if rows else None

    found: Row = line.world.until("automatic rollback is armed", armed, ARMED_WITHIN * line.world.window)
    return found
