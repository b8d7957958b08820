"""What one run of the job works with: both releases as gateways know them, each slice's judge, and its way to write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from gates.models import Judge
from gates.rule_judges import NamedRules
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.errors import Conflict
from relcontrol.jobs.leases import LEASE, Lease
from relcontrol.model_servers.credentials import MissingCredentialError, credential
from releases.bucketing import Arm
from releases.gateway.control.snapshot import ApplicationEntry, ReleaseEntry
from releases.models import Release
from releases.replays.rendering import application_entry, release_entry
from releases.replays.scoring import model_of_slice, rules_of_slice
from releases.rollout_models import ReplayJob, ReplayPair, Rollout
from releases.traces.bodies import seal_body

RESULT: Final = (
    *("state", "answers", "candidate_score", "stable_score"),
    *("source", "findings", "problem", "scored_at"),
)


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
    _models: dict[str, Judge | None] = field(default_factory=dict)

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

    def model_of(self, slug: str) -> Judge | None:
        """The judge of a slice that asks a model; None where rules score its answers here."""
        if slug not in self._models:
            self._models[slug] = model_of_slice(self.row.organization, slug)
        return self._models[slug]


def write_pair(run: Replay, pair: ReplayPair, kept: Mapping[str, Any]) -> None:
    """Write what came of a pair under the job's fence; `kept` is sealed as its answers."""
    with run.lease.writing() as job:
        if kept:
            pair.answers = seal_body(pair.organization_id, bytes(pair.subject), dict(kept))
        # Never an insert: whoever was erased meanwhile stays erased.
        waiting = ReplayPair.objects.filter(pk=pair.pk, state__in=[ReplayPair.State.QUEUED, ReplayPair.State.ANSWERED])
        waiting.update(**{name: getattr(pair, name) for name in RESULT})
        job.progress_done, job.lease_until = job.progress_done + 1, now() + LEASE
        job.save(update_fields=["progress_done", "lease_until"])


def _answering(release: Release, endpoints: list[Endpoint]) -> Answering:
    entry = release_entry(release, endpoints)
    try:
        return Answering(entry, credential(entry.endpoint.credential))
    except MissingCredentialError as error:
        raise Conflict(f"{release.name} cannot be replayed. {error}", code="missing_credential") from error
