"""REST: alarms of what routes serve, a person's decision on one, and the worst answers of an event."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, WRITE_ROLLOUTS, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text
from relcontrol.api.pages import PAGED, listed
from relcontrol.errors import invalid
from releases.api.shapes import JSON, TEXT, a_list
from releases.observer_models import DriftAlarm, WorstAnswers
from releases.observing.drift import DECISIONS, decide_alarm
from releases.observing.selectors import alarm_named, alarms_of
from releases.worst.selectors import Opened, opened_worst, worst_named

MOMENT: Final = serializers.DateTimeField
ALARM: Final = inline_serializer(
    "DriftAlarm",
    {
        "alarm_id": TEXT(),
        "route": TEXT(),
        "release_id": TEXT(),
        "kind": serializers.ChoiceField(DriftAlarm.Kind.values),
        "subject": TEXT(help_text="A slice, or the name of a policy."),
        "reason": TEXT(),
        "facts": JSON(),
        "raised_at": MOMENT(),
        "receipt": TEXT(),
        "decision": serializers.ChoiceField(DECISIONS, allow_null=True),
        "comment": TEXT(allow_null=True),
        "decided_by": TEXT(allow_null=True),
        "decided_at": MOMENT(allow_null=True),
        "decided_receipt": TEXT(allow_null=True),
        "worst_answers": TEXT(allow_null=True),
    },
)
ALARMS: Final = inline_serializer("DriftAlarmPage", {"results": a_list(ALARM), "next": TEXT(allow_null=True)})
ANSWER: Final = inline_serializer(
    "WorstAnswer",
    {
        "place": serializers.IntegerField(help_text="From 1, the worst."),
        "slice": TEXT(),
        "request_id": TEXT(allow_blank=True),
        "trace_id": TEXT(),
        "state": serializers.ChoiceField(
            ["open", "waiting", "gone"], help_text="Gone is what was erased or is too old; its texts are null."
        ),
        "messages": JSON(allow_null=True),
        "before": TEXT(allow_null=True, help_text="What the kept release answers."),
        "after": TEXT(allow_null=True, help_text="What was served."),
        "reason_before": TEXT(allow_null=True),
        "reason_after": TEXT(allow_null=True),
        "score_before": serializers.FloatField(allow_null=True),
        "score_after": serializers.FloatField(allow_null=True),
        "problem": TEXT(allow_blank=True),
    },
)
WORST: Final = inline_serializer(
    "WorstAnswers",
    {
        "worst_id": TEXT(),
        "route": TEXT(),
        "kind": serializers.ChoiceField(WorstAnswers.Kind.values),
        "state": TEXT(),
        "left": TEXT(help_text="The manifest that was stopped or doubted."),
        "kept": TEXT(allow_null=True, help_text="The manifest that it is compared with."),
        "event_receipt": TEXT(),
        "answers": a_list(ANSWER),
    },
)


class AlarmDecisionInput(Input):
    """What a person decides on an alarm, and why."""

    decision: Any = serializers.ChoiceField(DECISIONS)
    comment = Text(max_length=2_000)


@extend_schema_view(
    get=extend_schema(
        operation_id="drift_alarms_list",
        summary="Alarms of what routes serve, newest first",
        parameters=[
            OpenApiParameter("route", str),
            OpenApiParameter("state", str, enum=["open", "decided"]),
            *PAGED,
        ],
        responses=ALARMS,
    )
)
class DriftAlarms(Call):
    """The alarms of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """A page."""
        rows = alarms_of(self.actor.organization)
        if route := request.query_params.get("route"):
            rows = rows.filter(route_id=route)
        if state := request.query_params.get("state"):
            if state not in ("open", "decided"):
                raise invalid("state", "Use open or decided.")
            rows = rows.filter(decided_at__isnull=state == "open")
        return Response(listed(request, rows, alarm_as_json))


@extend_schema_view(get=extend_schema(summary="An alarm: what was found, and what was decided", responses=ALARM))
class OneDriftAlarm(Call):
    """An alarm."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, alarm: str) -> Response:
        """As it is now."""
        return Response(alarm_as_json(alarm_named(self.actor.organization, alarm)))


@extend_schema_view(
    post=extend_schema(
        summary="Decide an alarm",
        description=(
            "`keep` and `rebase_level` leave the release where it is; the latter takes the quality of the last hour "
            "for the usual one. `rolled_back` closes the alarm of a release that serves no longer; 409 "
            "`serves_still` while it does: roll the route back first."
        ),
        request=AlarmDecisionInput,
        responses=ALARM,
    )
)
class DecideDriftAlarm(CommandCall):
    """A person's decision."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_ROLLOUTS}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Write it down."""
        row, said = alarm_named(self.actor.organization, kwargs["alarm"]), self.read(AlarmDecisionInput)
        decide_alarm(actor=self.actor, alarm=row, decision=said["decision"], comment=said["comment"])
        return Response(alarm_as_json(alarm_named(self.actor.organization, row.pk)))


@extend_schema_view(
    get=extend_schema(
        summary="The worst answers of a halt, a rollback or an alarm, before and after",
        description="With prompts and answers in clear: takes audit:read.",
        responses=WORST,
    )
)
class OneSetOfWorstAnswers(Call):
    """Worst answers."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, worst: str) -> Response:
        """The worst first."""
        return Response(worst_as_json(worst_named(self.actor.organization, worst)))


def alarm_as_json(row: DriftAlarm) -> dict[str, Any]:
    """An alarm with its decision."""
    worst = getattr(row, "worst", None)
    return {
        "alarm_id": row.pk,
        "route": row.route_id,
        "release_id": row.observer.release_id,
        "kind": row.kind,
        "subject": row.subject,
        "reason": row.reason,
        "facts": row.facts,
        "raised_at": timestamp(row.raised_at),
        "receipt": row.receipt_hash,
        "decision": row.decision or None,
        "comment": row.comment or None,
        "decided_by": row.decided_by or None,
        "decided_at": timestamp(row.decided_at) if row.decided_at else None,
        "decided_receipt": row.decided_receipt_hash or None,
        "worst_answers": worst.pk if worst else None,
    }


def worst_as_json(row: WorstAnswers) -> dict[str, Any]:
    """Worst answers in clear."""
    return {
        "worst_id": row.pk,
        "route": row.route_id,
        "kind": row.kind,
        "state": row.state,
        "left": row.left.manifest_sha256,
        "kept": row.kept.manifest_sha256 if row.kept else None,
        "event_receipt": row.event_receipt,
        "answers": [_opened(each) for each in opened_worst(row)],
    }


def _opened(each: Opened) -> dict[str, Any]:
    row, known = each.row, each.state == "open"
    return {
        "place": row.place,
        "slice": row.slice,
        "request_id": row.request_id,
        "trace_id": row.trace_id,
        "state": each.state,
        "messages": list(each.messages) if known else None,
        "before": each.before if known else None,
        "after": each.after if known else None,
        "reason_before": each.reason_before if known else None,
        "reason_after": each.reason_after if known else None,
        "score_before": row.score_before,
        "score_after": row.score_after,
        "problem": row.problem,
    }
