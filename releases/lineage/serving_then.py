"""What a route served at a time, and who let it: from signed receipts alone (domain.md "Lineage and privacy").

A route is taken over by the receipt of a completed rollout or of a rollback, and by nothing else. No row of what serves
is read: the answer stays the same when one is changed, and says which receipts it rests on and whether they verify. A
decision and its receipt are of one transaction, so their times lie less than `SLACK` apart, however slow that was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from audit.events import Event
from audit.models import Receipt
from audit.trust import trust_document
from relcontrol.accounts.models import Organization, Route
from releases.lineage.approvals import Approval, Approved, approval_of, approved
from releases.lineage.citing import Cited, as_stored, cite, decided_at
from releases.lineage.finding import bounded

SLACK: Final = timedelta(days=1)
ROLLBACKS: Final = (Event.ROLLBACK_AUTO, Event.ROLLBACK_MANUAL)
TAKING: Final = (Event.ROLLOUT_COMPLETED, *ROLLBACKS)
SHARING: Final = (Event.ROLLOUT_STARTED, Event.CHECKPOINT_PROMOTED)
ENDING: Final = (Event.ROLLOUT_COMPLETED, Event.ROLLOUT_HALTED, Event.ROLLOUT_ABORTED)
EVENTS: Final = (*TAKING, *SHARING, Event.ROLLOUT_HALTED, Event.ROLLOUT_ABORTED)
AT_ONCE: Final = 8

# Each event by its own index, until enough receipts name the route.
_NEWEST: Final = """
SELECT found.* FROM unnest(%(events)s::text[]) AS wanted (event) CROSS JOIN LATERAL (
    SELECT * FROM audit_receipt
    WHERE organization_id = %(organization)s AND event = wanted.event AND seq <= %(last)s
        AND position(%(needle)s::bytea IN payload) > 0
    ORDER BY seq DESC LIMIT %(size)s OFFSET %(begin)s) AS found
ORDER BY found.seq DESC
"""
_NEXT: Final = """
SELECT found.* FROM unnest(%(events)s::text[]) AS wanted (event) CROSS JOIN LATERAL (
    SELECT * FROM audit_receipt
    WHERE organization_id = %(organization)s AND event = wanted.event AND seq > %(after)s
        AND position(%(needle)s::bytea IN payload) > 0
    ORDER BY seq LIMIT 1) AS found
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """A candidate that answered a share of the requests at that time; 0 percent is a shadow."""

    manifest: str
    percent: int
    cited: Cited


@dataclass(frozen=True, slots=True)
class ServedThen:
    """What the route served. `manifest` is None where it served nothing, or where that is disclosed no more.

    `generation` and `reason` are what the decision's opening tells; `problems` say what does not verify.
    """

    manifest: str | None
    since: datetime
    until: datetime | None
    decision: Cited
    ended: Cited | None
    approvals: tuple[Approval, ...]
    cited: tuple[Cited, ...]
    beside: Beside | None
    undisclosed: bool = False

    @property
    def generation(self) -> int | None:
        """The generation of the routing from which gateways served it."""
        number = (self.decision.state or {}).get(_generation(self.decision))
        return number if isinstance(number, int) else None

    @property
    def reason(self) -> str:
        """Why it was decided, as recorded."""
        state = self.decision.state or {}
        reasons = state.get("reasons")
        return str(state.get("reason") or (reasons[0] if reasons else ""))

    @property
    def problems(self) -> tuple[str, ...]:
        """Every reason to doubt the answer, as sentences."""
        found = [problem for each in self.cited for problem in each.problems]
        if self.undisclosed:
            seq = self.decision.receipt.seq
            found.append(f"Receipt #{seq:,} does not disclose any more which release the route was rolled back to.")
        return tuple(found)


