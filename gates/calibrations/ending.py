"""What ends a calibration before its day: grades that came in since, and its age written down once it has lapsed.

Written in the transaction that brings the grades, so that no reader sees a calibration that rests on other ones.
"""

from collections.abc import Collection
from datetime import datetime

from django.db.models import F

from gates.calibrations.panels import line_of, parents_of
from gates.judge_models import Calibration
from gates.models import Suite
from gates.statistics.sentences import counted
from relcontrol.clock import now

TOO_OLD = "It is older than 30 days."


def end_for_grades(suite: Suite, leaves: Collection[str], count: int) -> int:
    """End the calibrations on slices that these new grades of a suite belong to; returns how many."""
    rows = Calibration.objects.filter(organization=suite.organization_id, run__suite=suite, ended_at=None)
    if not leaves or not rows.exists():
        return 0
    parents = parents_of(suite.organization)
    touched = {slug for leaf in leaves for slug in line_of(parents, leaf)}
    verb = "came" if count != 1 else "has come"
    said = f"{counted(count, 'grade')} {verb} in for {suite.name} since it was measured."
    return rows.filter(slice__slug__in=touched).update(ended_at=now(), ended_because=said)


def end_lapsed(at: datetime) -> int:
    """Write down which calibrations have lapsed; they count no more from their hour on, ticker or not."""
    rows = Calibration.objects.filter(ended_at=None, valid_until__lte=at)
    return rows.update(ended_at=F("valid_until"), ended_because=TOO_OLD)
