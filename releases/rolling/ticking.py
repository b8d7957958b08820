"""The ticker's part in rollouts: count what came in, look, and make at most one move (contracts.md "States").

What takes long (folding traces, reading the monitors) is done without a lock. The move itself is made under the locks
of route, releases and rollout, and only on the version that was looked at: of two tickers, or a ticker and a person,
one moves and the other finds that it is late.
"""

import logging
from datetime import datetime

from django.db import transaction

from relcontrol.accounts.actors import system_actor
from releases.measuring.as_json import inputs_of, readings_as_json
from releases.measuring.folding import fold
from releases.replays.choosing import choose_pairs
from releases.rolling.applying import apply
from releases.rolling.facts import facts_of
from releases.rolling.locking import lock_rollout
from releases.rolling.looking import Look, look_at
from releases.rolling.selectors import open_rollouts
from releases.rolling.storing import value_of
from releases.rollout_models import Rollout
from releases.rollouts.deciding import decide
from releases.rollouts.decisions import Decision

logger = logging.getLogger(__name__)


def tick_rollouts(now: datetime) -> None:
    """Look at every rollout that is not over; what fails with one does not keep the others waiting."""
    for row in open_rollouts():
        try:
            tick(row, now)
        except Exception:
            logger.exception("the look at rollout %s failed; it stays where it is until the next one", row.pk)


def tick(row: Rollout, now: datetime) -> Decision:
    """One look at one rollout, with its move where one is due."""
    fold(row, now)
    choose_pairs(row, value_of(row), now)
    look = look_at(row, now)
    decision = decide(look.value, now, look.measured, look.facts)
    if decision.changes:
        decision = _move(row, look, now)
    _remember(row, look, now)
    return decision


def _move(row: Rollout, look: Look, now: datetime) -> Decision:
    """Decide again under the locks, where the rollout is still as it was looked at."""
    with transaction.atomic():
        locked = lock_rollout(row.pk)
        value = value_of(locked)
        decision = decide(value, now, look.measured, facts_of(locked, now))
        if value.version == look.value.version and decision.changes:
            apply(system_actor(locked.organization), locked, decision, now, inputs=inputs_of(look.measured))
    return decision


def _remember(row: Rollout, look: Look, now: datetime) -> None:
    """Keep the readings for pages; those of a rollout that ended in this look stay as its last ones."""
    content = {**readings_as_json(look.measured), "waiting_for": look.waiting.as_json()}
    Rollout.objects.filter(pk=row.pk, version__lte=row.version + 1).update(look=content, looked_at=now)
