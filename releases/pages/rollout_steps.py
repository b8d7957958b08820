"""The checkpoints of a rollout as steps: share, dwell and requests as gauges, and what became of each. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from releases.checkpoints import Checkpoint
from releases.rollout_models import RolloutStep
from releases.rollouts.states import Rollout, State
from releases.rollouts.wording import reading, share, span

LEAVING = ("promoted", "completed")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One of the two things that a checkpoint waits for."""

    title: str
    label: str
    shown: str
    value: int
    of: int

    @property
    def done(self) -> bool:
        """It is there."""
        return self.value >= self.of


@dataclass(frozen=True, slots=True)
class Step:
    """A checkpoint as the page shows it; `left` is the move that ended it."""

    share: str
    kind: str
    word: str
    current: bool
    gauges: tuple[Gauge, ...] = ()
    sentence: str = ""
    eta: str = ""
    left: RolloutStep | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """When a checkpoint was entered, and the candidate's requests since then."""

    entered_at: datetime
    requests: int


def steps(
    rollout: Rollout,
    moves: Sequence[RolloutStep],
    counted: Mapping[int, Counted],
    now: datetime,
    eta: datetime | None,
) -> Iterator[Step]:
    """The shadow, where there is one, and every checkpoint. `moves` are in order, `counted` by checkpoint."""
    first = 0 if rollout.shadow is not None else 1
    for number in range(first, len(rollout.plan) + 1):
        plan = rollout.plan[number - 1] if number else rollout.shadow
        if plan is None:
            continue
        if number == rollout.checkpoint:
            yield _current(rollout, plan, counted.get(number), now, eta)
        elif number < rollout.checkpoint:
            yield _past(number, plan, moves, counted.get(number))
        else:
            yield _coming(rollout, plan, eta, following=number == rollout.checkpoint + 1)


def _name(plan: Checkpoint) -> str:
    return share(plan.percent) if plan.percent else "Shadow"


def _past(number: int, plan: Checkpoint, moves: Sequence[RolloutStep], counted: Counted | None) -> Step:
    left = next((move for move in moves if move.act in LEAVING and move.checkpoint > number), None)
    gauges: tuple[Gauge, ...] = ()
    if counted is not None and left is not None:
        gauges = _gauges(plan, left.at - counted.entered_at, timedelta(seconds=plan.dwell_seconds), counted.requests)
    return Step(_name(plan), "pass", "Promoted", current=False, gauges=gauges, left=left)


def _current(rollout: Rollout, plan: Checkpoint, counted: Counted | None, now: datetime, eta: datetime | None) -> Step:
    kind, word = {
        State.PAUSED: ("hold", "Held"),
        State.WAITING_REVIEW: ("hold", "Held"),
        State.COMPLETED: ("pass", "Done"),
        State.HALTED: ("fail", "Halted"),
        State.ABORTED: ("skip", "Ended"),
    }.get(rollout.state, ("running", "Now"))
    requests = counted.requests if counted and counted.entered_at == rollout.entered_at else 0
    needed = rollout.due if rollout.judged else rollout.dwell
    gauges = () if rollout.over else _gauges(plan, rollout.dwelt(now), needed, requests)
    moving = not rollout.over and not rollout.held and eta is not None
    return Step(
        _name(plan),
        kind,
        word,
        current=not rollout.over,
        gauges=gauges,
        sentence=f"since {rollout.entered_at:%H:%M:%S} UTC" if not rollout.over else _ended(rollout, requests),
        eta=span(max(timedelta(0), eta - now)) if moving and eta else "",
    )


def _ended(rollout: Rollout, requests: int) -> str:
    counted = f"{requests:,} requests since {rollout.entered_at:%H:%M:%S} UTC"
    return f"{counted}, then the rollout ended here" if rollout.state is not State.COMPLETED else counted


def _coming(rollout: Rollout, plan: Checkpoint, eta: datetime | None, *, following: bool) -> Step:
    if rollout.over:
        return Step(_name(plan), "skip", "Not reached", current=False)
    wants = f"Holds for {span(timedelta(seconds=plan.dwell_seconds))} and {plan.requests:,} requests."
    if following and eta is not None and not rollout.held:
        wants += f" Not before {eta:%H:%M:%S} UTC."
    return Step(_name(plan), "skip", "Next" if following else "Later", current=False, sentence=wants)


def _gauges(plan: Checkpoint, dwelt: timedelta, needed: timedelta, requests: int) -> tuple[Gauge, ...]:
    where = _name(plan)
    return (
        Gauge(
            "Dwell",
            f"Dwell at {where}",
            f"{reading(dwelt)} of {reading(needed)}",
            max(0, int(dwelt.total_seconds())),
            max(1, int(needed.total_seconds())),
        ),
        Gauge(
            "Requests", f"Requests at {where}", f"{requests:,} of {plan.requests:,}", requests, max(1, plan.requests)
        ),
    )
