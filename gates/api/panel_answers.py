"""What calls of panels answer, for the schema."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from gates.api.shapes import a_list, number, text
from gates.panel_models import Panel, PanelTask
from gates.panels.grade_files import FORMATS

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]


def _tally(**options: Any) -> Fields:
    return {name: serializers.IntegerField(**options) for name in ("rated", "skipped", "waiting", "of")}


def _rater_fields() -> Fields:
    return {"rater": serializers.CharField(), "name": serializers.CharField()}


def _progress(rater_name: str, **options: Any) -> Fields:
    """How far everybody is; a shape has one name for each place where it stands."""
    rater = _rater_fields() | {"imported": serializers.BooleanField()} | _tally()
    return {
        "answers": serializers.IntegerField(**options),
        "complete": serializers.BooleanField(**options),
        **_tally(**options),
        "raters": serializers.ListField(child=inline_serializer(rater_name, rater), **options),
    }


def _texts() -> Fields:
    return {"input": serializers.CharField(), "output": serializers.CharField(), "reference": text()}


def _reliability() -> Fields:
    counts: Fields = {name: serializers.IntegerField() for name in ("n", "raters")}
    return counts | {name: number() for name in ("alpha", "icc_single", "icc_panel", "ceiling")}


# What only those who manage a panel get.
MANAGED: Final[Fields] = {
    "source": serializers.ChoiceField(Panel.Source.values, required=False),
    "raters_per_answer": serializers.IntegerField(required=False),
    "created_by": serializers.CharField(required=False),
    **{
        name: serializers.CharField(allow_null=True, required=False)
        for name in ("suite", "run", "closed_by", "receipt")
    },
    **_progress("PanelRater", required=False),
}
PANEL: Final = inline_serializer(
    "Panel",
    {
        "panel_id": serializers.CharField(),
        "name": serializers.CharField(),
        "state": serializers.ChoiceField(Panel.State.values),
        "scale": a_list(serializers.FloatField()),
        "rubric": serializers.CharField(),
        "created_at": serializers.DateTimeField(),
        "closed_at": serializers.DateTimeField(allow_null=True),
        "yours": inline_serializer("PanelPart", _tally(), allow_null=True),
        **MANAGED,
    },
)
PANEL_PAGE: Final = inline_serializer("PanelPage", {"results": a_list(PANEL), "next": text()})
TASK: Final = inline_serializer(
    "PanelTask",
    {
        "task_id": serializers.IntegerField(),
        "place": serializers.IntegerField(),
        "state": serializers.ChoiceField(PanelTask.State.values),
        "grade": number(),
        "reason": text(),
        **_texts(),
        "gone": serializers.BooleanField(),
    },
)
TASKS: Final = inline_serializer("PanelTaskPage", {"results": a_list(TASK), "next": text()})
DECIDED: Final = inline_serializer(
    "PanelDecision", {"task": TASK, "yours": inline_serializer("PanelPartNow", _tally())}
)
PROGRESS: Final = inline_serializer("PanelProgress", _progress("PanelRaterProgress"))
FORMAT: Final = OpenApiParameter(
    "format", str, enum=FORMATS, description="Else the file's name or the content type says it."
)
UPLOAD: Final = {
    "application/x-ndjson": OpenApiTypes.STR,
    "text/csv": OpenApiTypes.STR,
    "multipart/form-data": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "required": ["file"],
    },
}
IMPORTED: Final = inline_serializer(
    "PanelImport",
    {
        "panel_id": serializers.CharField(),
        "added": serializers.IntegerField(),
        "known": serializers.IntegerField(),
        "raters": serializers.IntegerField(),
    },
)
VOICE: Final = inline_serializer(
    "PanelVoice",
    {
        "rater": serializers.CharField(),
        "state": serializers.ChoiceField(PanelTask.State.values),
        "grade": number(),
        "reason": text(),
        "set_aside": serializers.BooleanField(),
    },
)
DISAGREEMENT: Final = inline_serializer(
    "PanelDisagreement",
    {
        "answer": serializers.IntegerField(),
        "slice": text(),
        "spread": serializers.FloatField(),
        **_texts(),
        "grades": a_list(VOICE),
        "waits": serializers.BooleanField(),
        "finding": text(),
        "finding_reason": text(),
    },
)
DISAGREEMENTS: Final = inline_serializer(
    "PanelDisagreements", {"results": a_list(DISAGREEMENT), "of": serializers.IntegerField()}
)
ADJUDICATED: Final = inline_serializer(
    "PanelFinding",
    {
        "answer": serializers.IntegerField(),
        "finding": serializers.CharField(),
        "finding_reason": serializers.CharField(),
    },
)
RELIABILITY: Final = inline_serializer(
    "PanelReliability",
    {
        "panel_id": serializers.CharField(),
        **_reliability(),
        "each": a_list(
            inline_serializer("RaterReliability", _rater_fields() | {"n": serializers.IntegerField(), "rho": number()})
        ),
        "slices": a_list(inline_serializer("SliceReliability", {"slice": text()} | _reliability())),
    },
)
