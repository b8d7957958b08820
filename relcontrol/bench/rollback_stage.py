"""The ground of the bench `rollback`: routes that serve a release which goes wrong, after one that did not.

Rows are made by the services, but for three: both releases serve without a rollout of their own, and their gate
verdicts are written by hand, because what is measured here is what comes after 100 %.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from audit.administration.application_keys import create_application_key
from audit.administration.applications import create_application, create_endpoint, create_route
from audit.administration.organizations import create_organization
from audit.administration.routing import next_generation
from audit.administration.tokens import create_token
from gates.run_models import GateRun
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization, Route
from relcontrol.bench.chaos_stage import ENDPOINT, GATEWAY_SCOPES, NOBODY, ROUTING, SUITE, Stage, passed
from relcontrol.bench.chaos_traffic import TOPIC
from relcontrol.clock import now
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register
from releases.rollout_models import Serving

PROMPT: Final = "templates/answers@v1"
VALUE: Final = {"kind": "prompt_template", "system": "You answer questions on licences."}
# What the gate measured, and by which floor it passed both releases.
MEAN, FLOOR = 0.95, 0.8


@dataclass(frozen=True, slots=True)
class Line:
    """A route with what it serves (`left`), what a rollback goes to (`kept`), and the key of its clients."""

    route: Route
    kept: Release
    left: Release
    key: str


def set_stage(upstream: str, models: Sequence[tuple[str, str]]) -> tuple[Stage, list[Line]]:
    """For each pair of models an application: the first has served until now, the second begins to.

    `upstream` is the address of the model server. The stage is that of the first application.
    """
    owner = create_organization(slug="rollbacks", name="Rollbacks")
    actor = command_actor(owner)
    create_endpoint(actor=actor, name=ENDPOINT, base_url=upstream)
    create_slice(actor=actor, slug=TOPIC, threshold=Decimal("0.5"), match={"metadata": {"topic": TOPIC}})
    case = json.dumps({"case_id": "c1", "slice": TOPIC, "input": "May affiliates use the licence?"}).encode()
    carry_out(request_import(actor=actor, name=SUITE, body=case, file_format="jsonl"))
    lines = [_line(actor, number, *pair) for number, pair in enumerate(models, start=1)]
    token = create_token(actor=actor, name="gateway", scopes=GATEWAY_SCOPES)[1]
    return Stage(owner, lines[0].route, token, "", lines[0].key), lines


def serve_left(line: Line) -> int:
    """The route serves `left` again, as if nobody had rolled it back; the generation by which gateways learn of it."""
    with transaction.atomic():
        Release.objects.filter(pk=line.kept.pk).update(delivery=Release.Delivery.SUPERSEDED)
        Release.objects.filter(pk=line.left.pk).update(delivery=Release.Delivery.STABLE)
        _serving(line.left)
        return next_generation(_owner(line)).generation


def _owner(line: Line) -> Organization:
    return line.route.organization


def _line(actor: Actor, number: int, kept: str, left: str) -> Line:
    application = create_application(actor=actor, slug=f"assistant-{number}")
    route = create_route(actor=actor, application=application, routing=ROUTING)
    first = _registered(actor, application.slug, kept, None)
    _serving(first)
    second = _registered(actor, application.slug, left, first.pk)
    line = Line(route, first, second, create_application_key(actor=actor, application=application, name="clients")[1])
    serve_left(line)
    return line


def _registered(actor: Actor, application: str, model: str, previous: str | None) -> Release:
    order: dict[str, Any] = {
        "application": application,
        "model_ref": f"endpoint:{ENDPOINT}/{model}",
        "prompt_template_ref": PROMPT,
        "routing": ROUTING,
        "dataset_version": SUITE,
        "previous_release": previous,
        "artifacts": [{"ref": PROMPT, "value": VALUE}],
    }
    release = register(actor=actor, order=Order(**order)).release
    passed(release)
    quality = {"slice": TOPIC, "quality": {"mean": MEAN, "floor": FLOOR, "map": "linear"}}
    document = {"verdict": GateRun.Verdict.PASS.value, "slices": [quality], "reasons": []}
    GateRun.objects.filter(manifest_sha256=release.manifest_sha256).update(document=document)
    return release


def _serving(release: Release) -> None:
    """It completes its rollout now."""
    at = now()
    Serving.objects.filter(route=release.route_id, until=None).update(until=at)
    Serving.objects.create(
        route_id=release.route_id,
        release=release,
        since=at if release.previous_release_id else at - timedelta(days=1),
        generation=1,
        event="rollout.completed",
        decided_by="bench",
        decided_by_label="bench",
        receipt_hash=NOBODY,
    )
