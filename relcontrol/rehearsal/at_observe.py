"""What Observe stops (ten-failures.md #9 and #10): a model that goes bad quietly once it answers everybody.

Whoever runs the model changes it under its old name, after the release has all traffic. Latency, errors and filters say
nothing; three windows of judged answers do, and the route goes back to the release before, with nobody awake.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from relcontrol.rehearsal.at_gate import claimed
from relcontrol.rehearsal.at_roll import in_step, until_armed
from relcontrol.rehearsal.lines import HEALTHY, QUICK, Line, first_served
from relcontrol.rehearsal.stopping import OBSERVE, Stopped
from relcontrol.rehearsal.world import PIPELINE, Row, World, expect, must

Story = Callable[[World], Stopped]

BREACHES: Final = 3
WITHIN: Final = 5  # windows: under five minutes of real ones
CROSSED_WITHIN: Final = 2


def silent_hedging(world: World) -> Stopped:
    """#9: as quick as before and without an error, "you should consult an attorney" in place of an answer."""
    tried = "after 100 %, “you should consult an attorney” in place of answers; same latency, same 5xx"
    return _taken_back(world, "demo-hedging", tried)


def impossible_dates(world: World) -> Stopped:
    """#10: "Thursday March 32nd", with latency, errors and safety filter clean."""
    tried = "after 100 %, “Thursday March 32nd”; latency, 5xx and safety filter clean"
    return _taken_back(world, "demo-impossible-dates", tried)


def _taken_back(world: World, behaviour: str, tried: str) -> Stopped:
    model = f"{world.application}-model"
    world.turn(model, HEALTHY)
    line = first_served(world)
    release = line.next_release(model_ref=f"endpoint:{world.endpoint}/{model}")
    line.pass_gate(release)
    line.come_through(line.roll(release, QUICK, dry=True))
    world.asking(line.quiet)
    until_armed(line, release)
    changed_at = world.now()
    world.turn(model, behaviour)
    receipt = _rolled_back(line, release)
    decision = claimed(world, receipt)
    took = (datetime.fromisoformat(receipt["issued_at"]) - changed_at).total_seconds()
    allowed = WITHIN * world.window.total_seconds()
    must(took < allowed, f"it was rolled back {took:.0f} s after the change, later than the {allowed:.0f} s allowed")
    _by_three_windows(line, decision["inputs"], changed_at)
    serving = line.serving()
    stable = line.releases[0]["release_id"]
    must(serving and serving["release_id"] == stable, f"the route serves {serving}, not the release before")
    world.until("every gateway has taken the traffic back", lambda: in_step(line), timedelta(minutes=1))
    means = ", ".join(str(each["value"]) for each in decision["inputs"])
    by = f"Quality {means} below its floor of {decision['inputs'][0]['threshold']} in three windows: rolled back."
    return Stopped(OBSERVE, tried, by, took, "rollback.auto", receipt["receipt_hash"])


def _rolled_back(line: Line, release: Row) -> Row:
    def found() -> Row | None:
        query = {"event": "rollback.auto", "release": release["manifest_sha256"]}
        rows: list[Row] = expect(line.world.get(PIPELINE, "receipts", **query), 200).body["results"]
        return rows[0] if rows else None

    receipt: Row = line.world.until("the release is rolled back", found, 2 * WITHIN * line.world.window)
    return receipt


def _by_three_windows(line: Line, inputs: list[Row], changed_at: datetime) -> None:
    """Three windows of the slice, each below its floor, the first of them over within two after the change."""
    must(len(inputs) == BREACHES, f"{len(inputs)} windows decided")
    for each in inputs:
        must((each["metric"], each["slice"], each["verdict"]) == ("quality", line.slice, "below"), f"one was {each}")
        must(float(each["value"]) < float(each["threshold"]), f"a window counts that is not below its floor: {each}")
    ends = sorted(datetime.fromisoformat(each["evidence"].partition(";")[0].partition(" to ")[2]) for each in inputs)
    late = (ends[0] - changed_at) / line.world.window
    must(late <= CROSSED_WITHIN, f"the floor was crossed only {late:.1f} windows after the change")
