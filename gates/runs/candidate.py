"""What is judged: a manifest, with what the registry knows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relcontrol.accounts.models import Application


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the registry says of the manifest that is judged; without a previous release it is a cold start.

    `changes` are `{component, title, kind, before_ref, after_ref}` against the previous release.
    """

    application: Application
    manifest_sha256: str
    release_id: str
    name: str
    route_id: str
    route_name: str
    bundle_sha256: str
    manifest: Mapping[str, Any]
    previous_manifest_sha256: str | None
    previous_name: str | None
    previous_release_id: str | None
    changes: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """What a run keeps of it."""
        return {
            "name": self.name,
            "release_id": self.release_id,
            "route_id": self.route_id,
            "route_name": self.route_name,
            "bundle_sha256": self.bundle_sha256,
            "model": dict(self.manifest["model"]),
            "preprocessing": self.manifest["preprocessing"],
            "dataset": self.manifest["dataset"],
            "feature_snapshot": self.manifest["components"]["feature_snapshot"],
            "previous_name": self.previous_name,
            "previous_release_id": self.previous_release_id,
            "changes": [dict(change) for change in self.changes],
        }
