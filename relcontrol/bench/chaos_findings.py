"""What must hold after the chaos: no request failed for want of the control plane, nothing was lost or doubled.

The one thing that a SIGKILL may take is what a killed worker of a gateway had in memory: requests in flight on it, and
traces of the half second that it had not sent yet. Those are counted apart, and only close to such a kill.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from audit.chain_checks import check_chain
from audit.models import ChainCheck, Receipt
from relcontrol.accounts.models import Organization
from relcontrol.bench.chaos_director import Planned
from relcontrol.bench.chaos_system import GATEWAY, Kill
from relcontrol.bench.chaos_traffic import Outcome
from relcontrol.bench.chaos_upstream import ONE_OF
from relcontrol.clock import now
from releases.models import Release
from releases.rollout_models import Rollout, RolloutStep, Serving
from releases.rollouts.decisions import EVENTS
from releases.trace_models import Trace

CLOCK_S: Final = 0.25  # a kill is noted just before the signal is sent
UNSENT_S: Final = 2.5  # the gateway's half second, and a batch that is on its way
CUT_OFF: Final = frozenset({"ServerDisconnectedError", "ClientOSError", "ClientPayloadError", "ConnectionResetError"})
SHOWN: Final = 5


@dataclass(slots=True)
class Damage:
    """What the kills of one victim did. `failed`, `lost` and `doubled` are what must not be."""

    failed: list[str] = field(default_factory=list)
    cut_off: int = 0
    lost: list[str] = field(default_factory=list)
    unsent: int = 0
    doubled: list[str] = field(default_factory=list)


def damages(
    outcomes: Iterable[Outcome], traces: Mapping[str, int], kills: Sequence[Kill], failing: Set[str]
) -> dict[str, Damage]:
    """What became of every request, by the victim of the last kill before it ended; "" for those before any kill.

    What a killed worker of the gateway took with it counts for the gateway, whatever else was killed in between.
    `traces` is how many rows there are by request id, `failing` the manifests whose model fails.
    """
    found: dict[str, Damage] = defaultdict(Damage)
    gateways = [kill.at for kill in kills if kill.victim == GATEWAY]
    shown = {manifest[:12] for manifest in failing}
    for one in outcomes:
        damage = found[_victim_before(one, kills)]
        if one.problem and not _is_planned(one, shown):
            if one.problem in CUT_OFF | {"cut off"} and _in_flight(one, gateways):
                found[GATEWAY].cut_off += 1
            else:
                damage.failed.append(f"{one.request_id}: {one.problem} {one.status}")
        rows = traces.get(one.request_id, 0)
        if rows > 1:
            damage.doubled.append(f"{one.request_id}: {rows} traces")
        elif one.answered and not rows:
            if _just_before(one, gateways):
                found[GATEWAY].unsent += 1
            else:
                damage.lost.append(f"{one.request_id}: ended at {one.ended:.2f}")
    return dict(found)


def trace_counts(organization: Organization) -> Counter[str]:
    """Rows by request id; copies for a shadow are rows of their own."""
    rows = Trace.objects.filter(organization=organization).exclude(arm="shadow")
    return Counter(rows.values_list("request_id", flat=True))


def problems_of_rows(organization: Organization, planned: Sequence[Planned]) -> list[str]:
    """What is wrong with receipts, steps, deliveries and ends; nothing where all is well."""
    return [
        *_chain(organization),
        *_steps(organization),
        *_deliveries(organization),
        *_ends(organization, planned),
    ]


def _is_planned(one: Outcome, failing: Set[str]) -> bool:
    return one.problem == "status" and one.release in failing and one.number % ONE_OF == 0


def _victim_before(one: Outcome, kills: Sequence[Kill]) -> str:
    return next((kill.victim for kill in reversed(kills) if kill.at <= one.ended + CLOCK_S), "")


def _in_flight(one: Outcome, killed: Iterable[float]) -> bool:
    return any(one.began - CLOCK_S <= at <= one.ended + CLOCK_S for at in killed)


def _just_before(one: Outcome, killed: Iterable[float]) -> bool:
    return any(one.ended - CLOCK_S <= at <= one.ended + UNSENT_S for at in killed)


def _chain(organization: Organization) -> Iterator[str]:
    """Gaps, forks, and the auditor's walk over the whole chain."""
    rows = Receipt.objects.filter(organization=organization)
    number, last = rows.count(), rows.latest("seq").seq
    forks = number - rows.values("prev").distinct().count()
    if last - number or forks:
        yield f"the chain of receipts has {last - number} gaps and {forks} forks"
    check = check_chain(ChainCheck.objects.get(organization=organization), now())
    while not check.problem and check.seq < last:
        check = check_chain(check, now())
    if check.problem:
        yield f"the chain of receipts does not verify: {check.problem}"


def _steps(organization: Organization) -> Iterator[str]:
    """Versions without a gap, one checkpoint after the other, and exactly one receipt for each step."""
    told: set[str] = set()
    for row in Rollout.objects.filter(organization=organization):
        steps = list(RolloutStep.objects.filter(rollout=row).order_by("version"))
        if [step.version for step in steps] != list(range(1, row.version + 1)):
            yield f"{row.pk} is at version {row.version} with steps {[step.version for step in steps]}"
        for before, after in pairwise(steps):
            if after.checkpoint - before.checkpoint != (after.act == "promoted"):
                yield f"{row.pk} went from checkpoint {before.checkpoint} to {after.checkpoint} by {after.act}"
        told |= {step.receipt_hash for step in steps}
    events = {event.value for event in EVENTS.values()}
    rows = Receipt.objects.filter(organization=organization, event__in=events)
    written = set(rows.values_list("receipt_hash", flat=True))
    if told != written:
        yield f"{len(told - written)} steps without a receipt, {len(written - told)} receipts without a step"


def _deliveries(organization: Organization) -> Iterator[str]:
    """One release is stable on the route, it is what serves, and none is rolling beside an open rollout."""
    stable = list(Release.objects.filter(organization=organization, delivery="stable").values_list("pk", flat=True))
    serving = list(
        Serving.objects.filter(route__organization=organization, until=None).values_list("release_id", flat=True)
    )
    if len(stable) != 1 or stable != serving:
        yield f"stable is {stable}, what serves is {serving}"


def _ends(organization: Organization, planned: Sequence[Planned]) -> Iterator[str]:
    """Every rollout that was asked for happened once, and ended where its evidence says."""
    rows = {row.release.manifest_sha256: row for row in Rollout.objects.select_related("release")}
    if len(rows) != Rollout.objects.filter(organization=organization).count():
        yield "a release was rolled out twice"
    for one in planned:
        row = rows.get(one.manifest_sha256)
        if row is None:
            yield f"release {one.number} was never rolled out"
        elif row.state != one.end:
            yield f"{row.pk} ended {row.state}, not {one.end}: {json.dumps(row.reasons)}"