def served_at(route: Route, at: datetime) -> ServedThen | None:
    """What a route served at a moment; None where no receipt had made it serve anything."""
    newest = _newest(route, at)
    row, sharing = _last_of(newest, TAKING), _last_of(newest, (*SHARING, *ENDING))
    if row is None:
        return None
    after, trust = _next(route, row.seq), trust_document(route.organization)
    known = {each.receipt.seq: each for each in cite(_each_once(row, after, sharing), trust)}
    decision, ended = known[row.seq], known[after.seq] if after else None
    manifest, undisclosed = _taken_by(decision)
    how = approved(route.organization, manifest, row.seq, trust) if manifest else Approved()
    rolled, beside = approval_of(decision), _beside(known[sharing.seq]) if sharing else None
    return ServedThen(
        manifest=manifest,
        since=decision.at,
        until=ended.at if ended else None,
        decision=decision,
        ended=ended,
        approvals=(*how.approvals, *((rolled,) if rolled else ())),
        cited=_in_order([*how.cited, decision, *([ended] if ended else []), *([beside.cited] if beside else [])]),
        beside=beside,
        undisclosed=undisclosed,
    )


def _taken_by(decision: Cited) -> tuple[str | None, bool]:
    """The manifest that serves after a decision, and whether its receipt does not disclose it any more."""
    if decision.receipt.event == Event.ROLLOUT_COMPLETED:
        return decision.manifest, False
    if decision.state is None:
        return None, True
    target: str | None = decision.state.get("target")
    return target, False


def _generation(decision: Cited) -> str:
    return "generation" if decision.receipt.event in ROLLBACKS else "routing_generation"


def _beside(newest: Cited) -> Beside | None:
    """The candidate that shared the route, where the newest move of a rollout did not end one."""
    if newest.receipt.event not in SHARING or newest.manifest is None:
        return None
    state = newest.state or {}
    step, plan = state.get("checkpoint") or 0, state.get("plan") or []
    percent = plan[step - 1]["percent"] if 0 < step <= len(plan) else 0
    return Beside(newest.manifest, percent, newest)


def _newest(route: Route, at: datetime) -> dict[str, Receipt]:
    """Of each event the last decision about the route that had been taken at a moment, in as few queries as can be."""
    last, found, missing = _last_seq(route.organization, at), dict[str, Receipt](), list(EVENTS)
    begin, size = 0, 1
    while missing:
        values = {**_about(route, missing), "last": last, "begin": begin, "size": size}
        rows = list(Receipt.objects.raw(_NEWEST, values))
        for row in rows:
            if row.event not in found and decided_at(row, as_stored(row)) <= at:
                found[row.event] = row
        counts = Counter(row.event for row in rows)
        missing = [each for each in missing if each not in found and counts[each] == size]
        begin, size = begin + size, AT_ONCE
    return found


def _next(route: Route, seq: int) -> Receipt | None:
    """The first decision after a number that made the route serve something else."""
    rows = Receipt.objects.raw(_NEXT, {**_about(route, TAKING), "after": seq})
    return min(rows, key=lambda row: row.seq, default=None)


def _about(route: Route, events: Iterable[Event]) -> dict[str, Any]:
    """Signed bytes are canonical, so that a route is named in them by this text and in no other place."""
    return {
        "organization": route.organization_id,
        "events": [each.value for each in events],
        "needle": f'"route":"{route.pk}"'.encode(),
    }


def _last_of(newest: Mapping[str, Receipt], events: Iterable[Event]) -> Receipt | None:
    return max((newest[each] for each in events if each in newest), key=lambda row: row.seq, default=None)


def _last_seq(organization: Organization, at: datetime) -> int:
    """The number of the last receipt that may be of a decision at that moment."""
    rows = Receipt.objects.filter(organization=organization, issued_at__lte=bounded(at) + SLACK)
    return rows.order_by("-issued_at", "-seq").values_list("seq", flat=True).first() or 0


def _each_once(*rows: Receipt | None) -> list[Receipt]:
    return list({row.seq: row for row in rows if row}.values())


def _in_order(cited: Iterable[Cited]) -> tuple[Cited, ...]:
    return tuple(sorted({each.receipt.seq: each for each in cited}.values(), key=lambda each: each.receipt.seq))
