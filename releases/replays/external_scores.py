"""Scores of pairs by a judge that works elsewhere (domain.md "Judge"): `external:NAME@VERSION` of the pair's slice.

Both scores of a pair come together, on the judge's own scale, and take the place of the rules' scores; where a rule has
found something against an answer its 0 stands. What has been scored so stays: evidence does not change afterwards.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from gates.judges import DEFAULT_SCALE, EXTERNAL, Scale, judges_of, scale_of
from gates.models import Judge, Slice
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, FieldError, Invalid
from releases.replays.scoring import SIDES
from releases.rollout_models import ReplayPair, Rollout

MOST: Final = 1_000
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class _Judge:
    """The external judge of a slice."""

    name: str
    scale: Scale

    def scaled(self, score: float) -> float:
        """A score of its own on [0, 1]."""
        low, high = self.scale
        return (score - low) / (high - low)


@transaction.atomic
def take_scores(*, actor: Actor, rollout_id: str, scores: Sequence[Mapping[str, Any]]) -> int:
    """Take the scores of several pairs, all or none; how many are new.

    Each is `{"pair_id", "candidate", "stable"}`. `Invalid` names every row that is wrong; `Conflict` where the rollout
    is over, or a pair has other scores of this judge already.
    """
    actor.require(WRITE_GATES)
    row = found(Rollout.objects.filter(organization=actor.organization), "rollout", pk=rollout_id)
    if row.is_over:
        raise Conflict("This rollout is over; scores change nothing any more.", state={"state": row.state})
    ids = [str(given["pair_id"]) for given in scores]
    mine = ReplayPair.objects.filter(rollout=row, pk__in=ids).order_by("pk")
    pairs = {pair.pk: pair for pair in mine.select_for_update(no_key=True, of=("self",))}
    judges = _judges(actor, {pair.slice for pair in pairs.values()})
    problems = [
        FieldError(f"scores[{place}].{field}", message)
        for place, given in enumerate(scores)
        for field, message in _problems(given, pairs, judges, ids[:place])
    ]
    if problems:
        summary = "; ".join(f"{each.field}: {each.message}" for each in problems[:SHOWN])
        raise Invalid(f"{summary} Nothing was taken.", errors=problems)
    at = now()
    return sum(_taken(pairs[given["pair_id"]], given, judges, at) for given in scores)


def _judges(actor: Actor, slugs: set[str]) -> dict[str, _Judge]:
    """The external judge of each of these slices that has one, named by its name or its id."""
    rows = Slice.objects.filter(organization=actor.organization, slug__in=slugs)
    named = dict(rows.values_list("slug", "judge"))
    wanted = Q(name__in=named.values()) | Q(pk__in=named.values())
    known = {text: judge for judge in judges_of(actor.organization).filter(wanted) for text in (judge.name, judge.pk)}
    return {slug: judge for slug, text in named.items() if (judge := _external(text, known.get(text)))}


def _external(text: str, known: Judge | None) -> _Judge | None:
    name = known.name if known else text
    return _Judge(name, scale_of(known) if known else DEFAULT_SCALE) if name.startswith(EXTERNAL) else None


def _problems(
    given: Mapping[str, Any], pairs: Mapping[str, ReplayPair], judges: Mapping[str, _Judge], before: Sequence[str]
) -> list[tuple[str, str]]:
    """What is wrong with one row, by field."""
    pair = pairs.get(given["pair_id"])
    if pair is None:
        return [("pair_id", "This rollout has no such pair; GET …/pairs lists them.")]
    if pair.pk in before:
        return [("pair_id", "This pair stands here twice; send it once.")]
    if pair.state != ReplayPair.State.SCORED:  # the rules come first: they may veto
        return [("pair_id", f"This pair is {pair.state}; scores are taken for pairs that the rules have scored.")]
    judge = judges.get(pair.slice)
    if judge is None:
        return [("pair_id", f"The slice {pair.slice} has no external judge; its answers are scored here.")]
    low, high = judge.scale
    message = f"Must be a number from {low:g} to {high:g}, the scale of {judge.name}."
    return [(side, message) for side in SIDES if not (math.isfinite(given[side]) and low <= given[side] <= high)]


def _taken(pair: ReplayPair, given: Mapping[str, Any], judges: Mapping[str, _Judge], at: datetime) -> bool:
    """Write the scores of one pair; False where it has them already."""
    judge = judges[pair.slice]
    against = {found["side"] for found in pair.findings}
    candidate, stable = (0.0 if side in against else judge.scaled(given[side]) for side in SIDES)
    if pair.source == judge.name:
        if (pair.candidate_score, pair.stable_score) == (candidate, stable):
            return False
        message = f"{pair.pk} has other scores of {judge.name} already, and evidence stays as it is."
        state = {"pair_id": pair.pk, "candidate": pair.candidate_score, "stable": pair.stable_score}
        raise Conflict(message, code="scored_already", state=state)
    pair.candidate_score, pair.stable_score, pair.source = candidate, stable, judge.name
    pair.scored_at = at
    pair.save(update_fields=["candidate_score", "stable_score", "source", "scored_at"])
    return True
