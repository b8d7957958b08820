"""`expected_manifest_sha256`: CI says which manifest it believes it registers; another is refused with the reason."""

from typing import Any

from relcontrol.accounts.models import Organization
from relcontrol.bundle.changes import field_difference
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.refs import parse_hex64
from relcontrol.errors import Conflict
from releases.models import Release
from releases.refusals import not_a_bundle
from releases.selectors import manifest_of


def check_expected(
    organization: Organization, manifest: dict[str, Any], manifest_sha256: str, expected: str | None
) -> None:
    """Raise `Conflict` with a field-by-field difference, or with the manifest where the expected one is unknown."""
    if expected is None:
        return
    try:
        wanted = parse_hex64(expected, "expected_manifest_sha256")
    except BundleError as error:
        raise not_a_bundle(error) from error
    if wanted != manifest_sha256:
        raise _differs(organization, manifest, manifest_sha256, wanted)


def _differs(organization: Organization, manifest: dict[str, Any], got: str, wanted: str) -> Conflict:
    state: dict[str, Any] = {"expected_manifest_sha256": wanted, "manifest_sha256": got}
    known = Release.objects.filter(organization=organization, manifest_sha256=wanted).first()
    if known is None:
        state["manifest"] = manifest
        advice = "The expected one is not registered here; compare yours with `state.manifest`."
    else:
        state["difference"] = field_difference(manifest_of(known), manifest)
        fields = ", ".join(entry["field"] for entry in state["difference"])
        advice = f"It differs from {known.name} in {fields}; see `state.difference`."
    return Conflict(
        f"This is the manifest {got[:12]}…, not {wanted[:12]}… as expected; nothing was registered. {advice}",
        code="manifest_differs",
        state=state,
    )
