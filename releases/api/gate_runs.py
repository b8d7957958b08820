"""REST: judging a release, on results that are sent or on those that relcontrol gets itself.

The registry names the candidate, `gates` does the rest.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api.runs import WAIT, run_as_json, summary_as_json, wait_of, waited_for
from gates.api.shapes import RUN, RUNS, number, text
from gates.evaluating.order import read_evaluation_order
from gates.run_models import GateRun
from gates.runs.reading import RESULTS, read_order
from gates.runs.requesting import carry_out, request_run
from gates.runs.selectors import run_named, runs_of_manifest
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import Call
from relcontrol.api.idempotency import once
from relcontrol.api.pages import PAGED, listed
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError, FieldError, Forbidden, Invalid, Malformed
from releases.candidates import candidate_of
from releases.evaluating.requesting import request_evaluation
from releases.models import Release
from releases.selectors import release_named

RESULT: Final = inline_serializer(
    "ResultInput",
    {
        "case_id": serializers.CharField(),
        "output": text(),
        "answer_id": text(),
        "score": number(),
        "scores": serializers.DictField(child=number(), allow_null=True),
        "rescores": serializers.ListField(child=serializers.FloatField(), allow_null=True),
        "previous_rescores": serializers.ListField(child=serializers.FloatField(), allow_null=True),
        "human_scores": serializers.ListField(child=serializers.FloatField(), allow_null=True),
        "raters": serializers.ListField(child=serializers.CharField(), allow_null=True),
        "reason": text(),
        "latency_ms": number(),
        "input_tokens": serializers.IntegerField(allow_null=True),
        "output_tokens": serializers.IntegerField(allow_null=True),
        "error": text(),
    },
    partial=True,
)
ORDER: Final = inline_serializer(
    "GateRunInput",
    {
        "suite": serializers.CharField(required=False, allow_null=True, help_text="The manifest's, where left out."),
        "judge": serializers.CharField(required=False, allow_null=True, help_text="For slices that name none."),
        "scale": serializers.ListField(child=serializers.FloatField(), required=False, allow_null=True),
        "grade_scale": serializers.ListField(child=serializers.FloatField(), required=False, allow_null=True),
        "parity": serializers.CharField(
            required=False, allow_null=True, help_text="Digest of the bundle or preprocessing that made the answers."
        ),
        "branch": serializers.CharField(required=False, allow_null=True),
        "commit": serializers.CharField(required=False, allow_null=True),
        "feature_snapshot": serializers.CharField(required=False, allow_null=True),
        "dry_run": serializers.BooleanField(required=False, allow_null=True, help_text="Computed, without effect."),
        "results": serializers.ListField(
            child=RESULT, required=False, help_text="Left out: relcontrol answers and judges the suite itself."
        ),
        "samples": serializers.IntegerField(
            required=False,
            allow_null=True,
            min_value=1,
            max_value=5,
            help_text="Without results: answers a case.",
        ),
        "budget": inline_serializer(
            "EvaluationBudget",
            {
                "cases": serializers.IntegerField(required=False, allow_null=True, min_value=1),
                "tokens": serializers.IntegerField(required=False, allow_null=True, min_value=1),
                "cost": serializers.CharField(required=False, allow_null=True),
            },
            required=False,
            allow_null=True,
            help_text="Without results: what may be spent at most, scores and the previous release included.",
        ),
        "concurrency": serializers.IntegerField(
            required=False, allow_null=True, min_value=1, max_value=64, help_text="Without results: calls at once."
        ),
        "fresh": serializers.BooleanField(
            required=False, allow_null=True, help_text="Without results: ask again for answers that are known."
        ),
    },
)
EMPTY: Final = (
    'The body is empty. Send {"judge": "external:…", "results": […]}, or {} to have relcontrol answer and judge the '
    "suite itself."
)
KINDS: Final[Mapping[int, type[DomainError]]] = {Conflict.status: Conflict, Forbidden.status: Forbidden}


@extend_schema_view(
    get=extend_schema(summary="Gate runs of a release, newest first", parameters=PAGED, responses=RUNS),
    post=extend_schema(
        summary="Judge a release on sent results, or have relcontrol answer and judge the suite",
        description=(
            "202 with the run's id; with `wait` 200 and the verdict, once there is one. Without `results` relcontrol "
            "asks the release's model server and the judges itself."
        ),
        parameters=[WAIT],
        request=ORDER,
        responses={200: RUN, 202: RUN},
    ),
)
class ReleaseGateRuns(Call):
    """Gate runs of one release."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}
    body_limit: ClassVar[int] = settings.UPLOAD_LIMIT

    def get(self, request: Request, release: str) -> Response:
        """A page."""
        row = release_named(self.actor.organization, release)
        runs = runs_of_manifest(self.actor.organization, row.manifest_sha256).defer("document", "body")
        return Response(listed(request, runs, summary_as_json))

    def post(self, request: Request, release: str) -> Response:
        """Ask for a run, and wait for it where that is wanted.

        An Idempotency-Key is bound to the run, not to its answer: sent again, it says how the run stands now.
        """
        wait = wait_of(request)
        row = release_named(self.actor.organization, release)
        requested = once(request, self.token, now(), lambda: self._requested(request, row))
        run = run_named(self.actor.organization, requested.data["gate_run_id"])
        if run.state == GateRun.State.QUEUED:
            run = carry_out(run, inline=wait > 0)
        run = waited_for(run, wait)
        if run.state == GateRun.State.ERROR:
            raise error_of(run)
        return Response(run_as_json(run), 200 if run.is_over else 202)

    def _requested(self, request: Request, row: Release) -> Response:
        body = request._request.body
        if not body or not isinstance(request.data, dict):
            raise Malformed(EMPTY)
        if RESULTS not in request.data:
            order = read_evaluation_order(request.data)
            run = request_evaluation(actor=self.actor, release=row, order=order)
            return Response({"gate_run_id": run.pk}, 202)
        run = request_run(
            actor=self.actor,
            candidate=candidate_of(row),
            order=read_order(request.data),
            body=body,
            results=len(request.data[RESULTS]),
        )
        return Response({"gate_run_id": run.pk}, 202)


def error_of(run: GateRun) -> DomainError:
    """What ended a run, as it was raised in the job."""
    problem: dict[str, Any] = run.problem or {}
    errors = [FieldError(item["field"], item["message"]) for item in problem.get("errors", [])]
    kind = KINDS.get(problem.get("status", Invalid.status), Invalid)
    state = (problem.get("state") or {}) | {"refused_gate_run_id": run.pk}
    return kind(problem["detail"], code=problem.get("code", ""), errors=errors, state=state)
