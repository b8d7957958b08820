"""How a rollout begins: everything that it needs, and its first value (domain.md "Start needs").

A cold start has nothing to compare with and nothing to go back to: it is answered in shadow first, whatever was asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from releases.checkpoints import Checkpoint
from releases.rollouts.commands import Order
from releases.rollouts.decisions import Act, Decision, Refusal
from releases.rollouts.evidence import StartFacts
from releases.rollouts.states import COLD_START_SHADOW, Rollout, State


def start(
    *,
    plan: Sequence[Checkpoint],
    previous: str | None,
    now: datetime,
    order: Order,
    facts: StartFacts,
    shadow: Checkpoint | None = None,
) -> Decision:
    """A rollout in shadow or at its first checkpoint; refused with every reason why not.

    `previous` is the manifest that the release names as its previous one, None for a cold start.
    """
    whys = dict(_whys(previous, facts))
    if whys:
        return Decision(Act.NOTHING, None, tuple(whys), next(iter(whys.values())))
    if previous is None and shadow is None:
        shadow = COLD_START_SHADOW
    return Decision(Act.STARTED, _first(tuple(plan), previous, shadow, now, order), (order.said,))


def shadow_like(step: Checkpoint) -> Checkpoint:
    """The shadow of a rollout that asks for one: as long as its first checkpoint, without traffic."""
    return replace(step, percent=0)


def _first(
    plan: tuple[Checkpoint, ...], previous: str | None, shadow: Checkpoint | None, now: datetime, order: Order
) -> Rollout:
    return Rollout(
        plan=plan,
        previous=previous,
        shadow=shadow,
        state=State.SHADOWING if shadow else State.CHECKPOINT,
        checkpoint=0 if shadow else 1,
        entered_at=now,
        due=timedelta(seconds=(shadow or plan[0]).dwell_seconds),
        reasons=(order.said,),
    )


def _whys(previous: str | None, facts: StartFacts) -> Iterator[tuple[str, Refusal]]:
    for why in facts.why_not:
        yield why, Refusal.NOT_DEPLOYABLE
    if facts.stable != previous:
        yield _rebase(previous, facts.stable), Refusal.REBASE
    target = None if previous is None else facts.target
    for unready in (facts.fingerprint, target, *facts.route):
        if unready:
            yield unready, Refusal.NOT_READY


def _rebase(previous: str | None, stable: str | None) -> str:
    serves = f"release {stable[:12]}" if stable else "no release"
    named = f"{previous[:12]} as its previous release" if previous else "no previous release"
    return f"The route serves {serves}, but this release names {named}: rebase it."
