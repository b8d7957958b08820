"""Does a judge's calibration on a slice hold now: for gate runs, and as the badge that stands beside its numbers.

A calibration holds while its judge passed or awaits a signature, for thirty days, unless something ended it: other
grades, a newer measurement, a nightly check that found the judge moved, a slice that has other children now. The
functions for lists take as many queries as those for one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import F, Q, QuerySet

from gates.calibrations.panels import leaves_below, parents_of
from gates.judge_models import Calibration
from gates.models import Judge, Slice
from gates.statistics.limits import shown
from gates.statistics.sentences import counted
from relcontrol.accounts.models import Organization

HOLDING: Final = (Calibration.Outcome.PASS, Calibration.Outcome.REVIEW)
TONES: Final[Mapping[str, tuple[str, str]]] = {
    Calibration.Outcome.PASS: ("pass", "Calibrated"),
    Calibration.Outcome.REVIEW: ("hold", "Not proven"),
    Calibration.Outcome.FAIL: ("fail", "Disagrees"),
    Calibration.Outcome.INSUFFICIENT: ("hold", "Insufficient"),
}
REMEMBERED: Final = timedelta(days=30)
EXTERNAL_KIND: Final = "external"
ONLY_AGES: Final = "Its scores come from outside, so no nightly check looks at it: it only ages."
MEASURE: Final = "Measure the judge against answers that your experts graded."
TAKE_ANOTHER: Final = "Mend the judge or name another one, and measure it."
OTHER_CHILDREN: Final = "The slice has other slices below it now than when its judge was measured."

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Badge:
    """What is known of a judge on a slice, in a word and a sentence. `url_key` is the measurement's id, or empty."""

    tone: str
    word: str
    sentence: str
    rho: float | None = None
    n: int = 0
    ceiling: float | None = None
    share_of_ceiling: float | None = None
    measured_at: datetime | None = None
    valid_until: datetime | None = None
    url_key: str = ""

    @property
    def holds(self) -> bool:
        """Whether gate runs may rest on it."""
        return self.word in _HOLDING_WORDS


_HOLDING_WORDS: Final = frozenset(TONES[outcome][1] for outcome in HOLDING)
NO_JUDGE: Final = Badge("skip", "No judge", "No judge is named here, or nobody has made it yet.")
NEVER: Final = Badge("skip", "Not calibrated", f"Nobody has measured this judge here. {MEASURE}")


def badge(slice: Slice, judge_sha256: str | None, now: datetime) -> Badge:  # noqa: A002 - the field's word for it
    """The badge of one judge on one slice."""
    if judge_sha256 is None:
        return NO_JUDGE
    pair = (slice.pk, judge_sha256)
    return badges(slice.organization, [pair], now)[pair]


def badges(organization: Organization, pairs: Iterable[tuple[str, str | None]], now: datetime) -> dict[Pair, Badge]:
    """The badge of each (slice id, judge digest); pairs without a judge are left out."""
    wanted = {(slice_id, sha256) for slice_id, sha256 in pairs if sha256}
    if not wanted:
        return {}
    rows: dict[Pair, list[Calibration]] = {pair: [] for pair in wanted}
    found = _calibrations(organization).filter(
        slice__in={slice_id for slice_id, _ in wanted}, judge_sha256__in={sha256 for _, sha256 in wanted}
    )
    for row in found:
        rows.get((row.slice_id, row.judge_sha256), []).append(row)
    parents = parents_of(organization) if any(rows.values()) else {}
    return {pair: _badge(of_pair, parents, now) for pair, of_pair in rows.items()}


def badges_of_slices(organization: Organization, slices: Iterable[Slice], now: datetime) -> dict[str, Badge]:
    """The badge of each slice's own judge, by slice id: for trees and lists."""
    rows = list(slices)
    named = {row.judge for row in rows if row.judge}
    known = Judge.objects.filter(organization=organization, name__in=named) | Judge.objects.filter(
        organization=organization, pk__in=named
    )
    digests = {key: judge.sha256 for judge in known for key in (judge.pk, judge.name)}
    pairs = {row.pk: digests.get(row.judge) for row in rows}
    found = badges(organization, pairs.items(), now)
    return {key: found[key, sha256] if sha256 else NO_JUDGE for key, sha256 in pairs.items()}


def valid_calibration(slice_id: str, judge_sha256: str, now: datetime) -> Calibration | None:
    """The newest calibration that holds."""
    of = Slice.objects.select_related("organization").get(pk=slice_id)
    return valid_calibrations(of.organization, [(slice_id, judge_sha256)], now).get((slice_id, judge_sha256))


