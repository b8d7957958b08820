"""Events whose worst answers are looked for: a rollout that was halted, a rollback of what an observer watched."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.models import Receipt
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease, claim
from releases.observer_models import ObservedAnswer, ObservedSlice, Observer, WorstAnswer, WorstAnswers
from releases.replays.working import replay
from releases.rollout_models import Rollback, RolloutStep
from releases.traces.bodies import seal_body
from releases.traces.subjects import subject_digest
from releases.worst.choosing import order_worst
from releases.worst.working import find_worst
from tests.releases.canary import serving
from tests.releases.observing.factory import observed, observer
from tests.releases.replays.stage import REFUSAL, SLICE, Stage, stage

WHY = "They refuse what they used to answer."


def newest_receipt(of: Stage) -> str:
    return Receipt.objects.filter(organization=of.scene.organization).latest("seq").receipt_hash


def halted(of: Stage) -> WorstAnswers:
    """Everything that waits is replayed, and the rollout is halted."""
    if of.choose():
        replay(of.lease())
    RolloutStep.objects.create(
        rollout=of.row,
        version=2,
        act="halted",
        state="halted",
        checkpoint=1,
        percent=5,
        reasons=[],
        actor="internal",
        actor_label="relcontrol",
        receipt_hash=newest_receipt(of),
        receipt_seq=1,
        at=now(),
    )
    order_worst("halt", rollout=of.row)
    return WorstAnswers.objects.get(rollout=of.row)


@dataclass
class Watched:
    """The candidate serves and is watched; what it answers there is scored by hand."""

    stage: Stage
    observer: Observer
    slices: dict[str, ObservedSlice]

    def scored(self, score: float, slug: str = SLICE, at: datetime | None = None, **changes: Any) -> ObservedAnswer:
        """A served answer with its trace, and what the judge said of it."""
        told = self.stage.served(arm="stable", rollout=None, output=REFUSAL, **changes)
        owner = self.stage.scene.organization
        subject = subject_digest(owner.pk, told["subject"])
        return ObservedAnswer.objects.create(
            organization=owner,
            observed=self.slices[slug],
            kind="served",
            at=at or datetime.fromisoformat(told["started_at"]),
            request_id=told["request_id"],
            trace_id=told["trace_id"],
            trace_started_at=told["started_at"],
            subject=subject,
            state="scored",
            raw=score,
            score=score,
            sealed=seal_body(owner.pk, subject, {"reason": f"Worth {score}."}),
            created_at=now(),
            scored_at=now(),
        )

    def rolled_back(self, **columns: Any) -> WorstAnswers:
        """The observer has rolled it back, for what it had found in the last ten minutes."""
        row = Rollback.objects.create(
            **{
                "organization": self.observer.organization,
                "route": self.observer.route,
                "left": self.stage.row.release,
                "target": self.stage.row.previous,
                "trigger": "windows",
                "observer": self.observer,
                "facts": {"slice": SLICE},
                "triggered_at": now() - timedelta(minutes=10),
                "reason": WHY,
                "generation": 9,
                "decided_by": "internal",
                "decided_by_label": "relcontrol",
                "decided_at": now(),
                "receipt_hash": newest_receipt(self.stage),
                **columns,
            }
        )
        order_worst("rollback", rollback=row)
        return WorstAnswers.objects.get(rollback=row)


def watched(**changes: Any) -> Watched:
    """A release of the stage that serves under an observer, with two slices."""
    made = stage(**changes)
    made.row.state = "completed"
    made.row.save(update_fields=["state"])
    serving(made.row.release)
    row = observer(made.row.release)
    return Watched(made, row, {slug: observed(row, slug) for slug in (SLICE, "contract-drafting")})


def lease_of(job: WorstAnswers, at: datetime | None = None) -> Lease[WorstAnswers]:
    """A worker's lease of the job."""
    lease = claim(WorstAnswers.objects.filter(pk=job.pk), "worker:1", at or now())
    assert lease is not None
    return lease


def worked(job: WorstAnswers) -> list[WorstAnswer]:
    """What one worker makes of it."""
    find_worst(lease_of(job))
    return list(WorstAnswer.objects.filter(worst=job).order_by("place"))
