"""Making pairs of traces: one whose other answer has to be replayed, or one of a shadow, which both have answered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from gates.rule_judge.judging import text_of
from releases.bucketing import Arm
from releases.replays.rendering import NotReplayableError, client_body
from releases.rollout_models import ReplayPair, Rollout
from releases.trace_models import Trace
from releases.traces.bodies import DamagedBodyError, open_bodies, open_body, seal_body
from releases.traces.selectors import traces_of

# An answer that was served began at most so long before its copy did.
LONGEST_ANSWER: Final = timedelta(minutes=15)


def opened(row: Rollout, traces: Sequence[Trace]) -> list[Any]:
    """The bodies of traces; None where one is gone."""
    return opened_each(row.organization_id, [(bytes(trace.subject), bytes(trace.body or b"")) for trace in traces])


def opened_each(organization_id: str, sealed: Sequence[tuple[bytes, bytes]]) -> list[Any]:
    """What was sealed; None where it is gone or damaged, which must not keep the others from being read."""
    try:
        return open_bodies(organization_id, sealed)
    except DamagedBodyError:
        return [_opened_alone(organization_id, *one) for one in sealed]


def _opened_alone(organization_id: str, subject: bytes, body: bytes) -> Any:
    try:
        return open_body(organization_id, subject, body)
    except DamagedBodyError:
        return None


def pair_of(row: Rollout, slug: str, trace: Trace, body: Any, now: datetime) -> ReplayPair | None:
    """A pair that waits for its replay; None where the prompt is gone or its answer said nothing."""
    return _pair(row, slug, trace, now) if _is_usable(body) else None


def shadow_pairs(
    row: Rollout, slug: str, copies: Iterable[Trace], taken: set[str], now: datetime
) -> Iterator[ReplayPair]:
    """Pairs of shadow copies with the answers that were served for the same requests."""
    by_request = {copy.request_id: copy for copy in copies}
    if not by_request:
        return
    since = min(copy.started_at for copy in by_request.values()) - LONGEST_ANSWER
    served = traces_of(row.organization, rollout=row.pk, arm=Arm.STABLE.value, since=since)
    good = served.filter(request_id__in=list(by_request), status=200, error=None, body__isnull=False)
    for trace in good.exclude(trace_id__in=list(taken)):
        copy = by_request[trace.request_id]
        body, copied = opened(row, (trace, copy))
        if _is_usable(body) and _is_usable(copied):
            pair = _pair(row, slug, trace, now)
            answers = {"candidate": copied["output"], "stable": body["output"]}
            pair.answers = seal_body(row.organization_id, bytes(trace.subject), answers)
            pair.state = ReplayPair.State.ANSWERED
            yield pair


def _is_usable(body: Any) -> bool:
    """There is a prompt, and an answer in words."""
    if not isinstance(body, Mapping) or not text_of(body.get("output")).strip():
        return False
    try:
        client_body(body)
    except NotReplayableError:
        return False
    return True


def _pair(row: Rollout, slug: str, trace: Trace, now: datetime) -> ReplayPair:
    return ReplayPair(
        organization_id=row.organization_id,
        rollout=row,
        checkpoint=row.checkpoint,
        slice=slug,
        request_id=trace.request_id,
        trace_id=trace.trace_id,
        trace_started_at=trace.started_at,
        subject=bytes(trace.subject),
        served=trace.arm or "",
        created_at=now,
    )
