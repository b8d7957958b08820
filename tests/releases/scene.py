"""An organization that can register: application, route, suite, prompts; and bodies of registrations."""

import json
from dataclasses import dataclass
from typing import Any

from audit.models import Receipt
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Application, Organization
from releases.artifacts import create_artifact
from releases.models import Release
from tests.factories import Api, api, application, organization, route, service_token

PROMPT = "templates/legal-qa@v14"
OTHER_PROMPT = "templates/legal-qa@v15"
PREPROCESSING = "preprocessing/tidy@v1"
SUITE = "scored-qa-legal-v3"
MODEL = "Divinci-AI/gemma-4-e2b@a7c91f"
OTHER_MODEL = "Divinci-AI/gemma-4-e4b@b81d02"
PROMPT_VALUE = {"kind": "prompt_template", "system": "You answer legal questions.", "user": "{{ input }}"}
TIDY_VALUE = {"kind": "preprocessing", "steps": [{"op": "strip"}, {"op": "collapse_whitespace"}]}
CASES = [
    {"case_id": "c1", "slice": "ip-licensing", "input": "May affiliates use the licence?"},
    {
        "case_id": "c2",
        "slice": "contract-drafting",
        "input": "Draft a termination clause.",
        "reference": "…",
        "cluster_id": "doc-7",
    },
]


@dataclass(frozen=True)
class Scene:
    """What a test needs of one organization. `ci` is a client with the scopes of a pipeline."""

    organization: Organization
    application: Application
    actor: Actor
    ci: Api

    def register(self, **changes: Any) -> Any:
        """POST /v1/releases with a body like `body(**changes)`."""
        return self.ci.post("releases", body(**changes))

    def registered(self, **changes: Any) -> dict[str, Any]:
        """The same, which must make a release."""
        answer = self.register(**changes)
        assert answer.status_code == 201, answer.content
        made: dict[str, Any] = answer.json()
        return made

    def written(self) -> tuple[int, int]:
        """How many releases and receipts there are: what a refused call must not change."""
        rows = Receipt.objects.filter(organization=self.organization)
        return Release.objects.filter(organization=self.organization).count(), rows.count()


def scene(slug: str = "northgate") -> Scene:
    """An organization with one application on domain=legal, two prompts, a preprocessing and a suite."""
    owner = organization(slug)
    made = application(owner)
    actor = command_actor(owner)
    for name in ("ip-licensing", "contract-drafting"):
        create_slice(actor=actor, slug=name)
    lines = "\n".join(json.dumps(case) for case in CASES).encode()
    carry_out(request_import(actor=actor, name=SUITE, body=lines, file_format="jsonl"))
    create_artifact(actor=actor, ref=PROMPT, value=PROMPT_VALUE)
    create_artifact(actor=actor, ref=OTHER_PROMPT, value=PROMPT_VALUE | {"system": "You answer law questions."})
    create_artifact(actor=actor, ref=PREPROCESSING, value=TIDY_VALUE)
    ci = api(service_token(owner, "releases:write", "rollouts:write"))
    return Scene(owner, made, actor, ci)


def second_route(of: Scene) -> None:
    """The route domain=legal, tier=pro."""
    route(of.application, domain="legal", tier="pro")


def body(**changes: Any) -> dict[str, Any]:
    """A registration that is accepted as a cold start; None leaves a field out."""
    full = {
        "model_ref": MODEL,
        "prompt_template_ref": PROMPT,
        "routing": {"domain": "legal"},
        "dataset_version": SUITE,
        **changes,
    }
    return {name: value for name, value in full.items() if value is not None}


def stable(release_id: str) -> Release:
    """Make a release what its route serves, as a completed rollout will."""
    row = Release.objects.get(pk=release_id)
    Release.objects.filter(route=row.route, delivery="stable").update(delivery="superseded")
    row.delivery = Release.Delivery.STABLE
    row.save(update_fields=["delivery"])
    return row
