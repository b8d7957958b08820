"""An organization whose releases are answered by the demo models: gated by results, rolled out by the API."""

from dataclasses import dataclass
from typing import Any

from audit.administration.applications import create_endpoint
from relcontrol.rehearsal.samples import graded
from relcontrol.rehearsal.setting_up import COMMENT, REASON, results_of, slices_and_suite
from relcontrol.rehearsal.world import DANIEL, MARA
from releases.models import Release
from releases.rollout_models import Rollout
from tests.acceptance.live.crowd import SLICES
from tests.acceptance.moved import world_of
from tests.factories import Api
from tests.gates.runs.stage import JUDGE, SUITE, Stage, cases_of

CASES = 40
HEALTHY, PROMPT = "demo-healthy", "templates/legal-qa@v1"
LEVEL = graded(CASES, 0.85, low=0.3, high=0.9)


@dataclass
class Office:
    """The stage, and two people who may override and roll."""

    stage: Stage
    mara: Api
    daniel: Api
    dwell: int = 1

    def registered(self, model: str, previous: Release | None, **changes: Any) -> Release:
        """A release of this model; with a previous one, that is its one change unless another is given."""
        body = {
            "model_ref": f"endpoint:main-llm/{model}",
            "prompt_template_ref": PROMPT,
            "routing": {"domain": "legal"},
            "dataset_version": SUITE,
            **({"previous_release": previous.pk} if previous else {}),
            **changes,
        }
        answer = self.stage.ci.post("releases", body)
        assert answer.status_code == 201, answer.content
        return Release.objects.get(pk=answer.json()["release_id"])

    def judged(self, release: Release) -> str:
        """The verdict on answers as good as those before."""
        parts = dict.fromkeys(SLICES, LEVEL)
        verdict: str = self.stage.judged(release, results_of(parts, release.name))["verdict"]
        return verdict

    def overridden(self, release: Release) -> None:
        """Two people let a stopped release go."""
        body = {"forceGateOverride": True, "overrideReason": REASON}
        asked = self.mara.post(f"releases/{release.pk}/override", body)
        assert asked.status_code == 201, asked.content
        agreed = self.daniel.post(f"overrides/{asked.json()['override_id']}/approve", {"comment": COMMENT})
        assert agreed.status_code == 200, agreed.content

    def roll(self, release: Release, *steps: tuple[int, int], strategy: str = "canary") -> Any:
        """POST …/roll by a person: (percent, requests) of each checkpoint."""
        plan = [{"percent": percent, "dwell_seconds": self.dwell, "requests": requests} for percent, requests in steps]
        return self.mara.post(f"releases/{release.pk}/roll", {"strategy": strategy, "checkpoints": plan})

    def rolling(self, release: Release, *steps: tuple[int, int], strategy: str = "canary") -> Rollout:
        """The same, which must begin."""
        answer = self.roll(release, *steps, strategy=strategy)
        assert answer.status_code == 202, answer.content
        return Rollout.objects.get(pk=answer.json()["rollout_id"])


def office(models_url: str) -> Office:
    """Slices with thresholds that traces can belong to, a suite, a prompt, and the demo models as endpoint."""
    slices = [
        {"slug": slug, "name": slug, "threshold": 0.65, "judge": JUDGE, "match": {"metadata": {"topic": slug}}}
        for slug in SLICES
    ]
    world = world_of()
    slices_and_suite(world, slices, [case for slug in SLICES for case in cases_of(slug, CASES)])
    here = world.stage
    create_endpoint(actor=here.actor, name="main-llm", base_url=models_url)
    value = {"kind": "prompt_template", "system": "You answer legal questions.", "user": "{{ input }}"}
    answer = here.ci.post("artifacts", {"ref": PROMPT, "value": value})
    assert answer.status_code == 201, answer.content
    return Office(here, world.clients[MARA], world.clients[DANIEL])
