"""Shapes of gate runs, ratings and judges, for the schema and for bodies."""

from typing import Any, Final

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from gates.run_models import GateRun
from relcontrol.api.inputs import Input, Text

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]

OUTCOMES: Final = ["pass", "fail", "insufficient", "review"]
EVIDENCE: Final = ["proven", "unproven", "none"]


def number() -> Any:
    """A number that may not be known."""
    return serializers.FloatField(allow_null=True)


def text() -> Any:
    """A text that may be absent."""
    return serializers.CharField(allow_null=True)


def a_list(child: Any) -> Any:
    """A list in the schema."""
    return serializers.ListField(child=child)


def _interval() -> Any:
    return serializers.ListField(child=serializers.FloatField(), allow_null=True)


def _question(name: str, fields: Fields) -> Any:
    shared: Fields = {
        "n": serializers.IntegerField(),
        "ci90": _interval(),
        "p": number(),
        "verdict": serializers.ChoiceField(OUTCOMES),
        "evidence": serializers.ChoiceField(EVIDENCE),
        "reason": text(),
        "cases_needed": serializers.IntegerField(allow_null=True),
        "reasons": a_list(serializers.CharField()),
    }
    return inline_serializer(name, shared | fields, allow_null=True)


AGREEMENT: Final = _question(
    "Agreement",
    {
        "source": serializers.ChoiceField(["own", "calibration", "none"]),
        "graded": serializers.IntegerField(),
        "rho": number(),
        "threshold": serializers.FloatField(),
        "policy": serializers.CharField(),
        "previous_rho": number(),
        "change": number(),
        "ceiling": number(),
        "alpha": number(),
        "raters": serializers.IntegerField(),
        "age_days": serializers.IntegerField(allow_null=True),
        "calibration": serializers.CharField(allow_null=True, required=False),
    },
)
QUALITY: Final = _question(
    "Quality",
    {
        "mean": number(),
        "floor": number(),
        "floor_source": serializers.ChoiceField(["owner", "previous", "none"]),
        "map": serializers.ChoiceField(["own", "calibration", "linear"]),
        "calibrated": serializers.BooleanField(),
    },
)
CHANGE: Final = _question(
    "SliceChange",
    {
        "mean_difference": number(),
        "movement": text(),
        "agreement_movement": text(),
        "flagged": serializers.IntegerField(),
    },
)
SLICE_VERDICT: Final = inline_serializer(
    "SliceVerdict",
    {
        "slice": serializers.CharField(),
        "name": serializers.CharField(),
        "judge": text(),
        "verdict": serializers.ChoiceField(OUTCOMES),
        "evidence": serializers.ChoiceField(EVIDENCE),
        "cases": serializers.IntegerField(),
        "reasons": a_list(serializers.CharField()),
        "agreement": AGREEMENT,
        "quality": QUALITY,
        "change": CHANGE,
    },
)
FLAGGED: Final = inline_serializer(
    "FlaggedCase",
    {
        "case_id": serializers.CharField(),
        "slice": serializers.CharField(),
        "score": number(),
        "previous_score": number(),
        "drop": number(),
        "state": serializers.CharField(),
        "allowlisted": serializers.BooleanField(),
    },
)
SPENT: Final = inline_serializer(
    "Spent",
    {
        **{name: serializers.IntegerField() for name in ("calls", "cached", "input_tokens", "output_tokens")},
        "cost": serializers.CharField(),
        "unpriced": serializers.IntegerField(),
    },
)
EVALUATION_FIELDS: Final[Fields] = {
    "phase": serializers.ChoiceField(["answering", "scoring", "rescoring", "done"]),
    "done": serializers.IntegerField(),
    "of": serializers.IntegerField(),
    "spent": inline_serializer(
        "EvaluationSpent",
        {"answers": type(SPENT)(), "judge": type(SPENT)()},
    ),
    "stopped": text(),
    "without_previous": text(),
    "waits_for": text(),
    "samples": serializers.IntegerField(),
    "concurrency": serializers.IntegerField(),
    "fresh": serializers.BooleanField(),
    "budget": inline_serializer(
        "EvaluationBudgetShown",
        {
            "cases": serializers.IntegerField(allow_null=True),
            "tokens": serializers.IntegerField(allow_null=True),
            "cost": text(),
        },
    ),
}
SUMMARY_FIELDS: Final[Fields] = {
    "gate_run_id": serializers.CharField(),
    "number": serializers.IntegerField(),
    "gate_run_sha256": text(),
    "manifest_sha256": serializers.CharField(),
    "release_id": serializers.CharField(),
    "release": serializers.CharField(),
    "application": serializers.CharField(),
    "suite": serializers.CharField(),
    "state": serializers.ChoiceField(GateRun.State.values),
    "progress": inline_serializer(
        "GateRunProgress", {"done": serializers.IntegerField(), "of": serializers.IntegerField()}
    ),
    "verdict": serializers.ChoiceField(GateRun.Verdict.values, allow_null=True),
    "evaluation": inline_serializer("EvaluationProgress", EVALUATION_FIELDS, allow_null=True),
    "baseline": text(),
    "parity": serializers.ChoiceField(["match", "not_claimed"]),
    "dry_run": serializers.BooleanField(),
    "carried_from": text(),
    "requested_by": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
    "finished_at": serializers.DateTimeField(allow_null=True),
    "receipt": text(),
    "problem": serializers.JSONField(allow_null=True),
}
DOCUMENT_FIELDS: Final[Fields] = {
    "reasons": serializers.ListField(child=serializers.CharField(), required=False),
    "aggregate": inline_serializer(
        "Aggregate",
        {"n": serializers.IntegerField(), "rho": number(), "mean_of_slices": number()},
        required=False,
    ),
    "slices": serializers.ListField(child=SLICE_VERDICT, required=False),
    "cases": inline_serializer(
        "GateRunCases",
        {
            "flagged": a_list(FLAGGED),
            "flagged_count": serializers.IntegerField(),
            "missing": serializers.IntegerField(),
            "of": serializers.IntegerField(),
        },
        required=False,
    ),
    "floors": serializers.ListField(
        child=inline_serializer(
            "FloorVerdict",
            {
                "metric": serializers.CharField(),
                "value": number(),
                "floor": serializers.FloatField(),
                "n": serializers.IntegerField(),
                "verdict": serializers.ChoiceField(OUTCOMES),
                "reasons": a_list(serializers.CharField()),
            },
        ),
        required=False,
    ),
    "limits": serializers.ListField(
        child=inline_serializer(
            "LimitVerdict",
            {
                "metric": serializers.CharField(),
                "value": number(),
                "limit": number(),
                "previous": number(),
                "verdict": serializers.ChoiceField([*OUTCOMES, "not_measured"]),
                "reasons": a_list(serializers.CharField()),
            },
        ),
        required=False,
    ),
}
SUMMARY: Final = inline_serializer("GateRunSummary", {**SUMMARY_FIELDS})  # it empties what it is given
RUNS: Final = inline_serializer("GateRunPage", {"results": a_list(SUMMARY), "next": text()})
RUN: Final = inline_serializer("GateRun", SUMMARY_FIELDS | DOCUMENT_FIELDS)
RATED: Final = inline_serializer(
    "RatingsAdded",
    {
        "suite": serializers.CharField(),
        "added": serializers.IntegerField(),
        "known": serializers.IntegerField(),
        "ratings_sha256": serializers.CharField(),
    },
)
JUDGE_FIELDS: Final[Fields] = {
    "judge_id": serializers.CharField(),
    "name": serializers.CharField(),
    "kind": serializers.CharField(),
    "scale": a_list(serializers.FloatField()),
    "sha256": serializers.CharField(),
    "definition": serializers.DictField(child=serializers.JSONField(allow_null=True)),
    "created_by": serializers.CharField(),
    "created_at": serializers.DateTimeField(),
}
WHOLE_JUDGE_FIELDS: Final[Fields] = {
    "prompt": inline_serializer(
        "JudgePrompt", {"system": serializers.CharField(), "user": serializers.CharField()}, allow_null=True
    ),
    "children": a_list(serializers.CharField()),
}
JUDGE: Final = inline_serializer("Judge", {**JUDGE_FIELDS})
ONE_JUDGE: Final = inline_serializer("WholeJudge", JUDGE_FIELDS | WHOLE_JUDGE_FIELDS)
JUDGES: Final = inline_serializer("JudgePage", {"results": a_list(JUDGE), "next": text()})


class CancelInput(Input):
    """`POST /v1/gate-runs/{id}/cancel`; the body may be left out."""

    reason = Text(max_length=500, required=False, allow_null=True)


class RatingsInput(Input):
    """`POST /v1/ratings`; each row is checked by the service, with its number."""

    suite = Text(max_length=200)
    grade_scale = serializers.ListField(
        child=serializers.FloatField(), required=False, allow_null=True, min_length=2, max_length=2
    )
    ratings = serializers.ListField(child=serializers.JSONField())

    def validate_grade_scale(self, value: list[float] | None) -> list[float] | None:
        """The lowest grade comes first."""
        if value and not value[0] < value[1]:
            raise serializers.ValidationError("Write the lowest and the highest grade, such as [1, 5].")
        return value
