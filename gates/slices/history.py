"""What gate runs found in slices, release by release: what histories, back-tests and badges are drawn from.

Only runs that are done and have an effect count, and of each release the newest one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from gates.models import Slice, Suite, SuiteCase
from gates.run_models import GateRun, SliceResult
from gates.slices.points import Estimate, Point
from relcontrol.accounts.models import Organization

RELEASES_SHOWN = 30
RUNS_READ = 120
SUITES_READ = 20


@dataclass(frozen=True, slots=True)
class Cases:
    """How many cases a slice has in a suite, those of its children with them."""

    count: int
    suite: str


def points_of(target: Slice, *, application: str | None = None, releases: int = RELEASES_SHOWN) -> list[Point]:
    """The last releases that were judged on a slice, oldest first; of one application where it is named."""
    rows = _effective(SliceResult.objects.filter(slice=target)).order_by("-run_id")
    if application is not None:
        rows = rows.filter(run__application__slug=application)
    newest: dict[str, Point] = {}
    for row in rows[:RUNS_READ]:
        newest.setdefault(row.run.manifest_sha256, point_of(row))
    return list(newest.values())[:releases][::-1]


def newest_points(slices: Iterable[Slice]) -> dict[str, Point]:
    """The newest result of each slice that has one, by the slice's id."""
    rows = _effective(SliceResult.objects.filter(slice__in=list(slices)))
    return {row.slice_id: point_of(row) for row in rows.order_by("slice_id", "-run_id").distinct("slice_id")}


def newest_sizes(slices: Iterable[Slice]) -> dict[str, int]:
    """How many answers agreement was last measured on, by the slice's id: the newest result without its document."""
    rows = _counting(SliceResult.objects.filter(slice__in=list(slices)))
    return dict(rows.order_by("slice_id", "-run_id").distinct("slice_id").values_list("slice_id", "n"))


def point_of(row: SliceResult) -> Point:
    """One result as histories draw it."""
    agreement, quality = row.document.get("agreement") or {}, row.document.get("quality") or {}
    return Point(
        release=row.run.release_name,
        application=row.run.application.slug,
        run=row.run_id,
        at=row.run.finished_at or row.run.created_at,
        verdict=row.verdict,
        threshold=row.threshold,
        floor=quality.get("floor"),
        agreement=_estimate(row.rho, agreement),
        quality=_estimate(row.quality, quality),
        judge=row.document.get("judge"),
        document=row.document,
    )


def counted_cases(organization: Organization, slices: Sequence[tuple[Slice, int]]) -> dict[str, Cases]:
    """How many cases each slice has in the newest suite that has any, by slug. `slices` is the whole tree."""
    suites = Suite.objects.filter(organization=organization).order_by("-pk").values_list("name", "slice_counts")
    found: dict[str, Cases] = {}
    for name, counts in suites[:SUITES_READ]:
        for slug, count in _with_children(counts, slices).items():
            found.setdefault(slug, Cases(count, name))
    return found


def samples_of(target: Slice, cases: Cases | None, slices: Sequence[tuple[Slice, int]]) -> QuerySet[SuiteCase]:
    """Cases of a slice and of its children, from the suite that was counted."""
    if cases is None:
        return SuiteCase.objects.none()
    inside = [row.pk for row in _branch(target, slices)]
    rows = SuiteCase.objects.filter(suite__organization=target.organization_id, suite__name=cases.suite)
    return rows.filter(slice__in=inside).select_related("slice").order_by("case_id")


def _effective(rows: QuerySet[SliceResult]) -> QuerySet[SliceResult]:
    return _counting(rows).select_related("run__application").defer("run__body", "run__document", "run__slices")


def _counting(rows: QuerySet[SliceResult]) -> QuerySet[SliceResult]:
    return rows.filter(run__state=GateRun.State.DONE, run__dry_run=False)


def _estimate(value: float | None, document: Mapping[str, Any]) -> Estimate:
    low, high = document.get("ci90") or (None, None)
    return Estimate(value, low, high, int(document.get("n") or 0))


def _branch(target: Slice, slices: Sequence[tuple[Slice, int]]) -> list[Slice]:
    """A slice and everything below it; in the order of a tree these stand together."""
    slugs = [row.slug for row, _ in slices]
    start = slugs.index(target.slug)
    depth = slices[start][1]
    end = next((at for at in range(start + 1, len(slices)) if slices[at][1] <= depth), len(slices))
    return [row for row, _ in slices[start:end]]


def _with_children(counts: Mapping[str, int], slices: Sequence[tuple[Slice, int]]) -> dict[str, int]:
    """A suite's cases per slice, each counted for its slice and everything above it."""
    parents = {row.slug: row.parent.slug if row.parent else None for row, _ in slices}
    totals: dict[str, int] = {}
    for slug, count in counts.items():
        above: str | None = slug
        while above is not None:
            totals[above] = totals.get(above, 0) + count
            above = parents.get(above)
    return totals
