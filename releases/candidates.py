"""A release as a gate judges it: what `gates`, which knows no releases, is told of a manifest."""

from gates.runs.candidate import Candidate
from relcontrol.bundle.components import TITLES
from releases.models import Release
from releases.selectors import manifest_of


def candidate_of(release: Release) -> Candidate:
    """The candidate that this release is."""
    previous = release.previous_release
    return Candidate(
        application=release.application,
        manifest_sha256=release.manifest_sha256,
        release_id=release.pk,
        name=release.name,
        route_id=release.route_id,
        route_name=release.route.name,
        bundle_sha256=release.bundle_sha256,
        manifest=manifest_of(release),
        previous_manifest_sha256=previous.manifest_sha256 if previous else None,
        previous_name=previous.name if previous else None,
        previous_release_id=previous.pk if previous else None,
        changes=[
            {
                "component": change["component"],
                "title": TITLES[change["component"]],
                "kind": change["kind"],
                "before_ref": previous.refs.get(change["component"]) if previous else None,
                "after_ref": release.refs.get(change["component"]),
            }
            for change in release.changes
        ],
    )
