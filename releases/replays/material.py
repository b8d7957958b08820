"""What one run of the job works with: both releases as gateways know them, and the rules of each slice."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gates.rule_judges import NamedRules
from relcontrol.accounts.models import Endpoint
from relcontrol.errors import Conflict
from relcontrol.jobs.leases import Lease
from releases.bucketing import Arm
from releases.credentials import MissingCredentialError, credential
from releases.gateway.control.snapshot import ApplicationEntry, ReleaseEntry
from releases.models import Release
from releases.replays.rendering import application_entry, release_entry
from releases.replays.scoring import rules_of_slice
from releases.rollout_models import ReplayJob, Rollout


class Answering(NamedTuple):
    """The release that answers a prompt again, and the secret of its server."""

    release: ReleaseEntry
    secret: str


@dataclass
class Replay:
    """One run of the job. What a person can mend is a `Conflict` or `NotFound`, raised when it is first needed."""

    lease: Lease[ReplayJob]
    row: Rollout
    _rules: dict[str, NamedRules] = field(default_factory=dict)

    @cached_property
    def application(self) -> ApplicationEntry:
        """The application, with the settings that its clients may choose."""
        return application_entry(self.row.application)

    @cached_property
    def others(self) -> dict[str, Answering]:
        """Who answers again what an arm has served: the other arm."""
        if self.row.previous is None:
            raise Conflict("There is no stable release to compare with.", code="cold_start")
        endpoints = list(Endpoint.objects.filter(organization_id=self.row.organization_id))
        return {
            Arm.STABLE.value: _answering(self.row.release, endpoints),
            Arm.CANDIDATE.value: _answering(self.row.previous, endpoints),
        }

    def rules_of(self, slug: str) -> NamedRules:
        """The rules that score the answers of a slice."""
        if slug not in self._rules:
            self._rules[slug] = rules_of_slice(self.row.organization, slug)
        return self._rules[slug]


def _answering(release: Release, endpoints: list[Endpoint]) -> Answering:
    entry = release_entry(release, endpoints)
    try:
        return Answering(entry, credential(entry.endpoint.credential))
    except MissingCredentialError as error:
        raise Conflict(f"{release.name} cannot be replayed. {error}", code="missing_credential") from error
