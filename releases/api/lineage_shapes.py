"""The shapes of lineage's answers, for the schema."""

from typing import Any, Final

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from releases.api.shapes import JSON, TEXT, Fields, a_list
from releases.api.traces import TRACE

MOMENT: Final = serializers.DateTimeField
FLOAT: Final = serializers.FloatField


def again(shape: Any) -> Any:
    """The same shape once more: one instance of a serializer stands in one place only."""
    return type(shape)()


APPROVAL: Final = inline_serializer(
    "Approval",
    {
        "actor": TEXT(),
        "kind": TEXT(help_text="person, service or system."),
        "name": TEXT(),
        "did": TEXT(help_text="The end of a sentence that begins with the name."),
        "event": TEXT(),
        "at": MOMENT(),
        "receipt": TEXT(),
    },
)
CITED: Final = inline_serializer(
    "CitedReceipt",
    {
        "receipt": TEXT(),
        "seq": serializers.IntegerField(),
        "event": TEXT(),
        "at": MOMENT(),
        "verified": serializers.BooleanField(),
    },
)
SERVED: Final = inline_serializer(
    "ServedTuple",
    {
        "manifest_sha256": TEXT(),
        "release_id": TEXT(allow_null=True, help_text="Null where no such release is registered here."),
        "release": TEXT(allow_null=True),
        "bundle_sha256": TEXT(allow_null=True),
        "components": a_list(JSON()),
        "weights": TEXT(allow_null=True),
        "commit": TEXT(allow_null=True),
        "suite": JSON(allow_null=True),
        "gate_run": JSON(allow_null=True),
        "judged": a_list(JSON()),
    },
    allow_null=True,
)
CHANGE: Final = inline_serializer(
    "LineageChange",
    {
        "component": TEXT(),
        "kind": serializers.ChoiceField(["serving", "measuring"]),
        **{name: JSON(allow_null=True) for name in ("before", "after")},
        **{name: TEXT(allow_null=True) for name in ("before_ref", "after_ref", "before_text", "after_text")},
    },
)
GOOD: Final = inline_serializer(
    "LastKnownGood",
    {
        "release_id": TEXT(),
        "release": TEXT(),
        "manifest_sha256": TEXT(),
        "changes": a_list(CHANGE),
    },
    allow_null=True,
)
FINGERPRINTS: Final = inline_serializer(
    "Fingerprints",
    {
        "offline": TEXT(allow_null=True, help_text="What the gate run judged."),
        "online": TEXT(allow_null=True, help_text="What answered."),
        "verdict": serializers.ChoiceField(["same", "other", "not_reported", "not_judged"]),
        "sentence": TEXT(),
    },
)
FEATURE: Final = inline_serializer(
    "FeatureInTime",
    {
        "name": TEXT(),
        "as_of": MOMENT(allow_null=True),
        "value": JSON(allow_null=True),
        "age_seconds": FLOAT(allow_null=True),
        "verdict": serializers.ChoiceField(["in_time", "future", "stale", "undated"]),
        "sentence": TEXT(),
    },
)
LINEAGE_FIELDS: Final[Fields] = {
    "request_id": TEXT(),
    "trace": again(TRACE),
    "other_traces": a_list(again(TRACE)),
    "served": SERVED,
    "last_known_good": GOOD,
    "approved_by": a_list(again(APPROVAL)),
    "receipts": a_list(again(CITED)),
    "problems": a_list(TEXT()),
    "fingerprints": FINGERPRINTS,
    "features": serializers.ListField(
        child=FEATURE, allow_null=True, help_text="Null where the body is erased or was not sent."
    ),
    "feedback": a_list(JSON()),
    "ratings": a_list(JSON()),
    "observed": a_list(JSON()),
}
LINEAGE: Final = inline_serializer("Lineage", LINEAGE_FIELDS)
PAGE: Final = inline_serializer("LineagePage", {"results": a_list(again(TRACE)), "next": TEXT(allow_null=True)})
