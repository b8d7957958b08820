"""What the registry checks before anybody asks for an override of a release: that it is whole, and may still roll."""

import hashlib
from typing import Final

from gates.runs.candidate import Candidate
from relcontrol.errors import Conflict
from releases.candidates import candidate_of
from releases.models import Release

_NO_USE: Final = {
    Release.Delivery.ROLLING: "is rolling out already",
    Release.Delivery.STABLE: "is what its route serves",
    Release.Delivery.SUPERSEDED: "was replaced by a later release",
    Release.Delivery.ARCHIVED: "was archived by a person, which is final",
}


def overridable(release: Release) -> Candidate:
    """The candidate of a release that an override may be asked for; `Conflict` says why not."""
    if hashlib.sha256(bytes(release.manifest)).hexdigest() != release.manifest_sha256:
        message = (
            f"The stored manifest of {release.name} is not the one that was registered: its bytes have another digest. "
            "No override covers that; find out who changed the database."
        )
        raise Conflict(message, code="integrity", state={"manifest_sha256": release.manifest_sha256})
    if said := _NO_USE.get(Release.Delivery(release.delivery)):
        message = f"{release.name} {said}, so an override would let nothing through."
        raise Conflict(message, code="not_overridable", state={"delivery": release.delivery})
    return candidate_of(release)
