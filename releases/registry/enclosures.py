"""Artifacts that come with a registration, in its own transaction: `artifacts: [{ref, value}]`."""

from collections.abc import Mapping, Sequence
from typing import Any

from relcontrol.accounts.actors import Actor
from relcontrol.bundle.errors import BundleError, Problem, item, under
from releases.artifacts import NamedContent, checked_artifact, store_artifacts
from releases.models import ArtifactVersion
from releases.refusals import not_a_bundle


def store_enclosed(actor: Actor, enclosed: Sequence[Mapping[str, Any]]) -> list[ArtifactVersion]:
    """Store them all, or raise with the problems of all; returns the new ones, whose receipts are still to come."""
    problems: list[Problem] = []
    checked: list[NamedContent] = []
    for index, entry in enumerate(enclosed):
        path = item("artifacts", index)
        try:
            checked.append(
                checked_artifact(
                    entry.get("ref"), entry.get("value"), ref_field=under(path, "ref"), value_field=under(path, "value")
                )
            )
        except BundleError as error:
            problems += error.problems
    if problems:
        raise not_a_bundle(BundleError(problems))
    stored = dict(store_artifacts(actor, checked)) if checked else {}
    return [version for version, created in stored.items() if created]
