"""REST: receipts, exports, trust, and the verifier itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit import verify
from audit.chain import timestamp
from audit.exporting.exports import content_of, request_export
from audit.models import Export, ExportPart, Receipt
from audit.selectors import Filter, envelope_of, exports_of, receipt_named, receipts_of
from audit.trust import trust_document
from audit.verifier_page import verifier_page
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, Permission
from relcontrol.accounts.selectors import found
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.downloads import python_file
from relcontrol.api.inputs import Input, Structure, Truth
from relcontrol.api.pages import PAGED, listed, moment_of
from relcontrol.errors import Conflict

RECEIPT = inline_serializer(
    "Receipt",
    {
        "receipt_id": serializers.CharField(),
        "receipt_hash": serializers.CharField(),
        "seq": serializers.IntegerField(),
        "event": serializers.CharField(),
        "outcome": serializers.CharField(),
        "subject": serializers.CharField(),
        "actor": serializers.CharField(),
        "application": serializers.CharField(allow_null=True),
        "manifest_sha256": serializers.CharField(allow_null=True),
        "issued_at": serializers.CharField(),
        "keyid": serializers.CharField(),
    },
)
RECEIPTS = inline_serializer(
    "ReceiptPage",
    {"results": serializers.ListField(child=RECEIPT), "next": serializers.CharField(allow_null=True)},
)
EXPORT = inline_serializer(
    "Export",
    {
        "export_id": serializers.CharField(),
        "state": serializers.ChoiceField(Export.State.choices),
        "progress": inline_serializer(
            "Progress", {"done": serializers.IntegerField(), "of": serializers.IntegerField()}
        ),
        "scope": serializers.JSONField(),
        "sha256": serializers.CharField(allow_null=True),
        "size": serializers.IntegerField(),
        "receipts": serializers.IntegerField(),
        "report": inline_serializer(
            "ExportReport",
            {
                "sha256": serializers.CharField(allow_null=True),
                "size": serializers.IntegerField(),
                "pages": serializers.IntegerField(),
                "problem": serializers.CharField(allow_null=True),
            },
        ),
        "opens": serializers.ChoiceField(Export.Opens.choices),
        "zip": inline_serializer(
            "ExportZip", {"sha256": serializers.CharField(allow_null=True), "size": serializers.IntegerField()}
        ),
        "problem": serializers.JSONField(allow_null=True),
        "files": serializers.DictField(child=serializers.CharField()),
    },
)
NO_ZIP = "it is over 1 GiB, or was made before there were ZIPs. Its JSON is whole."
FILTERS = [OpenApiParameter(name, str) for name in ("release", "application", "event", "actor", "from", "to")]


class ExportInput(Input):
    """What to export."""

    scope = Structure()
    opens = serializers.ChoiceField(
        Export.Opens.choices, required=False, help_text="Which commitments its reader may open; all, if not given."
    )
    report = Truth(required=False, allow_null=True, help_text="False leaves out the PDF, which takes the longest.")
    to = serializers.DateTimeField(required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which is no name that Python could give a field."""
        return super().get_fields() | {"from": serializers.DateTimeField(required=False, allow_null=True)}


@extend_schema_view(
    get=extend_schema(summary="Receipts, newest first", parameters=[*FILTERS, *PAGED], responses=RECEIPTS)
)
class Receipts(Call):
    """The chain, by what one looks for."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request) -> Response:
        """A page of receipts."""
        query = request.query_params
        wanted = Filter(
            release=query.get("release", ""),
            application=query.get("application", ""),
            event=query.get("event", ""),
            actor=query.get("actor", ""),
            start=moment_of(request, "from"),
            end=moment_of(request, "to"),
        )
        rows = receipts_of(self.actor.organization, wanted).defer("payload", "signature")
        return Response(listed(request, rows, receipt_as_json, key="seq"))


@extend_schema_view(
    get=extend_schema(summary="One receipt: its DSSE envelope and the statement in it", responses=OpenApiTypes.OBJECT)
)
class OneReceipt(Call):
    """A receipt by hash, id or number."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, receipt: str) -> Response:
        """The envelope, and its statement parsed for reading."""
        row = receipt_named(self.actor.organization, receipt)
        statement = verify.read_json(bytes(row.payload))
        return Response(receipt_as_json(row) | {"envelope": envelope_of(row), "statement": statement})


@extend_schema_view(get=extend_schema(summary="The trust file of this organization", responses=OpenApiTypes.OBJECT))
class Trust(Call):
    """What an auditor needs from outside; fetched from here it is trust on first use."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """The document."""
        return Response(trust_document(self.actor.organization))


@extend_schema_view(
    get=extend_schema(
        summary="The offline verifier, one Python file", responses={(200, "text/x-python"): OpenApiTypes.STR}
    )
)
class VerifierFile(Call):
    """`verify.py`."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> HttpResponse:
        """The file as it runs here."""
        return python_file(Path(verify.__file__))


