"""The ground of the chaos bench: an organization with one route, a watched slice, keys, and releases one on the other.

Rows are made by the services, but for three: the first release serves without a rollout of its own, and gate verdicts
are written by hand, because what is killed here is what comes after the gate.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from audit.administration.application_keys import create_application_key
from audit.administration.applications import create_application, create_endpoint, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person
from audit.administration.tokens import create_token
from gates.models import Suite
from gates.policies.definition import Definition
from gates.run_models import GateRun
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization, Role, Route
from relcontrol.bench.chaos_traffic import TOPIC
from relcontrol.bench.chaos_upstream import FAILING
from relcontrol.clock import now
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.rollout_models import Serving

SLUG: Final = "chaos"
APPLICATION: Final = "assistant"
ENDPOINT: Final = "main"
SUITE: Final = "scored-qa-v1"
PROMPT: Final = "templates/answers"
ROUTING: Final = {"domain": "legal"}
HEALTHY_MODEL: Final = f"endpoint:{ENDPOINT}/steady"
NOBODY: Final = "0" * 64
GATEWAY_SCOPES: Final = ("routing:read", "gateway:heartbeat", "traces:write")
MANAGER: Final = "manager@chaos.example"


@dataclass(frozen=True, slots=True)
class Stage:
    """What the processes are told: tokens and a key as texts."""

    organization: Organization
    route: Route
    gateway_token: str
    manager_token: str
    application_key: str


def set_stage(upstream: str) -> Stage:
    """Make everything, with a first release that serves; `upstream` is the address of the model server."""
    owner = create_organization(slug=SLUG, name="Chaos")
    actor = command_actor(owner)
    application = create_application(actor=actor, slug=APPLICATION)
    route = create_route(actor=actor, application=application, routing=ROUTING)
    create_endpoint(actor=actor, name=ENDPOINT, base_url=upstream)
    create_slice(actor=actor, slug=TOPIC, threshold=Decimal("0.5"), match={"metadata": {"topic": TOPIC}})
    case = json.dumps({"case_id": "c1", "slice": TOPIC, "input": "May affiliates use the licence?"}).encode()
    carry_out(request_import(actor=actor, name=SUITE, body=case, file_format="jsonl"))
    manager = add_person(actor=actor, email=MANAGER, roles=[Role.RELEASE_MANAGER]).person
    first = register(actor=actor, order=Order(**registration(f"{PROMPT}@v0", HEALTHY_MODEL, None))).release
    _serve(first)
    return Stage(
        organization=owner,
        route=route,
        gateway_token=create_token(actor=actor, name="gateway", scopes=GATEWAY_SCOPES)[1],
        manager_token=create_token(actor=actor, name="manager", person=manager)[1],
        application_key=create_application_key(actor=actor, application=application, name="clients")[1],
    )


def registration(prompt_ref: str, model: str, previous: str | None) -> dict[str, Any]:
    """The body of a registration, with the prompt's content."""
    value = {"kind": "prompt_template", "system": f"You answer questions by {prompt_ref}."}
    return {
        "application": APPLICATION,
        "model_ref": model,
        "prompt_template_ref": prompt_ref,
        "routing": ROUTING,
        "dataset_version": SUITE,
        "previous_release": previous,
        "artifacts": [{"ref": prompt_ref, "value": value}],
    }


def candidate(number: int, stable: Release, *, healthy: bool) -> dict[str, Any]:
    """The next registration on what serves: another prompt that is well, or a model that is not. One thing changes."""
    if healthy:
        return registration(f"{PROMPT}@v{number}", HEALTHY_MODEL, stable.pk)
    return registration(stable.refs["prompt_template"], failing_model(number), stable.pk)


def failing_model(number: int) -> str:
    """A model whose canary must be halted; each has a name of its own, as no release is registered twice."""
    return f"endpoint:{ENDPOINT}/{FAILING}-{number}"


def passed(release: Release) -> None:
    """The verdict that lets a release roll."""
    definition = Definition()
    policy = {"id": None, "revision": 1, "sha256": definition.sha256(), "definition": definition.as_json()}
    document = {"verdict": GateRun.Verdict.PASS.value, "slices": [], "reasons": []}
    number = GateRun.objects.filter(application=release.application).count() + 1
    GateRun.objects.create(
        organization=release.organization,
        application=release.application,
        number=number,
        manifest_sha256=release.manifest_sha256,
        candidate={"name": release.name},
        order={},
        policy=policy,
        slices=[],
        slice_set_sha256=NOBODY,
        judges={},
        suite=Suite.objects.get(organization=release.organization),
        parity="match",
        body_sha256=NOBODY,
        results_sha256=NOBODY,
        gate_run_sha256=f"{number:064x}",
        verdict=GateRun.Verdict.PASS,
        document=document,
        state=GateRun.State.DONE,
        requested_by="bench",
        requested_by_label="bench",
        requested_with={"kind": "system", "auth": "command"},
        created_at=now(),
        finished_at=now(),
    )


def _serve(release: Release) -> None:
    release.delivery = Release.Delivery.STABLE
    release.save(update_fields=["delivery"])
    Serving.objects.create(
        route=release.route,
        release=release,
        since=now(),
        generation=1,
        event="rollout.completed",
        decided_by="bench",
        decided_by_label="bench",
        receipt_hash=NOBODY,
    )
