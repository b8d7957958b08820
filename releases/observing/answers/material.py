"""What one run of the scoring job works with: answers, pinned judges, the release's server, its way to write."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from gates.judges import children_of, judge_named
from gates.llm_judge.definition import KIND as LLM
from gates.models import Judge
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.jobs.leases import LEASE, Lease
from relcontrol.model_servers.credentials import credential
from relcontrol.model_servers.spending import Prices, Spent
from releases.gateway.control.snapshot import ApplicationEntry, ReleaseEntry
from releases.observer_models import ObservedAnswer, Observer, ObserverJob
from releases.observing.judges import mapped
from releases.replays.rendering import application_entry, release_entry
from releases.traces.bodies import seal_body

IN_FLIGHT: Final = 8
NOTHING: Final = Spent()
State = ObservedAnswer.State


@dataclass
class Case:
    """One answer on its way: what was asked and answered, what is to be sealed beside the reason, what it has cost."""

    row: ObservedAnswer
    asked: str = ""
    output: Any = None
    reference: str | None = None
    kept: dict[str, Any] = field(default_factory=dict)
    spent: Spent = NOTHING


class Server(NamedTuple):
    """The release and the application as gateways know them, the secret of the release's server, and its prices."""

    release: ReleaseEntry
    application: ApplicationEntry
    secret: str
    prices: Prices


@dataclass
class Run:
    """One run of the job."""

    lease: Lease[ObserverJob]
    observer: Observer
    _judges: dict[str, Judge] = field(default_factory=dict)

    def judge_of(self, row: ObservedAnswer) -> Judge:
        """The judge that is pinned for the slice of an answer."""
        name = row.observed.judge
        if name not in self._judges:
            self._judges[name] = judge_named(self.observer.organization, name)
        return self._judges[name]

    def asks_a_model(self, row: ObservedAnswer) -> bool:
        """Whether that judge is a model, or a composition with one."""
        judge = self.judge_of(row)
        return any(each.definition["kind"] == LLM for each in children_of(judge) or [judge])

    @cached_property
    def server(self) -> Server:
        """Who answers again what was not stored. `Conflict` or `MissingCredentialError` where nobody can."""
        endpoints = {row.name: row for row in Endpoint.objects.filter(organization_id=self.observer.organization_id)}
        entry = release_entry(self.observer.release, list(endpoints.values()))
        at = endpoints[entry.endpoint.name]
        prices = Prices(at.input_price, at.output_price)
        return Server(entry, application_entry(self.observer.application), credential(at.credential), prices)

    def write(
        self, case: Case, *, raw: float | None = None, reason: str = "", problem: str = "", spent: Spent = NOTHING
    ) -> None:
        """Write what came of an answer under the job's fence, once; without a score it is missing, for `problem`."""
        row, at = case.row, now()
        values: dict[str, Any] = {
            "kind": row.kind,
            "state": State.MISSING if raw is None else State.SCORED,
            "raw": raw,
            "score": None if raw is None else mapped(self.observer.settings["slices"][row.observed.slice]["map"], raw),
            "problem": problem[:300],
            "scored_at": at,
        }
        kept = {**case.kept, **({"reason": reason} if reason else {})}
        with self.lease.writing() as job:
            if kept and row.subject is not None:
                values["sealed"] = seal_body(row.organization_id, bytes(row.subject), kept) or None
            # Never an insert: whoever was erased meanwhile stays erased.
            ObservedAnswer.objects.filter(pk=row.pk, state=State.QUEUED).update(**values)
            before = Spent.from_json(job.spent) if job.spent else NOTHING
            job.spent = (before + case.spent + spent).as_json()
            job.progress_done += 1
            job.lease_until = at + LEASE
            job.save(update_fields=["spent", "progress_done", "lease_until"])
