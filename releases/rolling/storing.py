"""A rollout's row as the value that the state machine decides about, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from releases.checkpoints import Checkpoint
from releases.rollout_models import Rollout
from releases.rollouts import states

COLUMNS: Final = (
    "state",
    "checkpoint",
    "entered_at",
    "due",
    "judged",
    "extensions",
    "frozen",
    "stopped_at",
    "first_held_at",
    "reviewed",
    "reasons",
    "version",
)


def value_of(row: Rollout) -> states.Rollout:
    """The rollout as a value; its previous release is known by its manifest."""
    return states.Rollout(
        plan=plan_from(row.plan),
        previous=row.previous.manifest_sha256 if row.previous else None,
        shadow=Checkpoint(**row.shadow) if row.shadow else None,
        state=states.State(row.state),
        checkpoint=row.checkpoint,
        entered_at=row.entered_at,
        due=row.due,
        judged=row.judged,
        extensions=row.extensions,
        frozen=row.frozen,
        stopped_at=row.stopped_at,
        first_held_at=row.first_held_at,
        reviewed=frozenset(row.reviewed),
        reasons=tuple(row.reasons),
        version=row.version,
    )


def columns_of(value: states.Rollout) -> dict[str, Any]:
    """The columns of a value that change over its life."""
    return {
        "state": value.state.value,
        "checkpoint": value.checkpoint,
        "entered_at": value.entered_at,
        "due": value.due,
        "judged": value.judged,
        "extensions": value.extensions,
        "frozen": value.frozen,
        "stopped_at": value.stopped_at,
        "first_held_at": value.first_held_at,
        "reviewed": sorted(value.reviewed),
        "reasons": list(value.reasons),
        "version": value.version,
    }


def plan_as_json(plan: Sequence[Checkpoint]) -> list[dict[str, int]]:
    """A plan as the row keeps it."""
    return [asdict(step) for step in plan]


def plan_from(stored: Sequence[Mapping[str, int]]) -> tuple[Checkpoint, ...]:
    """A plan as the row keeps it, read."""
    return tuple(Checkpoint(**step) for step in stored)
