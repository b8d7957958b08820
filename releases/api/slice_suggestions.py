"""REST: which of the newest requests a rule would take, and what no slice takes (ui.md screen 8).

Both are for those who make slices. Texts are shown to those who may read what was asked: their scope is audit:read.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from drf_spectacular.utils import extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from gates.slices.services import slice_named
from relcontrol.accounts.permissions import READ_AUDIT, WRITE_GATES, Allowed, Permission
from relcontrol.api.calls import Call
from relcontrol.api.inputs import Input, Structure, Text
from relcontrol.clock import now
from releases.api.shapes import JSON, TEXT, a_list
from releases.suggestions.examples import Example
from releases.suggestions.grouping import Group, suggest
from releases.suggestions.looking import Look
from releases.suggestions.matching import Draft, find_matches
from releases.suggestions.wording import belongs_nowhere, name_of, sentences

WHOLE: Final = serializers.IntegerField
FLOAT: Final = serializers.FloatField
LOOKED: Final = inline_serializer(
    "LookedAt",
    {
        "requests": WHOLE(),
        "unreadable": WHOLE(help_text="Erased, damaged, or too long to be looked at."),
        "since": serializers.DateTimeField(),
        "whole_week": serializers.BooleanField(help_text="False where only the newest requests of it were read."),
    },
)
EXAMPLE: Final = inline_serializer(
    "RequestExample",
    {
        "trace_id": TEXT(),
        "request_id": TEXT(),
        "started_at": serializers.DateTimeField(),
        "input": TEXT(),
        "slice": TEXT(allow_null=True, help_text="The slice that would get it."),
    },
)
EXAMPLES: Final = serializers.ListField(child=EXAMPLE, allow_null=True, help_text="Null without audit:read.")
COUNTS: Final = serializers.DictField(child=WHOLE())
MATCHES: Final = inline_serializer(
    "SliceMatches",
    {
        "looked_at": LOOKED,
        "matched": WHOLE(),
        "taken": WHOLE(help_text="Those of them that this slice would get."),
        "per_day": FLOAT(),
        "days": COUNTS,
        "asked_first": COUNTS,
        "parts": COUNTS,
        "moved_from": COUNTS,
        "outside": COUNTS,
        "sentences": a_list(TEXT()),
        "examples": EXAMPLES,
    },
)
SUGGESTION: Final = inline_serializer(
    "SliceSuggestion",
    {
        "name": TEXT(),
        "match": serializers.DictField(child=JSON()),
        "requests": WHOLE(),
        "subjects": WHOLE(),
        "per_day": FLOAT(),
        "examples": EXAMPLES,
    },
)
SUGGESTIONS: Final = inline_serializer(
    "SliceSuggestions",
    {"looked_at": LOOKED, "unassigned": WHOLE(), "sentence": TEXT(), "results": a_list(SUGGESTION)},
)


class MatchInput(Input):
    """A rule, and where its slice stands. `slice` is one that it would change; its place holds where none is given."""

    match = Structure()
    slice = Text(max_length=63, required=False)
    slug = Text(max_length=63, required=False)
    parent = Text(max_length=63, required=False, allow_null=True)  # type: ignore[assignment]  # the field's name only
    application = Text(max_length=63, required=False, allow_null=True)


@extend_schema_view(
    post=extend_schema(
        summary="Which of the newest requests a match rule takes",
        description="Looks at up to 2,000 requests of the last seven days, within a bounded time. Changes nothing.",
        request=MatchInput,
        responses=MATCHES,
    )
)
class SliceMatches(Call):
    """A rule tried on live requests."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def post(self, request: Request) -> Response:
        """What it matches."""
        draft = self._draft(self.read(MatchInput))
        found = find_matches(self.actor.organization, draft, now())
        return Response(
            {
                "looked_at": _looked(found.look),
                "matched": found.matched,
                "taken": found.taken,
                "per_day": found.a_day,
                "days": {day.isoformat(): count for day, count in sorted(found.days.items())},
                "asked_first": found.earlier,
                "parts": found.parts,
                "moved_from": found.moved,
                "outside": found.outside,
                "sentences": sentences(found, draft.match),
                "examples": self._examples(found.examples),
            }
        )

    def _draft(self, given: dict[str, Any]) -> Draft:
        if "slice" not in given:
            return Draft(**given)
        changes = slice_named(self.actor.organization, given.pop("slice"))
        place = {
            "parent": changes.parent.slug if changes.parent else None,
            "application": changes.application.slug if changes.application else None,
        }
        return Draft(**place | given, changes=changes)

    def _examples(self, kept: Sequence[Example]) -> list[dict[str, Any]] | None:
        return examples_as_json(kept) if isinstance(self.actor.may(READ_AUDIT), Allowed) else None


@extend_schema_view(
    get=extend_schema(
        summary="What belongs to no slice, in groups that a rule could take",
        description="Values of metadata and languages that at least five requests of three subjects have in common.",
        responses=SUGGESTIONS,
    )
)
class SliceSuggestions(Call):
    """Slices that are not there yet."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": WRITE_GATES}

    def get(self, request: Request) -> Response:
        """The largest groups."""
        found = suggest(self.actor.organization, now())
        texts = isinstance(self.actor.may(READ_AUDIT), Allowed)
        return Response(
            {
                "looked_at": _looked(found.look),
                "unassigned": found.unassigned,
                "sentence": belongs_nowhere(found),
                "results": [_group(each, found.look, texts=texts) for each in found.groups],
            }
        )


def examples_as_json(kept: Sequence[Example]) -> list[dict[str, Any]]:
    """What was asked, request by request."""
    return [
        {
            "trace_id": example.trace_id,
            "request_id": example.request_id,
            "started_at": timestamp(example.started_at),
            "input": example.text,
            "slice": example.slice or None,
        }
        for example in kept
    ]


def _group(group: Group, look: Look, *, texts: bool) -> dict[str, Any]:
    return {
        "name": name_of(group.trait),
        "match": group.trait.match,
        "requests": group.count,
        "subjects": len(group.subjects),
        "per_day": look.a_day(group.count),
        "examples": examples_as_json(group.examples) if texts else None,
    }


def _looked(look: Look) -> dict[str, Any]:
    return {
        "requests": look.opened,
        "unreadable": look.closed,
        "since": timestamp(look.since),
        "whole_week": look.whole,
    }
