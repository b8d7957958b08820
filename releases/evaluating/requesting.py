"""Asking relcontrol to answer and judge a suite itself: the release must be one that can be asked."""

from django.db import transaction

from gates.evaluating import requesting
from gates.evaluating.order import EvaluationOrder
from gates.run_models import GateRun
from gates.runs.candidate import Candidate
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.errors import Conflict
from releases.candidates import candidate_of
from releases.evaluating.material import material_of
from releases.models import Release


@transaction.atomic
def request_evaluation(*, actor: Actor, release: Release, order: EvaluationOrder) -> GateRun:
    """A queued run, or the one of the same request that is open; `carry_out` wakes a worker for it.

    `Conflict` where no server answers for the release. Where none answers for the previous one, the run goes on
    without anything to compare with, and says so.
    """
    actor.require(WRITE_GATES)
    material_of(release)
    previous, without = _previous(release)
    return requesting.request_evaluation(
        actor=actor, candidate=candidate_of(release), order=order, previous=previous, without=without
    )


def _previous(release: Release) -> tuple[Candidate | None, str]:
    if release.previous_release is None:
        return None, ""
    rows = Release.objects.select_related("organization", "application", "route", "previous_release")
    row = rows.get(pk=release.previous_release.pk)
    try:
        material_of(row)
    except Conflict as error:
        return None, error.detail
    return candidate_of(row), ""
