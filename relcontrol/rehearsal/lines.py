"""A line of releases on one route, by the API alone: a first one by way of a shadow and a reasoned override, then more.

A brand-new application has nothing to compare with, so its first release is tried by copies of requests that nothing
answers yet, and two people write down why it may begin. What follows it goes by checkpoints.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from relcontrol.rehearsal.samples import graded
from relcontrol.rehearsal.setting_up import (
    JUDGE,
    cases_of,
    judged,
    overridden,
    prompt,
    registered,
    results_of,
    slices_and_suite,
)
from relcontrol.rehearsal.world import MARA, PIPELINE, Crowd, Row, World, expect, must

Plan = tuple[tuple[int, int], ...]  # percent and requests of each checkpoint

CASES: Final = 40
LEVEL: Final = graded(CASES, 0.85, low=0.7, high=1.0)
FLOOR: Final = "0.70"  # what the gate asks for; the observer asks for .85 of it
DWELL_S, QUICK_DWELL_S = 15, 4
SHADOW: Final[Plan] = ((5, 100), (25, 100), (100, 100))
# Where it is not told how a release came to its share of traffic, its monitors are without effect, and it is quick.
QUICK: Final[Plan] = ((20, 20), (50, 20), (100, 20))
DRY: Final = ("errors", "latency", "quality")
HEALTHY: Final = "demo-healthy"
COLD_START: Final = (
    "First release of this application: there is nothing to compare with yet. Two experts read every answer of the "
    "suite, and the route opens to the firm's own lawyers only."
)
QUIET, QUIET_TOKENS = 2, 160  # so many users at once; a date stands in the second sentence of an answer
OVER: Final = frozenset({"completed", "halted", "aborted"})
WAITING: Final = "waiting_review"
SLOW: Final = "The users of this rehearsal are slow, and its monitors are without effect: it goes on."
ROLLED_WITHIN: Final = timedelta(minutes=4)


@dataclass
class Line:
    """The releases of an application that were registered, oldest first, all on the route of its world.

    `quick` are the rollouts that only bring a release to its share: where the machine is too busy for their requests,
    a person has them go on.
    """

    world: World
    slice: str
    model_ref: str
    releases: list[Row] = field(default_factory=list)
    quick: set[str] = field(default_factory=set)

    @property
    def crowd(self) -> Crowd:
        """Users whose requests belong to the line's slice."""
        return Crowd({"topic": self.slice})

    @property
    def quiet(self) -> Crowd:
        """The same users where nothing waits for their requests but the observer."""
        return replace(self.crowd, at_once=QUIET, tokens=QUIET_TOKENS)

    def serving(self) -> Row | None:
        """What the route serves now."""
        found: Row | None = expect(self.world.get(PIPELINE, f"routes/{self.world.route}"), 200).body["serving"]
        return found

    def next_release(self, **changes: Any) -> Row:
        """The next release, on top of what serves; its prompt is new unless something else changes. It has passed."""
        before = self.serving()
        body = {"model_ref": self.model_ref, "prompt_template_ref": self._prompt_of(before), **changes}
        if not changes:
            body["prompt_template_ref"] = prompt(self.world, len(self.releases) + 1)
        release = registered(self.world, **body, previous_release=before["release_id"] if before else None)
        self.releases.append(release)
        return release

    def pass_gate(self, release: Row) -> None:
        """Judge answers that are as good as those of the release before."""
        document = self.judge(release)
        must(document["verdict"] == "gate_pass", f"a healthy release got {document['reasons']}")

    def judge(self, release: Row) -> Row:
        """A gate run on answers as good as ever."""
        return judged(self.world, release, results_of({self.slice: LEVEL}, release["release_id"]))

    def roll(self, release: Row, plan: Plan, *, strategy: str = "canary", dry: bool = False) -> str:
        """Start a rollout as a person; its id. Gateways may need a moment until they have the release."""
        steps = steps_of(plan, QUICK_DWELL_S if dry else DWELL_S)
        body: Row = {"strategy": strategy, "checkpoints": steps, "dry_monitors": DRY if dry else ()}
        body["reason"] = "The rehearsal goes on."
        path = f"releases/{release['release_id']}/roll"

        def started() -> str | None:
            answer = self.world.post(MARA, path, body)
            if answer.status == 409 and answer.code == "rollout_not_ready":
                return None
            return str(expect(answer, 202).body["rollout_id"])

        rollout_id = str(self.world.until("the rollout can start", started, timedelta(minutes=1)))
        if dry:
            self.quick.add(rollout_id)
        return rollout_id

    def rollout(self, rollout_id: str) -> Row:
        """A rollout as it is now."""
        found: Row = expect(self.world.get(PIPELINE, f"rollouts/{rollout_id}"), 200).body
        return found

    def until_over(self, rollout_id: str) -> Row:
        """The rollout once it has ended; one that waits for a person has not come through by itself."""
        found: Row = self.world.until("the rollout is over", self._over(rollout_id), ROLLED_WITHIN)
        return found

    def come_through(self, rollout_id: str) -> Row:
        """The same, completed."""
        found = self.until_over(rollout_id)
        must(found["state"] == "completed", f"a healthy rollout was {found['state']}: {' '.join(found['reasons'])}")
        return found

    def _over(self, rollout_id: str) -> Callable[[], Row | None]:
        def over() -> Row | None:
            found = self.rollout(rollout_id)
            if found["state"] == WAITING and rollout_id in self.quick:
                self.world.post(MARA, f"rollouts/{rollout_id}/resume", {"reason": SLOW})
                return None
            must(found["state"] != WAITING, f"the rollout waits for a person: {' '.join(found['reasons'])}")
            return found if found["state"] in OVER else None

        return over

    def _prompt_of(self, serving: Row | None) -> str:
        if serving is None:
            return f"{self.world.prompt}@v1"
        shown = expect(self.world.get(PIPELINE, f"releases/{serving['release_id']}"), 200).body
        return str(shown["refs"]["prompt_template"])


def steps_of(plan: Plan, dwell_s: int = DWELL_S) -> list[Row]:
    """The checkpoints of a plan as the API takes them."""
    return [{"percent": percent, "dwell_seconds": dwell_s, "requests": requests} for percent, requests in plan]


def first_served(world: World, system: str = "", *, dry: bool = True) -> Line:
    """A line whose first release serves: judged, overridden by two people as there is nothing before it, shadowed."""
    slug = f"{world.application}-answers"
    rule: Mapping[str, Any] = {"metadata": {"topic": slug}}
    body = {"slug": slug, "name": "Answers", "threshold": 0.65, "quality_floor": FLOOR, "judge": JUDGE, "match": rule}
    slices_and_suite(world, [body], cases_of(slug, CASES))
    prompt(world, 1, system)
    line = Line(world, slug, f"endpoint:{world.endpoint}/{HEALTHY}")
    world.asking(line.crowd)
    release = registered(world, model_ref=line.model_ref)
    line.releases.append(release)
    must(line.judge(release)["verdict"] != "gate_pass", "a cold start passed its gate with nothing to compare with")
    expect(world.post(MARA, f"releases/{release['release_id']}/roll", {"strategy": "shadow"}), 409, "not_deployable")
    overridden(world, release, COLD_START)
    line.come_through(line.roll(release, QUICK if dry else SHADOW, strategy="shadow", dry=dry))
    served = line.serving()
    must(served and served["release_id"] == release["release_id"], f"the first release does not serve: {served}")
    return line
