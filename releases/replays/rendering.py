"""The body that a release's model server gets when a recorded prompt is answered again.

Rendered by the gateway's own function of the gateway's own kind of release, so that a replay differs from life in
nothing. Tools are not run: what they once answered stands in the recorded messages.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from relcontrol.accounts.models import Application, Endpoint
from relcontrol.errors import Conflict
from releases.artifact_selectors import contents
from releases.gateway.control.bundles import release_of
from releases.gateway.control.errors import SnapshotRefusedError
from releases.gateway.control.snapshot import ApplicationEntry, EndpointEntry, ReleaseEntry
from releases.gateway.errors import GatewayError
from releases.gateway.rendering import rendered
from releases.models import Release
from releases.routing.carried import serving_digests
from releases.routing.serving import Unserved, endpoint_still


class NotReplayableError(ValueError):
    """This prompt cannot be answered again; the sentence says why."""


def release_entry(row: Release, endpoints: Sequence[Endpoint]) -> ReleaseEntry:
    """A release as a gateway knows it. `Conflict` where nothing serves its model, or its bundle is not whole."""
    served = endpoint_still(endpoints, row.model_ref)
    if isinstance(served, Unserved):
        raise Conflict(f"{row.name} cannot be replayed. {served.sentence}", code="unserved")
    manifest = json.loads(bytes(row.manifest))
    value = {
        "name": row.name,
        "bundle_sha256": row.bundle_sha256,
        "manifest": manifest,
        "artifacts": contents(row.organization, serving_digests(manifest)),
        "endpoint": served.endpoint.name,
        "model": served.model,
    }
    at = served.endpoint
    entry = EndpointEntry(at.name, at.base_url, at.protocol, at.credential)
    try:
        return release_of(row.manifest_sha256, value, {at.name: entry}, {})
    except SnapshotRefusedError as error:
        raise Conflict(f"{row.name} cannot be replayed: {error}", code="bundle_not_whole") from error


def application_entry(row: Application) -> ApplicationEntry:
    """An application as a gateway knows it, without a key."""
    return ApplicationEntry(row.pk, row.slug, None, frozenset(row.client_settings), "", None)


def client_body(traced: Mapping[str, Any]) -> dict[str, Any]:
    """What the client once sent, from the opened body of its trace; a bare text is one message of the user."""
    asked = traced.get("input")
    if isinstance(asked, str):
        asked = {"messages": [{"role": "user", "content": asked}]}
    if not isinstance(asked, Mapping) or not asked.get("messages"):
        raise NotReplayableError("The trace holds no messages to answer again.")
    return {**asked, "metadata": traced.get("metadata") or {}}


def upstream_body(release: ReleaseEntry, application: ApplicationEntry, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The body for the model server of a release."""
    try:
        return rendered(release, application, {**asked, "stream": False}).body
    except GatewayError as error:
        raise NotReplayableError(f"{release.name} refuses the prompt: {error.message}"[:300]) from error
