"""When an organization's log is due to be anchored: one pure decision over what the chain has grown by.

Receipts of anchors themselves never make one due, or each anchor would be the reason for the next.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

Reason = Literal["asked", "rolled_back", "promoted", "receipts", "time"]

PROMOTIONS: Final = ("checkpoint.promoted", "rollout.completed")
ROLLBACKS: Final = ("rollback.auto", "rollback.manual")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What an organization has set. None: never for this reason."""

    every_receipts: int | None = None
    every_minutes: int | None = None
    on_promotion: bool = True
    on_rollback: bool = True


@dataclass(frozen=True, slots=True)
class Growth:
    """What was added since the newest checkpoint, other than `anchor.made`: how much, the first of it when, and what.

    `checkpoint_at` is when that checkpoint was made, None where there is none; `untried` says that a sink has never
    been given it, because it is new or was changed since.
    """

    receipts: int
    oldest_at: datetime | None
    promoted: bool
    rolled_back: bool
    checkpoint_at: datetime | None
    untried: bool = False


def due(schedule: Schedule, growth: Growth, now: datetime) -> Reason | None:
    """Why a checkpoint is to be anchored now, the gravest reason first; None where it is not."""
    if growth.untried:
        return "asked"
    if growth.rolled_back and schedule.on_rollback:
        return "rolled_back"
    if growth.promoted and schedule.on_promotion:
        return "promoted"
    if schedule.every_receipts is not None and growth.receipts >= schedule.every_receipts:
        return "receipts"
    if schedule.every_minutes is not None and _passed(schedule.every_minutes, growth, now):
        return "time"
    return None


def _passed(minutes: int, growth: Growth, now: datetime) -> bool:
    """So many minutes since the newest checkpoint; without one, since the first receipt."""
    since = growth.checkpoint_at or growth.oldest_at
    return bool(growth.receipts) and since is not None and now - since >= timedelta(minutes=minutes)


def pause_after(failures: int) -> timedelta:
    """How long a sink is left alone after so many failures in a row: 5 s, doubled each time, at most an hour."""
    return min(timedelta(seconds=5 * 2 ** min(failures - 1, 20)), timedelta(hours=1))
