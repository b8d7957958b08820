"""What a release's answers are made with: the release as its gateways know it, its server's secret and prices.

An answer is asked for by the gateway's own function of the gateway's own kind of release, as replays are
(`releases.replays.rendering`): what is evaluated is what will serve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relcontrol.accounts.models import Endpoint
from relcontrol.errors import Conflict
from relcontrol.model_servers.credentials import MissingCredentialError, credential
from relcontrol.model_servers.spending import Prices
from releases.gateway.control.snapshot import ApplicationEntry, ReleaseEntry
from releases.models import Release
from releases.replays.rendering import application_entry, client_body, release_entry, upstream_body
from releases.routing.serving import Unserved, endpoint_still


@dataclass(frozen=True, slots=True)
class Material:
    """A release that can be asked."""

    release: ReleaseEntry
    application: ApplicationEntry
    secret: str
    prices: Prices

    @property
    def base_url(self) -> str:
        """Where its server is."""
        return self.release.endpoint.base_url

    @property
    def model(self) -> Mapping[str, Any]:
        """The manifest's model, weights and adapter included."""
        found: Mapping[str, Any] = self.release.manifest["model"]
        return found

    def body_for(self, question: str) -> dict[str, Any]:
        """What the server is sent for a case. `NotReplayableError` where the release cannot take it."""
        return upstream_body(self.release, self.application, client_body({"input": question}))


def material_of(release: Release) -> Material:
    """Raises `Conflict` with what to do where no server answers for the release, or its secret is not here."""
    endpoints = list(Endpoint.objects.filter(organization_id=release.organization_id))
    served = endpoint_still(endpoints, release.model_ref)
    if isinstance(served, Unserved):
        raise Conflict(f"{release.name} cannot be evaluated. {served.sentence}", code="unserved")
    entry = release_entry(release, endpoints)
    try:
        secret = credential(entry.endpoint.credential)
    except MissingCredentialError as error:
        raise Conflict(f"{release.name} cannot be evaluated. {error}", code="missing_credential") from error
    prices = Prices(served.endpoint.input_price, served.endpoint.output_price)
    return Material(entry, application_entry(release.application), secret, prices)
