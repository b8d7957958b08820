"""REST: what made an answer, by the id of its request, trace or conversation; and what answered around a time."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from audit.names import names_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import READ_AUDIT, Permission
from relcontrol.accounts.selectors import found, routes_of
from relcontrol.api.calls import Call
from relcontrol.api.pages import PAGED, limit_of, moment_of
from relcontrol.errors import NotFound, invalid
from releases.api.lineage_shapes import LINEAGE, PAGE
from releases.api.traces import trace_as_json
from releases.lineage.answer import lineage_of
from releases.lineage.as_json import actors_of, lineage_as_json
from releases.lineage.finding import around, of_conversation, of_request, of_trace
from releases.trace_models import Trace
from releases.traces.paging import trace_page

WAYS: Final = ("request_id", "trace_id", "conversation", "route")


@extend_schema_view(
    get=extend_schema(
        operation_id="lineage_retrieve",
        summary="What made an answer: the served tuple, who approved it, its difference from the last good release",
        parameters=[OpenApiParameter("trace_id", str, description="Which of several answers to the same request id.")],
        responses=LINEAGE,
    )
)
class OneLineage(Call):
    """The lineage of an answer."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, request_id: str) -> Response:
        """That of the answer which was served, or of the trace that is named."""
        rows = of_request(self.actor.organization, request_id)
        wanted = request.query_params.get("trace_id")
        chosen = next((row for row in rows if wanted in {None, "", row.trace_id}), None)
        if chosen is None:
            raise NotFound("No trace of this request is here. Traces come in within seconds and are not kept for ever.")
        return Response(answered(chosen, [row for row in rows if row is not chosen]))


@extend_schema_view(
    get=extend_schema(
        operation_id="lineage_list",
        summary="Answers by request, trace or conversation, or those that a route gave up to a time",
        description="Give exactly one of `request_id`, `trace_id`, `conversation` and `route`; `route` takes `at`.",
        parameters=[
            OpenApiParameter("request_id", str),
            OpenApiParameter("trace_id", str, description="32 hexadecimal digits."),
            OpenApiParameter(
                "conversation",
                str,
                description="What the client called the subject: its header, conversation, user or tenant.",
            ),
            OpenApiParameter("route", str, description="An id, rte_…"),
            OpenApiParameter("at", str, description="With `route`: RFC 3339."),
            *PAGED,
        ],
        responses=PAGE,
    )
)
class Lineages(Call):
    """Answers, found."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request) -> Response:
        """Their traces, newest first; `GET /v1/lineage/{request_id}` tells of each."""
        given = {name: request.query_params[name] for name in WAYS if request.query_params.get(name)}
        if len(given) != 1:
            raise invalid("request_id", f"Give exactly one of {', '.join(WAYS)}.")
        way, value = next(iter(given.items()))
        if way == "conversation":
            rows = of_conversation(self.actor.organization, value)
            page, following = trace_page(rows, request.query_params.get("cursor", ""), limit_of(request))
            return Response({"results": [trace_as_json(row) for row in page], "next": following})
        return Response({"results": [trace_as_json(row) for row in self._few(request, way, value)], "next": None})

    def _few(self, request: Request, way: str, value: str) -> list[Trace]:
        organization: Organization = self.actor.organization
        if way == "request_id":
            return of_request(organization, value)
        if way == "trace_id":
            return of_trace(organization, value)
        at = moment_of(request, "at")
        if at is None:
            raise invalid("at", "Say at which time, such as 2026-11-20T14:03:00Z.")
        return around(found(routes_of(organization).select_related("organization"), "route", pk=value), at)


def answered(trace: Trace, others: list[Trace]) -> dict[str, Any]:
    """The whole answer about one trace; `others` have the same request id."""
    of = lineage_of(trace, may_read=True)
    approvals = of.served.how.approvals if of.served else ()
    names = names_of(trace.organization, actors_of(approvals))
    return {
        "request_id": trace.request_id,
        "trace": trace_as_json(trace),
        "other_traces": [trace_as_json(row) for row in others],
        **lineage_as_json(of, names),
    }