@extend_schema_view(
    get=extend_schema(
        summary="The offline verifier as one page for a browser",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
)
class VerifierPage(Call):
    """`verify.html`."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> HttpResponse:
        """The page, to be saved and opened from disk."""
        return verifier_page_response()


@extend_schema_view(
    get=extend_schema(summary="Exports, newest first", parameters=PAGED, responses=OpenApiTypes.OBJECT),
    post=extend_schema(summary="Ask for an export", request=ExportInput, responses={202: EXPORT}),
)
class Exports(CommandCall):
    """Exports of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT, "POST": READ_AUDIT}

    def get(self, request: Request) -> Response:
        """A page of exports."""
        return Response(listed(request, exports_of(self.actor.organization), export_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Ask for one."""
        body = self.read(ExportInput)
        export = request_export(
            actor=self.actor,
            scope=body["scope"],
            start=body.get("from"),
            end=body.get("to"),
            opens=body.get("opens") or Export.Opens.ALL,
            with_report=body.get("report") is not False,
        )
        return Response(export_as_json(export), status=202)


@extend_schema_view(get=extend_schema(summary="State and progress of an export", responses=EXPORT))
class OneExport(Call):
    """An export by id."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, export: str) -> Response:
        """How far it is."""
        return Response(export_as_json(found(exports_of(self.actor.organization), "export", pk=export)))


@extend_schema_view(
    get=extend_schema(summary="The finished export as JSON", responses={(200, "application/json"): OpenApiTypes.OBJECT})
)
class ExportFile(Call):
    """The file of an export."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, export: str) -> StreamingHttpResponse:
        """The bytes as they were signed."""
        return export_response(found(exports_of(self.actor.organization), "export", pk=export))


@extend_schema_view(
    get=extend_schema(
        summary="The finished export's report as PDF/A-3a, with the JSON embedded",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, 202: EXPORT},
    )
)
class ExportReport(Call):
    """The report of an export."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, export: str) -> Response | StreamingHttpResponse:
        """The PDF; how far it is while the job is open."""
        row = found(exports_of(self.actor.organization), "export", pk=export)
        if not row.is_over:
            return Response(export_as_json(row), status=202)
        return report_response(row)


def verifier_page_response() -> HttpResponse:
    """`verify.html` to be saved: no browser shows it as a page of this server."""
    headers = {"Content-Disposition": 'attachment; filename="verify.html"'}
    return HttpResponse(verifier_page(), content_type="application/octet-stream", headers=headers)


@extend_schema_view(
    get=extend_schema(
        summary="The finished export as ZIP: the JSON, its report, all evidence as files, and the verifiers",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 202: EXPORT},
    )
)
class ExportZip(Call):
    """The ZIP of an export."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": READ_AUDIT}

    def get(self, request: Request, export: str) -> Response | StreamingHttpResponse:
        """The ZIP; how far it is while the job is open."""
        row = found(exports_of(self.actor.organization), "export", pk=export)
        if not row.is_over:
            return Response(export_as_json(row), status=202)
        return zip_response(row)


def export_response(export: Export) -> StreamingHttpResponse:
    """The JSON for download; 409 while it is not ready."""
    _require_done(export)
    return _file(export, ExportPart.Kind.JSON, export.size, export.sha256)


def report_response(export: Export) -> StreamingHttpResponse:
    """The PDF for download; 409 where there is none."""
    _require_done(export)
    if not export.report_sha256:
        why = export.report_problem or "It was made before there were reports; make another."
        raise Conflict(f"This export has no report: {why}", code="no_report")
    return _file(export, ExportPart.Kind.PDF, export.report_size, export.report_sha256)


def zip_response(export: Export) -> StreamingHttpResponse:
    """The ZIP for download; 409 where there is none."""
    _require_done(export)
    if not export.zip_sha256:
        raise Conflict(f"This export has no ZIP: {NO_ZIP}", code="no_zip")
    return _file(export, ExportPart.Kind.ZIP, export.zip_size, export.zip_sha256)


def _require_done(export: Export) -> None:
    if export.state != Export.State.DONE:
        raise Conflict(
            f"This export is {export.get_state_display().lower()}; ask again when its state is done.",
            code="export_not_ready",
            state={"state": export.state, "progress": {"done": export.progress_done, "of": export.progress_of}},
        )


def _file(export: Export, kind: ExportPart.Kind, size: int, sha256: str) -> StreamingHttpResponse:
    headers = {
        "Content-Disposition": f'attachment; filename="{export.pk}.{kind}"',
        "Content-Length": str(size),
        "X-Content-SHA256": sha256,
    }
    return StreamingHttpResponse(content_of(export, kind), content_type=f"application/{kind}", headers=headers)


def receipt_as_json(row: Receipt) -> dict[str, Any]:
    """A receipt's index."""
    return {
        "receipt_id": row.pk,
        "receipt_hash": row.receipt_hash,
        "seq": row.seq,
        "event": row.event,
        "outcome": row.outcome,
        "subject": row.subject,
        "actor": row.actor,
        "application": row.application or None,
        "manifest_sha256": row.manifest_sha256,
        "issued_at": timestamp(row.issued_at),
        "keyid": row.keyid,
    }


def export_as_json(row: Export) -> dict[str, Any]:
    """An export's state; `files` names what can be fetched."""
    done = row.state == Export.State.DONE
    report = {
        "sha256": row.report_sha256 or None,
        "size": row.report_size,
        "pages": row.report_pages,
        "problem": row.report_problem or None,
    }
    return {
        "export_id": row.pk,
        "state": row.state,
        "progress": {"done": row.progress_done, "of": row.progress_of},
        "scope": row.scope,
        "sha256": (row.sha256 or None) if done else None,
        "size": row.size if done else 0,
        "receipts": row.receipts,
        "opens": row.opens,
        "report": report,
        "zip": {"sha256": row.zip_sha256 or None, "size": row.zip_size},
        "problem": row.problem,
        "files": _files(row) if done else {},
    }


def _files(row: Export) -> dict[str, str]:
    digests = {"json": row.sha256, "pdf": row.report_sha256, "zip": row.zip_sha256}
    return {kind: f"/v1/exports/{row.pk}.{kind}" for kind, digest in digests.items() if digest}
