"""REST: scored-QA suites and their imports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http.multipartparser import MultiPartParserError
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.models import Suite, SuiteImport
from gates.suite_files.cases import read_scale
from gates.suite_files.rows import FORMATS, format_of
from gates.suites import carry_out, import_named, request_import, suite_named, suites_of
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import Call
from relcontrol.api.idempotency import once
from relcontrol.api.models import IdempotencyRecord
from relcontrol.api.pages import PAGED, listed
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError, FieldError, Forbidden, Invalid, Malformed, invalid

SUITE_FIELDS: dict[str, Any] = {
    "suite_id": serializers.CharField(),
    "name": serializers.CharField(),
    "sha256": serializers.CharField(),
    "dataset_version": serializers.CharField(),
    "cases": serializers.IntegerField(),
    "slices": serializers.DictField(child=serializers.IntegerField()),
    "graded_answers": serializers.IntegerField(),
    "grade_scale": serializers.ListField(child=serializers.FloatField(), allow_null=True),
    "imported_by": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
}
SUITE = inline_serializer("Suite", {**SUITE_FIELDS})  # it empties what it is given
SUITE_PAGE = inline_serializer(
    "SuitePage", {"results": serializers.ListField(child=SUITE), "next": serializers.CharField(allow_null=True)}
)
IMPORT = inline_serializer(
    "SuiteImport",
    {
        "import_id": serializers.CharField(),
        "state": serializers.ChoiceField(SuiteImport.State.values),
        "progress": inline_serializer(
            "SuiteImportProgress", {"done": serializers.IntegerField(), "of": serializers.IntegerField()}
        ),
        "problem": serializers.JSONField(allow_null=True),
        "name": serializers.CharField(),
        "suite_id": serializers.CharField(allow_null=True),
        "sha256": serializers.CharField(required=False),
        "dataset_version": serializers.CharField(required=False),
        "cases": serializers.IntegerField(required=False),
        "slices": serializers.DictField(child=serializers.IntegerField(), required=False),
        "graded_answers": serializers.IntegerField(required=False),
    },
)
UPLOAD = {
    "application/x-ndjson": OpenApiTypes.STR,
    "text/csv": OpenApiTypes.STR,
    "application/yaml": OpenApiTypes.STR,
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
    },
}
QUERY = [
    OpenApiParameter("name", str, required=True, description="What manifests call the suite, such as legal-v3."),
    OpenApiParameter("grade_scale", str, description="Lowest and highest grade, such as 1,5."),
    OpenApiParameter("format", str, enum=FORMATS, description="Else the file's name or the content type says it."),
]


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes of a file and what the client calls it."""

    body: bytes
    file_name: str
    content_type: str


@extend_schema_view(
    get=extend_schema(summary="Suites, newest first", parameters=PAGED, responses=SUITE_PAGE),
    post=extend_schema(
        summary="Upload a suite as JSON lines, CSV or YAML",
        parameters=QUERY,
        request=UPLOAD,
        responses={201: SUITE, 200: SUITE, 202: IMPORT},
    ),
)
class Suites(Call):
    """Suites of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}
    body_limit: ClassVar[int] = settings.UPLOAD_LIMIT

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, suites_of(self.actor.organization), suite_as_json))

    def post(self, request: Request) -> Response:
        """Import a file: 201 new, 200 the same again, 202 where it goes on in the background.

        An Idempotency-Key is bound to the import, not to its answer: sent again, it says how the import stands now.
        """
        requested = once(request, self.token, now(), lambda: self._requested(request))
        row = import_named(self.actor.organization, requested.data["import_id"])
        if row.state == SuiteImport.State.QUEUED:
            row = carry_out(row)
        if row.state == SuiteImport.State.ERROR:
            self._forget(request)
        return answer_to(row)

    def _requested(self, request: Request) -> Response:
        query, upload = request.query_params, uploaded(request)
        row = request_import(
            actor=self.actor,
            name=query.get("name", ""),
            body=upload.body,
            file_format=format_of(
                named=query.get("format", ""), file_name=upload.file_name, content_type=upload.content_type
            ),
            scale=read_scale(query.get("grade_scale", "")),
        )
        return Response({"import_id": row.pk}, 202)

    def _forget(self, request: Request) -> None:
        """A refused file can be sent again under its key, once what was missing is there."""
        if key := request.headers.get("Idempotency-Key"):
            IdempotencyRecord.objects.filter(token=self.token, key=key).delete()


@extend_schema_view(get=extend_schema(summary="One suite, by id, name or digest", responses=SUITE))
class OneSuite(Call):
    """A suite."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, suite: str) -> Response:
        """What it holds."""
        return Response(suite_as_json(suite_named(self.actor.organization, suite)))


@extend_schema_view(get=extend_schema(summary="How an import stands", responses=IMPORT))
class OneImport(Call):
    """An import."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, key: str) -> Response:
        """Progress, then the suite or every problem."""
        return Response(import_as_json(import_named(self.actor.organization, key)))


def uploaded(request: Request) -> Upload:
    """The body as it is, or the one `file` of a multipart form."""
    plain = request._request
    if plain.content_type != "multipart/form-data":
        return Upload(plain.body, "", plain.content_type or "")
    try:
        files = plain.FILES.getlist("file")
    except (MultiPartParserError, SuspiciousOperation) as error:
        raise Malformed(f"The multipart form cannot be read: {error}") from error
    if len(files) != 1:
        raise invalid("file", "Send one file in the form field `file`.")
    return Upload(files[0].read(), files[0].name or "", files[0].content_type or "")


def answer_to(row: SuiteImport) -> Response:
    """The suite where the import is done, its problems where it was refused, else how far it is."""
    if row.state == SuiteImport.State.ERROR:
        raise error_of(row)
    if row.suite is None:
        return Response(import_as_json(row), 202)
    return Response(suite_as_json(row.suite), 201 if row.made_suite else 200)


def error_of(row: SuiteImport) -> DomainError:
    """What ended an import, as it was raised in the job."""
    problem = row.problem or {}
    kinds: dict[int, type[DomainError]] = {Conflict.status: Conflict, Forbidden.status: Forbidden}
    errors = [FieldError(item["field"], item["message"]) for item in problem.get("errors", [])]
    kind = kinds.get(problem.get("status", Invalid.status), Invalid)
    return kind(problem["detail"], code=problem.get("code", ""), errors=errors, state=problem.get("state"))


def suite_as_json(suite: Suite) -> dict[str, Any]:
    """A suite; `dataset_version` is what a manifest writes to name it."""
    return {
        "suite_id": suite.pk,
        "name": suite.name,
        "sha256": suite.sha256,
        "dataset_version": suite.name,
        "cases": suite.case_count,
        "slices": suite.slice_counts,
        "graded_answers": suite.graded_answer_count,
        "grade_scale": suite.grade_scale,
        "imported_by": suite.imported_by_label,
        "created_at": suite.created_at,
    }


def import_as_json(row: SuiteImport) -> dict[str, Any]:
    """An import, with its suite's members once there is one."""
    return {
        "import_id": row.pk,
        "state": row.state,
        "progress": {"done": row.progress_done, "of": row.progress_of},
        "problem": row.problem,
        "name": row.name,
        "suite_id": None,
        **(suite_as_json(row.suite) if row.suite else {}),
    }
