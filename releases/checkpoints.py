"""The plan of a rollout: its checkpoints, checked (domain.md "Roll").

At least three steps, each larger than the one before, the last one all traffic: there is no way from 0 to 100 at once.
Each holds for its dwell and its requests, whichever is later. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from relcontrol.errors import FieldError, Invalid

MIN_CHECKPOINTS: Final = 3
ALL_TRAFFIC: Final = 100


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A share of traffic and how long it holds."""

    percent: int
    dwell_seconds: int
    requests: int


DEFAULT_PLAN: Final = (Checkpoint(5, 240, 1_000), Checkpoint(25, 900, 10_000), Checkpoint(100, 240, 1_000))


def plan_of(order: Mapping[str, Any]) -> tuple[Checkpoint, ...]:
    """The checkpoints that a roll asks for: its own list, or the default with its changes. Raises `Invalid`."""
    own = order.get("checkpoints")
    tuned = sorted(name for name in TUNING if order.get(name) is not None)
    if own is None:
        return tuple(_tuned(step, order) for step in DEFAULT_PLAN)
    if tuned:
        raise _refused([FieldError(name, "Leave it out where `checkpoints` says everything.") for name in tuned])
    plan = tuple(Checkpoint(step["percent"], step["dwell_seconds"], step["requests"]) for step in own)
    if errors := list(_errors(plan)):
        raise _refused(errors)
    return plan


def _tuned(step: Checkpoint, order: Mapping[str, Any]) -> Checkpoint:
    dwell, requests = order.get(f"dwell_{step.percent}pct_seconds"), order.get(f"requests_{step.percent}pct")
    return replace(
        step,
        dwell_seconds=step.dwell_seconds if dwell is None else dwell,
        requests=step.requests if requests is None else requests,
    )


TUNING: Final = tuple(
    name for step in DEFAULT_PLAN for name in (f"dwell_{step.percent}pct_seconds", f"requests_{step.percent}pct")
)


def _errors(plan: Sequence[Checkpoint]) -> Iterator[FieldError]:
    if len(plan) < MIN_CHECKPOINTS:
        message = (
            f"A rollout has at least {MIN_CHECKPOINTS} checkpoints, such as 5, 25 and 100 percent; never one step."
        )
        yield FieldError("checkpoints", message)
    before = 0
    for index, step in enumerate(plan):
        if step.percent <= before:
            yield FieldError(f"checkpoints[{index}].percent", f"Must be more than {before}.")
        before = step.percent
    if plan and plan[-1].percent != ALL_TRAFFIC:
        yield FieldError(f"checkpoints[{len(plan) - 1}].percent", "The last checkpoint is all traffic: 100.")


def _refused(errors: Sequence[FieldError]) -> Invalid:
    summary = "; ".join(f"{error.field}: {error.message}" for error in errors[:3])
    return Invalid(summary, code="rollout_plan", errors=errors)
