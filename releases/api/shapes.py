"""Releases and artifacts as JSON, and the shapes of these answers for the schema."""

from typing import Any, Final

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from audit.chain import timestamp
from releases.artifact_selectors import names_of_content
from releases.deployability import Deployability
from releases.models import Artifact, ArtifactVersion, Release
from releases.selectors import ComponentDifference

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]

TEXT: Final = serializers.CharField
JSON: Final = serializers.JSONField


def a_list(child: Any) -> Any:
    """A list in the schema."""
    return serializers.ListField(child=child)


CHANGE_FIELDS: Final[Fields] = {
    "component": TEXT(),
    "kind": serializers.ChoiceField(["serving", "measuring"]),
    "before": JSON(allow_null=True),
    "after": JSON(allow_null=True),
}
FINDING: Final = inline_serializer(
    "FastGateFinding",
    {
        "severity": serializers.ChoiceField(["error", "warning", "info"]),
        "code": TEXT(),
        "message": TEXT(),
        "field": TEXT(allow_blank=True),
    },
)
RELEASE: Final = inline_serializer(
    "Release",
    {
        "release_id": TEXT(),
        "name": TEXT(help_text="A number for people, such as r128; never a key."),
        "manifest_sha256": TEXT(),
        "bundle_sha256": TEXT(),
        "application": TEXT(),
        "route": TEXT(),
        "routing": serializers.DictField(child=TEXT()),
        "model_ref": TEXT(),
        "refs": serializers.DictField(child=TEXT()),
        "standing": serializers.ChoiceField(["none", "running", "pass", "hold", "fail", "overridden"]),
        "delivery": serializers.ChoiceField(Release.Delivery.choices),
        "deployable": serializers.BooleanField(),
        "why_not": a_list(TEXT()),
        "cold_start": serializers.BooleanField(),
        "changes": a_list(inline_serializer("Change", {**CHANGE_FIELDS})),
        "previous_release": TEXT(allow_null=True),
        "fast_gate": inline_serializer("FastGate", {"findings": a_list(FINDING)}),
        "registered_at": serializers.DateTimeField(),
        "registered_by": TEXT(),
    },
)
RELEASES: Final = inline_serializer("ReleasePage", {"results": a_list(RELEASE), "next": TEXT(allow_null=True)})
DIFFERENCE: Final = inline_serializer(
    "ReleaseDifference",
    {
        "manifest_sha256": TEXT(),
        "against": TEXT(allow_null=True),
        "changes": a_list(
            inline_serializer(
                "ComponentDifference",
                CHANGE_FIELDS
                | {
                    "before_ref": TEXT(allow_null=True),
                    "after_ref": TEXT(allow_null=True),
                    "before_text": TEXT(allow_null=True),
                    "after_text": TEXT(allow_null=True),
                },
            )
        ),
    },
)
VERSION_FIELDS: Final[Fields] = {
    "ref": TEXT(),
    "name": TEXT(),
    "version": TEXT(),
    "kind": TEXT(),
    "sha256": TEXT(),
    "created_at": serializers.DateTimeField(),
    "created_by": TEXT(),
}
VERSION: Final = inline_serializer("ArtifactVersion", {**VERSION_FIELDS})  # it empties what it is given
CREATED: Final = inline_serializer("CreatedArtifact", VERSION_FIELDS | {"value": JSON()})
VERSIONS: Final = inline_serializer("ArtifactPage", {"results": a_list(VERSION), "next": TEXT(allow_null=True)})
ARTIFACT: Final = inline_serializer(
    "Artifact", {"sha256": TEXT(), "kind": TEXT(), "value": JSON(), "refs": a_list(TEXT())}
)


def release_as_json(release: Release, state: Deployability) -> dict[str, Any]:
    """A release with its standing, as list and detail show it."""
    previous = release.previous_release
    return {
        "release_id": release.pk,
        "name": release.name,
        "manifest_sha256": release.manifest_sha256,
        "bundle_sha256": release.bundle_sha256,
        "application": release.application.slug,
        "route": release.route_id,
        "routing": release.route.routing,
        "model_ref": release.model_ref,
        "refs": release.refs,
        "standing": state.standing,
        "delivery": state.delivery,
        "deployable": state.deployable,
        "why_not": list(state.why_not),
        "cold_start": previous is None,
        "changes": release.changes,
        "previous_release": previous.manifest_sha256 if previous else None,
        "fast_gate": {"findings": release.findings},
        "registered_at": timestamp(release.created_at),
        "registered_by": release.registered_by_label,
    }


def difference_as_json(row: ComponentDifference) -> dict[str, Any]:
    """One component that differs."""
    return {
        "component": row.component,
        "kind": row.kind,
        "before": row.before,
        "after": row.after,
        "before_ref": row.before_ref,
        "after_ref": row.after_ref,
        "before_text": row.before_text,
        "after_text": row.after_text,
    }


def version_as_json(row: ArtifactVersion) -> dict[str, Any]:
    """A named artifact without its content."""
    return {
        "ref": row.ref,
        "name": row.name,
        "version": row.version,
        "kind": row.artifact.kind,
        "sha256": row.artifact.digest,
        "created_at": timestamp(row.created_at),
        "created_by": row.created_by_label,
    }


def artifact_as_json(row: Artifact) -> dict[str, Any]:
    """A content and every name that it has."""
    return {
        "sha256": row.digest,
        "kind": row.kind,
        "value": row.value,
        "refs": names_of_content(row.organization, row.digest),
    }
