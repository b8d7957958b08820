"""Whether a slice's judge may decide there: by its newest measurement, else by what gate runs saw of graded answers.

A measurement that holds goes first. One that does not, and answers that were graded in a later gate run: the later.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Q

from gates.calibrations.standing import Badge, badges
from gates.models import Judge, Slice
from gates.slices import drafts
from gates.slices.points import Point
from relcontrol.accounts.models import Organization


def slice_badges(
    organization: Organization, rows: Iterable[tuple[Slice, Point | None]], at: datetime
) -> dict[str, Badge]:
    """The badge of each slice's own judge, by slice id; a slice without one takes its newest run's."""
    known = list(rows)
    named = {row.pk: row.judge or (point.judge if point else "") or "" for row, point in known}
    digests = _digests(organization, named.values())
    told = badges(organization, [(key, digests.get(name)) for key, name in named.items()], at)
    return {
        row.pk: _chosen(told.get((row.pk, digests.get(named[row.pk], ""))), row.judge, point, at)
        for row, point in known
    }


def drafted_badge(target: Slice | None, judge: str, point: Point | None, at: datetime) -> Badge:
    """The badge of the judge that stands in the form of a slice; a new slice has nothing to go by yet."""
    if target is None:
        return _by_runs(drafts.badge_of(None, judge, at))
    digest = _digests(target.organization, [judge]).get(judge)
    told = badges(target.organization, [(target.pk, digest)], at)
    return _chosen(told.get((target.pk, digest or "")), judge, point, at)


def _digests(organization: Organization, names: Iterable[str]) -> Mapping[str, str]:
    wanted = {name for name in names if name and "\0" not in name}
    rows = Judge.objects.filter(Q(name__in=wanted) | Q(pk__in=wanted), organization=organization) if wanted else ()
    return {key: row.sha256 for row in rows for key in (row.name, row.pk)}


def _chosen(measured: Badge | None, judge: str, point: Point | None, at: datetime) -> Badge:
    by_runs = drafts.badge_of(point, judge, at)
    if measured is None or not measured.url_key:
        return _by_runs(by_runs)
    later = point is not None and measured.measured_at is not None and point.at > measured.measured_at
    return _by_runs(by_runs) if later and not measured.holds and by_runs.kind != "skip" else measured


def _by_runs(found: drafts.Badge) -> Badge:
    return Badge(tone=found.kind, word=found.word, sentence=found.why)
