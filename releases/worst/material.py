"""What the job of the worst answers works with: the kept release as gateways know it, judges and their maps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from gates.judges import judge_named
from gates.models import Judge
from gates.rule_judge.judging import text_of
from gates.runs.selectors import deciding_run
from relcontrol.accounts.models import Endpoint
from relcontrol.clock import now
from relcontrol.errors import Conflict
from relcontrol.jobs.leases import LEASE, Lease
from relcontrol.model_servers.credentials import MissingCredentialError, credential
from releases.gateway.control.snapshot import ApplicationEntry, ReleaseEntry
from releases.observer_models import Observer, WorstAnswer, WorstAnswers
from releases.observing.judges import pinned_judge
from releases.replays.rendering import application_entry, release_entry
from releases.replays.scoring import GONE
from releases.traces.bodies import seal_body

BEFORE: Final = "before"
AFTER: Final = "after"
SIDES: Final = (BEFORE, AFTER)
NO_KEPT: Final = "There is no release to compare with."


@dataclass
class Place:
    """One of the worst answers on its way. `answers` and `reasons` are by side; `problem` says what is missing."""

    row: WorstAnswer
    messages: list[Any]
    asked: str
    answers: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float | None] = field(default_factory=dict)
    problem: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def unscored(self) -> list[str]:
        """The sides that say something and have no score yet."""
        return [side for side in SIDES if self.scores.get(side) is None and text_of(self.answers.get(side)).strip()]

    def lacks(self, problem: str) -> None:
        """Note what is missing; the first thing stands."""
        self.problem = self.problem or problem

    def sealed(self) -> dict[str, Any]:
        """What is kept of it under the key of its subject."""
        said = {side: self.answers.get(side) for side in SIDES}
        reasons = {f"reason_{side}": self.reasons.get(side, "") for side in SIDES}
        return {"input": {"messages": self.messages}, **said, **reasons}


@dataclass
class Work:
    """One run of the job."""

    lease: Lease[WorstAnswers]
    row: WorstAnswers
    _judges: dict[str, tuple[Judge, Mapping[str, Any]]] = field(default_factory=dict)

    @cached_property
    def application(self) -> ApplicationEntry:
        """The application, with the settings that its clients may choose."""
        return application_entry(self.row.left.application)

    @cached_property
    def kept(self) -> tuple[ReleaseEntry, str] | str:
        """The release that answers again, with the secret of its server; or the sentence why none does."""
        if self.row.kept is None:
            return NO_KEPT
        endpoints = list(Endpoint.objects.filter(organization_id=self.row.organization_id))
        try:
            entry = release_entry(self.row.kept, endpoints)
            return entry, credential(entry.endpoint.credential)
        except Conflict as error:
            return error.detail
        except MissingCredentialError as error:
            return f"{self.row.kept.name} cannot be replayed. {error}"

    def judge_of(self, slug: str) -> tuple[Judge, Mapping[str, Any]]:
        """The judge of a slice and the map of its scores: those of the observer where one watched it."""
        if slug not in self._judges:
            self._judges[slug] = self._watched(slug) or self._own(slug)
        return self._judges[slug]

    @cached_property
    def observer(self) -> Observer | None:
        """What watched the release that was stopped or doubted."""
        rows = Observer.objects.filter(release=self.row.left_id, route=self.row.route_id)
        return rows.order_by("-pk").first()

    def write(self, place: Place) -> None:
        """Write a place under the job's fence, once; of a subject that was erased nothing but the problem."""
        with self.lease.writing() as job:
            row = place.row
            sealed = seal_body(row.organization_id, bytes(row.subject), place.sealed()) if place.messages else b""
            # Never an insert: whoever was erased meanwhile stays erased.
            waiting = WorstAnswer.objects.filter(pk=row.pk, sealed__isnull=True, problem="")
            waiting.update(
                sealed=sealed or None,
                score_before=place.scores.get(BEFORE),
                score_after=place.scores.get(AFTER),
                problem=(place.problem if sealed else place.problem or GONE)[:300],
            )
            job.progress_done, job.lease_until = job.progress_done + 1, now() + LEASE
            job.save(update_fields=["progress_done", "lease_until"])

    def _watched(self, slug: str) -> tuple[Judge, Mapping[str, Any]] | None:
        pinned = (self.observer.settings.get("slices") or {}).get(slug) if self.observer else None
        return (judge_named(self.row.organization, pinned["judge"]), pinned["map"]) if pinned else None

    def _own(self, slug: str) -> tuple[Judge, Mapping[str, Any]]:
        run = deciding_run(self.row.organization, self.row.left.manifest_sha256)
        pinned = pinned_judge(self.row.organization, slug, run, now())
        return judge_named(self.row.organization, pinned.name), pinned.map
