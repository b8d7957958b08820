"""Which releases a snapshot carries, each with its manifest and the content that the manifest names.

What serves, what is rolling, what was staged lately, and what one can roll back to: the newest superseded releases of
each route, and the previous release of what is stable (contracts.md "States", domain.md "Rollback").
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from relcontrol.accounts.models import Organization
from releases.artifact_selectors import contents
from releases.models import Release

STAGED: Final = timedelta(minutes=15)
ROLLBACK_TARGETS: Final = 3
SERVING_ARTIFACTS: Final = ("guardrail_policy", "tool_schemas", "few_shot")


@dataclass(frozen=True, slots=True)
class CarriedRelease:
    """A release with all that a gateway renders by; `artifacts` are values by digest."""

    row: Release
    manifest: dict[str, Any]
    artifacts: dict[str, Any]


def carried_releases(
    organization: Organization, *, at: datetime, candidates: Collection[str]
) -> tuple[CarriedRelease, ...]:
    """The releases of a generation that was made `at` a time, by manifest, in three queries."""
    rows = sorted(_rows(organization, at, candidates), key=lambda row: row.manifest_sha256)
    manifests = [json.loads(bytes(row.manifest)) for row in rows]
    values = contents(organization, {digest for manifest in manifests for digest in serving_digests(manifest)})
    return tuple(
        CarriedRelease(row, manifest, {digest: values[digest] for digest in sorted(serving_digests(manifest))})
        for row, manifest in zip(rows, manifests, strict=True)
    )


def serving_digests(manifest: Mapping[str, Any]) -> set[str]:
    """The artifacts that answering needs: prompt and preprocessing, and those of the components that are there."""
    return {manifest["prompt_template"], manifest["preprocessing"], *_component_digests(manifest["components"])}


def _component_digests(components: Mapping[str, Any]) -> Iterator[str]:
    for name in SERVING_ARTIFACTS:
        if components.get(name) is not None:
            yield components[name]


def _rows(organization: Organization, at: datetime, candidates: Collection[str]) -> QuerySet[Release]:
    delivery, all_of_it = Release.Delivery, Release.objects.filter(organization=organization)
    # Read first: beside a window, a subquery would become one value, and every route has a previous release.
    previous = list(all_of_it.filter(delivery=delivery.STABLE).values_list("previous_release", flat=True))
    always = (
        Q(delivery=delivery.STABLE) | Q(delivery=delivery.ROLLING) | Q(pk__in=candidates) | Q(staged_at__gt=at - STAGED)
    )
    place = Window(RowNumber(), partition_by=[F("route"), F("delivery")], order_by=F("number").desc())
    return (
        all_of_it.filter(always | Q(delivery=delivery.SUPERSEDED))
        .annotate(place=place)
        .filter(always | Q(place__lte=ROLLBACK_TARGETS) | Q(pk__in=previous))
    )
