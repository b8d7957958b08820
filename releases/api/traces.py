"""REST: the traces of requests, newest first; with what was asked and answered for those who may read it.

Traces are sent to the edge (`POST /v1/traces`); this call reads them.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Permission
from relcontrol.api.calls import Call
from relcontrol.api.pages import PAGED, limit_of, moment_of
from relcontrol.errors import Malformed, invalid
from relcontrol.model_servers.outcomes import OTHER_ENDS, RELEASE_ERRORS
from releases.api.shapes import JSON, TEXT, a_list
from releases.bucketing import Arm
from releases.trace_models import Trace
from releases.traces.opened import STATES, Body, opened
from releases.traces.paging import release_sha, trace_page
from releases.traces.selectors import NONE, traces_of

MOST_BODIES: Final = 50
ARMS: Final = [arm.value for arm in Arm]
ERRORS: Final = sorted(RELEASE_ERRORS | OTHER_ENDS)
MOMENT: Final = serializers.DateTimeField
WHOLE: Final = serializers.IntegerField
FLOAT: Final = serializers.FloatField
# What stands in the row as it stands here.
PLAIN: Final = (
    *("arm", "generation", "slice", "status", "error", "ttft_ms", "latency_ms"),
    *("input_tokens", "output_tokens", "fingerprint", "model", "replica"),
)
TRACE: Final = inline_serializer(
    "Trace",
    {
        "trace_id": TEXT(),
        "started_at": MOMENT(),
        "received_at": MOMENT(),
        "request_id": TEXT(),
        "release": TEXT(allow_null=True, help_text="The manifest's SHA-256."),
        "route": TEXT(allow_null=True),
        "rollout": TEXT(allow_null=True),
        "arm": serializers.ChoiceField(ARMS, allow_null=True),
        "generation": WHOLE(allow_null=True),
        "slice": TEXT(allow_null=True, help_text="Null where no slice took it."),
        "status": WHOLE(allow_null=True),
        "error": serializers.ChoiceField(ERRORS, allow_null=True),
        "ttft_ms": FLOAT(allow_null=True),
        "latency_ms": FLOAT(allow_null=True),
        "input_tokens": WHOLE(allow_null=True),
        "output_tokens": WHOLE(allow_null=True),
        "fingerprint": TEXT(allow_null=True, help_text="The digest of the bundle that answered."),
        "model": TEXT(allow_null=True),
        "replica": TEXT(allow_null=True),
        "body": serializers.ChoiceField(STATES, required=False, help_text="With bodies=true: whether there is one."),
        "input": JSON(allow_null=True, required=False, help_text="With bodies=true; null where erased."),
        "output": JSON(allow_null=True, required=False, help_text="With bodies=true; null where erased."),
        "metadata": JSON(allow_null=True, required=False, help_text="With bodies=true; null where erased."),
    },
)
PAGE: Final = inline_serializer("TracePage", {"results": a_list(TRACE), "next": TEXT(allow_null=True)})
FILTERS: Final = [
    OpenApiParameter("release", str, description="An id, a manifest SHA-256, or the first 12 digits or more of one."),
    OpenApiParameter("route", str),
    OpenApiParameter("rollout", str),
    OpenApiParameter("arm", str, enum=ARMS),
    OpenApiParameter("slice", str, description="A slug; empty for requests that no slice took."),
    OpenApiParameter("error", str, enum=[*ERRORS, NONE], description="Empty for requests that ended well."),
    OpenApiParameter("request_id", str),
    OpenApiParameter("from", str, description="RFC 3339; when a request started, included."),
    OpenApiParameter("to", str, description="RFC 3339, not included."),
    OpenApiParameter(
        "bodies", bool, description=f"Prompts and answers in clear; takes audit:read, at most {MOST_BODIES} rows."
    ),
]


@extend_schema_view(
    get=extend_schema(
        operation_id="traces_list",
        summary="Requests as gateways and exporters told of them, newest first",
        parameters=[*FILTERS, *PAGED],
        responses=PAGE,
    )
)
class Traces(Call):
    """The traces of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """A page."""
        limit, with_bodies = limit_of(request), _wants_bodies(request)
        if with_bodies:
            self.actor.require(READ_AUDIT)
            if limit > MOST_BODIES:
                raise Malformed(f"limit must be at most {MOST_BODIES} with bodies=true.")
        rows = traces_of(self.actor.organization, **self._wanted(request))
        page, following = trace_page(
            rows if with_bodies else rows.defer("body"), request.query_params.get("cursor", ""), limit
        )
        results = [trace_as_json(row) for row in page]
        if with_bodies:
            bodies = opened(self.actor.organization.pk, page)
            results = [row | body_as_json(body) for row, body in zip(results, bodies, strict=True)]
        return Response({"results": results, "next": following})

    def _wanted(self, request: Request) -> dict[str, Any]:
        """The filters. An empty `slice` or `error` is one, any other empty value is none."""
        given = request.query_params
        for name, known in (("arm", ARMS), ("error", ERRORS)):
            if given.get(name) and given[name] not in known:
                raise invalid(name, f"Use one of {', '.join(known)}.")
        release = given.get("release")
        return {
            **{name: given.get(name) or None for name in ("route", "rollout", "arm", "request_id")},
            **{name: given.get(name) for name in ("slice", "error")},
            "release": release_sha(self.actor.organization, release) if release else None,
            "since": moment_of(request, "from"),
            "until": moment_of(request, "to"),
        }


def trace_as_json(row: Trace) -> dict[str, Any]:
    """A trace without its body."""
    return {
        "trace_id": row.trace_id,
        "started_at": timestamp(row.started_at),
        "received_at": timestamp(row.received_at),
        "request_id": row.request_id,
        "release": row.release,
        "route": row.route_id,
        "rollout": row.rollout_id,
        **{name: getattr(row, name) for name in PLAIN},
    }


def body_as_json(body: Body) -> dict[str, Any]:
    """What was asked, answered and sent along."""
    return {"body": body.state, "input": body.input, "output": body.output, "metadata": body.metadata}


def _wants_bodies(request: Request) -> bool:
    text = request.query_params.get("bodies", "false")
    if text not in {"true", "false"}:
        raise Malformed("bodies must be true or false.")
    return text == "true"
