"""Judges that were measured: three experts' grades of forty answers on each of two slices, and scores that follow them.

On IP licensing the scores rank as the experts do, on contract drafting they do not.
"""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from audit.administration.applications import create_endpoint
from gates.calibrations.requesting import carry_out, request_calibration
from gates.judge_making import create_judge
from gates.judge_models import CalibrationRun
from gates.judges import judge_for
from gates.models import Judge, Suite
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.selectors import endpoints_of
from tests import factories
from tests.gates.panels.scene import suite_of
from tests.gates.scene import Scene

JUDGE = "external:legal-judge@9"
EACH = 40
RATERS = ("ada", "bea", "cyd")
PROMPT = {"system": "You are strict.", "user": "Question: {{ input }}\nAnswer: {{ answer }}"}


@dataclass(frozen=True)
class Measured:
    """What the pages of judges are about."""

    scene: Scene
    suite: Suite
    judge: Judge
    run: CalibrationRun
    owner: Actor

    @property
    def client(self) -> Client:
        """The domain owner's browser."""
        return browser(self.owner)


def browser(actor: Actor) -> Client:
    """A signed-in browser."""
    assert actor.person
    client = Client(raise_request_exception=False)
    client.force_login(actor.person)
    return client


def grade(number: int, rater: int) -> int:
    """A grade from 1 to 5; raters differ somewhat."""
    return max(1, min(5, 1 + number % 5 + (number * (rater + 3) % 7 < 3) - (number * (rater + 2) % 5 == 1)))


def rows(each: int = EACH) -> list[dict[str, Any]]:
    """Cases of two slices, each with an answer that three experts graded."""
    slugs = ("ip-licensing", "contract-drafting")
    return [
        {
            "case_id": f"{slug}-{number}",
            "slice": slug,
            "input": f"Question {number} on {slug}?",
            "answers": [
                {
                    "answer_id": f"a{number}",
                    "output": f"Answer {number}.",
                    "human_scores": [grade(number, rater) for rater in range(3)],
                    "raters": list(RATERS),
                }
            ],
        }
        for slug in slugs
        for number in range(each)
    ]


def scores(each: int = EACH) -> list[dict[str, Any]]:
    """Scores from 0 to 1 of all answers."""
    by_slug = {
        "ip-licensing": [(number % 5 + number % 3 / 3) / 6 for number in range(each)],
        "contract-drafting": [number * 7 % 11 / 11 for number in range(each)],
    }
    return [
        {"case_id": f"{slug}-{number}", "answer_id": f"a{number}", "score": score}
        for slug, given in by_slug.items()
        for number, score in enumerate(given)
    ]


def measured(scene: Scene, judge: str = JUDGE) -> Measured:
    """The judge, measured on both slices and named by both."""
    owner = factories.person_actor(scene.organization, "domain-owner")
    for slug in ("ip-licensing", "contract-drafting"):
        scene.ci.patch(f"slices/{slug}", {"threshold": 0.65, "judge": judge})
    suite = suite_of(scene, rows())
    row = judge_for(actor=owner, name=judge, scale=None)
    run = carry_out(request_calibration(actor=owner, judge=row, suite=suite, scores=scores()))
    assert run.state == "done", run.problem
    return Measured(scene, suite, row, run, owner)


def model_judge(here: Measured, name: str = "llm:rubric@1", **fields: Any) -> Judge:
    """A judge that is a model, at an endpoint that is made with the first."""
    if not endpoints_of(here.scene.organization).exists():
        create_endpoint(actor=here.scene.actor, name="primary", base_url="http://127.0.0.1:11434/v1")
    given = {"endpoint": "primary", "model": "demo-judge", "prompt": PROMPT, "draws": 3, **fields}
    return create_judge(actor=here.owner, name=name, fields=given)[0]
