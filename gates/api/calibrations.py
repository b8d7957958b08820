"""REST: measuring a judge against graded answers, and what was found slice by slice."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api.shapes import OUTCOMES, CancelInput, a_list, number, text
from gates.calibrations.requesting import cancel_calibration, carry_out, request_calibration
from gates.calibrations.selectors import calibration_named, calibrations_of
from gates.calibrations.standing import holds
from gates.judge_models import Calibration, CalibrationRun
from gates.judges import judge_named
from gates.models import Suite
from gates.suites import suite_named
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text, Truth, Whole
from relcontrol.api.pages import PAGED, listed
from relcontrol.clock import now
from relcontrol.errors import NotFound, invalid
from relcontrol.model_servers.spending import Budget

MOST: Final = 1_000_000_000
DESCRIPTION: Final = (
    "Scores every graded answer of the suite with the judge and compares with the experts' grades, slice by slice. An "
    "`external:` judge's `scores` are sent: `[{case_id, answer_id, score}]`. 201 where it is done, 202 where a worker "
    "goes on with it."
)
SLICE: Final = inline_serializer(
    "SliceCalibration",
    {
        "slice": serializers.CharField(),
        "name": serializers.CharField(),
        "outcome": serializers.ChoiceField(OUTCOMES),
        "evidence": serializers.CharField(),
        "reason": text(),
        "reasons": a_list(serializers.CharField()),
        "threshold": serializers.FloatField(),
        "policy": serializers.CharField(),
        "n_min": serializers.IntegerField(),
        "rho": number(),
        "ci90": serializers.ListField(child=serializers.FloatField(), allow_null=True),
        "p": number(),
        "n": serializers.IntegerField(),
        "graded": serializers.IntegerField(),
        "coverage": number(),
        "cases_needed": serializers.IntegerField(allow_null=True),
        "raters": serializers.IntegerField(),
        "alpha": number(),
        "icc": number(),
        "ceiling": number(),
        "share_of_ceiling": number(),
        "leave_one_out": a_list(serializers.JSONField()),
        "baseline": serializers.JSONField(allow_null=True),
        "map": serializers.JSONField(allow_null=True),
        "self_consistency": serializers.JSONField(allow_null=True),
        "rescore_sd": number(),
        "rescored": serializers.IntegerField(),
        "against_previous": serializers.JSONField(allow_null=True),
        "members": a_list(serializers.CharField()),
        "panel_sha256": serializers.CharField(),
        "holds": serializers.BooleanField(),
        "measured_at": serializers.DateTimeField(),
        "valid_until": serializers.DateTimeField(),
        "ended_at": serializers.DateTimeField(allow_null=True),
        "ended_because": serializers.CharField(),
    },
)
CALIBRATION: Final = inline_serializer(
    "Calibration",
    {
        "calibration_id": serializers.CharField(),
        "judge": serializers.CharField(),
        "judge_id": serializers.CharField(),
        "judge_sha256": serializers.CharField(),
        "suite": serializers.CharField(),
        "state": serializers.ChoiceField(CalibrationRun.State.values),
        "progress": inline_serializer(
            "CalibrationProgress", {"done": serializers.IntegerField(), "of": serializers.IntegerField()}
        ),
        "spent": serializers.JSONField(),
        "injections": serializers.JSONField(allow_null=True),
        "problem": serializers.JSONField(allow_null=True),
        "requested_by": serializers.CharField(),
        "created_at": serializers.DateTimeField(),
        "finished_at": serializers.DateTimeField(allow_null=True),
        "receipt": text(),
        "slices": a_list(SLICE),
    },
)
CALIBRATION_PAGE: Final = inline_serializer("CalibrationPage", {"results": a_list(CALIBRATION), "next": text()})


class BudgetInput(Input):
    """What may be spent at most; what is left out has no limit."""

    cases = Whole(min_value=1, max_value=MOST, required=False, allow_null=True)
    tokens = Whole(min_value=1, max_value=MOST, required=False, allow_null=True)
    cost = serializers.DecimalField(
        max_digits=12, decimal_places=4, min_value=Decimal("0.0001"), required=False, allow_null=True
    )


class CalibrationInput(Input):
    """`POST /v1/judges/{id}/calibrations`; each score is checked by the service, with its row."""

    suite = Text(max_length=200)
    slices = serializers.ListField(child=Text(max_length=63), required=False, allow_null=True, max_length=500)
    scores = serializers.ListField(child=serializers.JSONField(), required=False, allow_null=True)
    budget = BudgetInput(required=False, allow_null=True)
    rescores = Truth(required=False)


@extend_schema_view(
    get=extend_schema(summary="Calibrations of a judge, newest first", parameters=PAGED, responses=CALIBRATION_PAGE),
    post=extend_schema(
        summary="Measure a judge against graded answers",
        description=DESCRIPTION,
        request=CalibrationInput,
        responses={201: CALIBRATION, 202: CALIBRATION},
    ),
)
class Calibrations(CommandCall):
    """Calibrations of one judge."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}
    body_limit: ClassVar[int] = settings.UPLOAD_LIMIT

    def get(self, request: Request, judge: str) -> Response:
        """A page."""
        of = judge_named(self.actor.organization, judge)
        rows = calibrations_of(self.actor.organization).filter(judge__sha256=of.sha256)
        return Response(listed(request, rows, calibration_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Ask for one; sent scores are measured at once."""
        judge = judge_named(self.actor.organization, kwargs["judge"])
        body = self.read(CalibrationInput)
        run = request_calibration(
            actor=self.actor,
            judge=judge,
            suite=_suite(self.actor.organization, body["suite"]),
            slices=body.get("slices"),
            scores=body.get("scores"),
            budget=Budget(**(body.get("budget") or {})),
            rescores=body.get("rescores", True),
        )
        done = carry_out(run)
        return Response(calibration_as_json(done), 201 if done.is_over else 202)


@extend_schema_view(get=extend_schema(summary="One calibration", responses=CALIBRATION))
class OneCalibration(Call):
    """A calibration."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, calibration: str) -> Response:
        """Progress, then every number of every slice."""
        return Response(calibration_as_json(calibration_named(self.actor.organization, calibration)))


@extend_schema_view(post=extend_schema(summary="Cancel a calibration", request=CancelInput, responses=CALIBRATION))
class Cancel(CommandCall):
    """Stopping a calibration that is not over."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Cancel it."""
        run = calibration_named(self.actor.organization, kwargs["calibration"])
        reason = self.read(CancelInput).get("reason") if request._request.body else None
        return Response(calibration_as_json(cancel_calibration(actor=self.actor, run=run, reason=reason or "")))


def calibration_as_json(run: CalibrationRun) -> dict[str, Any]:
    """A calibration with its slices, in the order of their names."""
    rows = sorted(run.calibrations.all(), key=lambda row: row.slice.slug)
    return {
        "calibration_id": run.pk,
        "judge": run.judge.name,
        "judge_id": run.judge.pk,
        "judge_sha256": run.judge.sha256,
        "suite": run.suite.name,
        "state": run.state,
        "progress": {"done": run.progress_done, "of": run.progress_of},
        "spent": run.spent,
        "injections": run.injections,
        "problem": run.problem,
        "requested_by": run.requested_by_label,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "receipt": run.receipt_hash or None,
        "slices": [_slice_as_json(row) for row in rows],
    }


def _slice_as_json(row: Calibration) -> dict[str, Any]:
    return {
        **row.document,
        "holds": holds(row, now()),
        "measured_at": row.measured_at,
        "valid_until": row.valid_until,
        "ended_at": row.ended_at,
        "ended_because": row.ended_because,
    }


def _suite(organization: Organization, name: str) -> Suite:
    try:
        return suite_named(organization, name)
    except NotFound as error:
        raise invalid("suite", error.detail, code="unknown_suite") from error
