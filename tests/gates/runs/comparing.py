"""A route with two releases on sixty cases: what tests of the comparison begin with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from releases.models import Release
from tests.factories import Api
from tests.gates.runs.stage import Row, Stage, agreeing, cases_of, results_of, stage

SLICE = "ip-licensing"
COUNT = 60
CASES = cases_of(SLICE, COUNT)
RANKED, GRADES = agreeing(COUNT, 0.8)
SCORES = [0.2 + 0.6 * score for score in RANKED]
RULE = {"name": "IP licensing", "threshold": "0.65", "quality_floor": "0.4"}
REASON = "The two cases were checked by hand with the patent team; both answers are right."


@dataclass
class Pair:
    """The stage, the release that is served, and the one that is to be judged against it."""

    stage: Stage
    first: Release
    second: Release

    def judged(self, results: Sequence[Row], **order: Any) -> Row:
        """The verdict on the second release."""
        return self.stage.judged(self.second, results, **order)

    def state(self) -> Row:
        """The second release as the API shows it."""
        found: Row = self.stage.ci.get(f"releases/{self.second.pk}").json()
        return found


def new_stage(**rule: Any) -> Stage:
    """The slice and its suite."""
    return stage({SLICE: RULE | rule}, CASES)


def unscored(**rule: Any) -> Pair:
    """Two releases of which none was judged."""
    here = new_stage(**rule)
    return Pair(here, here.register(), here.register())


def scored(**rule: Any) -> Pair:
    """Two releases of which the first was judged."""
    pair = unscored(**rule)
    pair.stage.judged(pair.first, rows("a"))
    return pair


def rows(system: str = "b", *, scores: Sequence[float | None] = SCORES, **changes: Any) -> list[Row]:
    """Graded results; `changes` stand in every row."""
    return [row | changes for row in results_of(CASES, scores, GRADES, system)]


def with_drop(points: float, place: int = 30) -> list[Row]:
    """Results in which one case is that many points of 100 worse than before."""
    changed = list(SCORES)
    changed[place] -= points / 100
    return rows(scores=changed)


def only(document: Row) -> Row:
    """What was found in the one slice."""
    (found,) = document["slices"]
    return dict(found)


def limit(document: Row, metric: str) -> Row:
    """One of the limits."""
    return next(each for each in document["limits"] if each["metric"] == metric)


def admin_sets(here: Stage, **policy: Any) -> None:
    """A new revision of the gate policy."""
    answer = here.person("admin").post("policies", {"kind": "gate", **policy})
    assert answer.status_code == 200, answer.content


def signed_off(reviewer: Api, document: Row) -> Row:
    """A person's signature under all that a run left for review."""
    answer = reviewer.post(f"gate-runs/{document['gate_run_id']}/sign-off", {"reason": REASON})
    assert answer.status_code == 201, answer.content
    found: Row = answer.json()
    return found
