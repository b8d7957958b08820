"""REST: slices, their thresholds and match rules."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.models import Slice
from gates.slices.files import as_plain_fields, rows_of
from gates.slices.importing import as_summary, import_slices, plan_import
from gates.slices.services import change_slice, create_slice, definition_of, slice_named, slice_tree, slices_of
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Structure, Text, Truth, Whole
from relcontrol.api.pages import PAGED, listed

POLICIES = [str(policy) for policy in Slice.Policy]
MAX_N_MIN = 100_000

SLICE = inline_serializer(
    "Slice",
    {
        "slice_id": serializers.CharField(),
        "slug": serializers.CharField(),
        "revision": serializers.IntegerField(),
        "name": serializers.CharField(),
        "description": serializers.CharField(),
        "application": serializers.CharField(allow_null=True),
        "parent": serializers.CharField(allow_null=True),
        "owner": serializers.CharField(allow_null=True),
        "judge": serializers.CharField(allow_null=True),
        "threshold": serializers.FloatField(allow_null=True),
        "quality_floor": serializers.FloatField(allow_null=True),
        "policy": serializers.ChoiceField(POLICIES),
        "n_min": serializers.IntegerField(),
        "match": serializers.DictField(child=serializers.JSONField(), allow_null=True),
        "sha256": serializers.CharField(),
        "created_at": serializers.DateTimeField(),
    },
)
SLICE_PAGE = inline_serializer(
    "SlicePage", {"results": serializers.ListField(child=SLICE), "next": serializers.CharField(allow_null=True)}
)

IMPORT_RESULT = inline_serializer(
    "SliceImportResult",
    {
        "new": serializers.IntegerField(),
        "changed": serializers.IntegerField(),
        "same": serializers.IntegerField(),
        "slices": serializers.ListField(
            child=inline_serializer(
                "ImportedSlice",
                {
                    "slug": serializers.CharField(),
                    "action": serializers.ChoiceField(["new", "changed", "same"]),
                    "revision": serializers.IntegerField(),
                    "differences": serializers.ListField(child=serializers.CharField()),
                },
            )
        ),
    },
)


class Ratio(serializers.DecimalField):
    """A JSON number or a decimal string, kept as a decimal."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=5, decimal_places=4, required=False, allow_null=True, **options)

    def to_internal_value(self, data: Any) -> Decimal:
        """The decimal; a boolean or a list is none."""
        if not isinstance(data, (int, float, str)) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class SliceFields(Input):
    """What a slice says."""

    name = Text(max_length=200, required=False)
    description = Text(max_length=10_000, required=False, allow_blank=True)
    application = Text(max_length=63, required=False, allow_null=True)
    parent = Text(max_length=63, required=False, allow_null=True)  # type: ignore[assignment]  # the field's name only
    owner = Text(max_length=254, required=False, allow_null=True)
    judge = Text(max_length=200, required=False, allow_null=True)
    threshold = Ratio()
    quality_floor = Ratio()
    policy = serializers.ChoiceField(POLICIES, required=False)
    n_min = Whole(min_value=1, max_value=MAX_N_MIN, required=False)
    match = Structure(required=False, allow_null=True)


class SliceInput(SliceFields):
    """A new slice; what is left out gets its default."""

    slug = Text(max_length=63)


class SliceChange(SliceFields):
    """Changed fields of a slice; those left out stay as they are. `expected_version` is the revision last seen."""

    expected_version = Whole(min_value=1, required=False)


class SliceImportInput(Input):
    """Slices as the export lists them. A dry run says what would change and changes nothing."""

    slices = serializers.ListField(child=Structure())
    dry_run = Truth(required=False)


@extend_schema_view(
    get=extend_schema(summary="Slices, newest first", parameters=PAGED, responses=SLICE_PAGE),
    post=extend_schema(summary="Make a slice", request=SliceInput, responses={201: SLICE}),
)
class Slices(CommandCall):
    """Slices of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, slices_of(self.actor.organization), slice_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one."""
        return Response(slice_as_json(create_slice(actor=self.actor, **self.read(SliceInput))), 201)


@extend_schema_view(
    get=extend_schema(summary="Every slice as the import takes it, parents first", responses=SliceInput(many=True)),
)
class SliceExport(Call):
    """The slices as a file."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """All of them."""
        return Response([as_plain_fields(row) for row, _ in slice_tree(self.actor.organization)])


@extend_schema_view(
    post=extend_schema(
        summary="Make and change slices, all or none", request=SliceImportInput, responses={200: IMPORT_RESULT}
    ),
)
class SliceImport(CommandCall):
    """Slices from a file."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Import them, or say what that would do."""
        given = self.read(SliceImportInput)
        rows = rows_of(given["slices"])
        if given.get("dry_run"):
            return Response(as_summary(plan_import(self.actor.organization, rows)))
        return Response(as_summary(import_slices(actor=self.actor, rows=rows)))


@extend_schema_view(
    get=extend_schema(summary="One slice, by slug or id", responses=SLICE),
    patch=extend_schema(summary="Change a slice: a new revision", request=SliceChange, responses=SLICE),
)
class OneSlice(Call):
    """A slice."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "PATCH": WRITE_GATES}

    def get(self, request: Request, slug: str) -> Response:
        """As it is now."""
        return Response(slice_as_json(slice_named(self.actor.organization, slug)))

    def patch(self, request: Request, slug: str) -> Response:
        """Change it; `expected_version` is the revision that the caller has seen."""
        target = slice_named(self.actor.organization, slug)
        fields = self.read(SliceChange)
        expected = fields.pop("expected_version", None)
        return Response(
            slice_as_json(change_slice(actor=self.actor, target=target, expected_revision=expected, **fields))
        )


def slice_as_json(row: Slice) -> dict[str, Any]:
    """A slice. Numbers are JSON numbers here and decimal strings in digests and receipts."""
    definition = definition_of(row)
    return {
        "slice_id": row.pk,
        "slug": row.slug,
        "revision": row.revision,
        "name": row.name,
        "description": row.description,
        "application": definition.application,
        "parent": definition.parent,
        "owner": row.owner.email if row.owner else None,
        "judge": definition.judge,
        "threshold": None if row.threshold is None else float(row.threshold),
        "quality_floor": None if row.quality_floor is None else float(row.quality_floor),
        "policy": str(row.policy),
        "n_min": row.n_min,
        "match": row.match,
        "sha256": definition.sha256(),
        "created_at": row.created_at,
    }