def valid_calibrations(organization: Organization, pairs: Iterable[Pair], now: datetime) -> dict[Pair, Calibration]:
    """The newest calibration that holds of each (slice id, judge digest) that has one."""
    wanted = set(pairs)
    rows = _calibrations(organization).filter(
        slice__in={slice_id for slice_id, _ in wanted},
        judge_sha256__in={sha256 for _, sha256 in wanted},
        outcome__in=HOLDING,
        ended_at=None,
        valid_until__gt=now,
    )
    parents: Mapping[str, str | None] | None = None
    found: dict[Pair, Calibration] = {}
    for row in rows:
        pair = (row.slice_id, row.judge_sha256)
        if pair in wanted and pair not in found:
            parents = parents_of(organization) if parents is None else parents
            if not _why_not(row, parents, now):
                found[pair] = row
    return found


def judges_to_measure(organization: Organization, now: datetime) -> list[tuple[Calibration, Badge]]:
    """Slices whose own judge had a calibration lately that holds no more, with the newest one, for a person's queue."""
    over = Q(ended_at__isnull=False) | Q(valid_until__lte=now)
    own = Q(slice__judge=F("judge__name")) | Q(slice__judge=F("judge"))
    rows = _calibrations(organization).filter(over, own, outcome__in=HOLDING, valid_until__gt=now - REMEMBERED)
    newest = {(row.slice_id, row.judge_sha256): row for row in reversed(list(rows))}
    told = badges(organization, newest, now)
    return [(row, told[pair]) for pair, row in newest.items() if not told[pair].holds]


def rescore_deviation(judge_sha256: str, slice_id: str) -> float | None:
    """How far this judge's scores of one answer differ, in points of 100 (rule R9): as last measured, if ever."""
    rows = Calibration.objects.filter(judge_sha256=judge_sha256, rescore_sd__isnull=False)
    organization = Slice.objects.filter(pk=slice_id).values("organization")
    here = rows.filter(slice=slice_id).order_by("-pk").first()
    found = here or rows.filter(organization__in=organization).order_by("-pk").first()
    return found.rescore_sd if found else None


def why_not_calibrated(organization: Organization, pairs: Iterable[Pair], now: datetime) -> dict[Pair, str]:
    """For each (slice id, judge digest) without a calibration that holds: why, and what to do."""
    return {
        pair: f"{found.sentence.removesuffix(MEASURE).strip()} {TAKE_ANOTHER if found.tone == 'fail' else MEASURE}"
        for pair, found in badges(organization, pairs, now).items()
        if not found.holds
    }


def holds(row: Calibration, now: datetime) -> bool:
    """Whether gate runs may rest on one measurement, its slice's children aside, which they look at themselves."""
    return row.outcome in HOLDING and row.ended_at is None and row.valid_until > now


def _calibrations(organization: Organization) -> QuerySet[Calibration]:
    rows = Calibration.objects.filter(organization=organization).select_related("slice", "judge", "run__suite")
    return rows.defer("run__body").order_by("-pk")


def _badge(newest_first: list[Calibration], parents: Mapping[str, str | None], now: datetime) -> Badge:
    """The one that holds, else the newest of all."""
    if not newest_first:
        return NEVER
    holding = (row for row in newest_first if row.outcome in HOLDING and not _why_not(row, parents, now))
    row = next(holding, newest_first[0])
    document = row.document
    tone, word = TONES[row.outcome]
    sentence = _sentence(row)
    if why := _why_not(row, parents, now):
        tone, word, sentence = "hold", "Expired" if row.ended_at is None and row.valid_until <= now else "Ended", why
    return Badge(
        tone=tone,
        word=word,
        sentence=sentence,
        rho=row.rho,
        n=row.n,
        ceiling=document["ceiling"],
        share_of_ceiling=document["share_of_ceiling"],
        measured_at=row.measured_at,
        valid_until=row.valid_until,
        url_key=row.run_id,
    )


def _why_not(row: Calibration, parents: Mapping[str, str | None], now: datetime) -> str:
    """Why a measurement counts no more; empty while it does."""
    if row.ended_at is not None:
        return row.ended_because
    if row.valid_until <= now:
        return f"It was measured on {row.measured_at:%-d %B %Y}, and a calibration holds for 30 days."
    members = leaves_below(parents, row.slice.slug, row.run.suite.slice_counts)
    return "" if sorted(members) == row.document["members"] else OTHER_CHILDREN


def _sentence(row: Calibration) -> str:
    document = row.document
    first: str = document["reasons"][0]
    if row.outcome not in HOLDING or row.rho is None:
        return first
    share = document["share_of_ceiling"]
    ceiling = "" if share is None else f", {100 * share:.0f} % of the human ceiling {shown(document['ceiling'])}"
    experts = counted(document["raters"], "expert")
    until = f"{row.valid_until:%-d %B %Y}"
    told = f"Agreement {shown(row.rho)} with {experts} on {counted(row.n, 'answer')}{ceiling}; holds until {until}."
    return f"{told} {ONLY_AGES}" if row.judge.definition["kind"] == EXTERNAL_KIND else told
