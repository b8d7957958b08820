"""The metrics of further policies, over the candidate's traces, pairs and feedback of a window (domain.md "Roll").

Traces of the present checkpoint only. Latencies, tokens and costs are those of successful requests. Of the feedback on
a request the newest of a name counts. A value is None where nothing can be measured; `n` is what it was counted over.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from relcontrol.accounts.models import Endpoint
from releases.bucketing import Arm
from releases.measuring.policy_definition import (
    COST,
    LATENCY_P95,
    OUTPUT_TOKENS,
    REFUSALS,
    SCORE,
    TASKS_DONE,
    THUMBS_DOWN,
    TTFT_P95,
)
from releases.rollout_models import Measurement, ReplayPair, Rollout
from releases.routing.serving import Served, endpoint_still
from releases.trace_models import Feedback

REFUSAL: Final = "refusal"  # the rule of gates.rule_judge

_P95: Final = "percentile_cont(0.95) WITHIN GROUP (ORDER BY {0}), count({0})"
_MEAN: Final = "avg({0}), count({0})"
_COST: Final = "(input_tokens * %(input_price)s + output_tokens * %(output_price)s)"
_OF_TRACES: Final = {
    TTFT_P95: _P95.format("ttft_ms"),
    LATENCY_P95: _P95.format("latency_ms"),
    OUTPUT_TOKENS: _MEAN.format("output_tokens"),
    COST: _MEAN.format(_COST),
}
_OURS: Final = """
    rollout_id = %(rollout)s AND arm = %(arm)s AND (generation >= %(generation)s OR generation IS NULL)
"""
_SUCCESSFUL: Final = f"""
    FROM releases_trace
    WHERE organization_id = %(organization)s AND started_at >= %(since)s AND {_OURS} AND error IS NULL
"""
_SAYINGS: Final = """
    SELECT DISTINCT ON (request_id) request_id, value FROM (
        SELECT id, request_id, value, created_at FROM releases_feedback
        WHERE organization_id = %(organization)s AND kind = %(kind)s AND name = %(name)s AND created_at >= %(since)s
        ORDER BY created_at DESC, id DESC LIMIT %(most)s
    ) AS said ORDER BY request_id, created_at DESC, id DESC
"""
# A statement of its own: within one, a planner without statistics reads all traces again for every saying.
_ANSWERED: Final = f"""
    SELECT DISTINCT request_id FROM releases_trace
    WHERE organization_id = %(organization)s AND request_id = ANY(%(requests)s) AND started_at >= %(entered_at)s
        AND {_OURS}
"""  # noqa: S608 - only constants
MOST_SAYINGS: Final = 5_000  # the newest of a window; a mean over them is close enough, and the work is bounded


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric's value, None without one, and over how many answers, pairs or sayings."""

    value: float | None
    n: int


def measure(row: Rollout, measurement: Measurement, metric: str, since: datetime) -> Measured:
    """Read one metric of what has been there since `since` at this checkpoint."""
    values = _values(row, measurement, since)
    if metric == REFUSALS:
        return _refusals(row, measurement, since)
    if metric == THUMBS_DOWN:
        thumbs = _said(values, Feedback.Kind.THUMB)
        return _mean([1.0 if value < 0 else 0.0 for value in thumbs])
    if metric == TASKS_DONE:
        return _mean(_said(values, Feedback.Kind.OUTCOME))
    if metric.startswith(SCORE):
        return _mean(_said(values, Feedback.Kind.SCORE, metric.removeprefix(SCORE)))
    if metric == COST:
        prices = _prices(row)
        if prices is None:
            return Measured(None, 0)
        values |= {"input_price": prices[0], "output_price": prices[1]}
    return _one(f"SELECT {_OF_TRACES[metric]} {_SUCCESSFUL}", values)


def _values(row: Rollout, measurement: Measurement, since: datetime) -> dict[str, Any]:
    return {
        "organization": row.organization_id,
        "rollout": row.pk,
        "arm": (Arm.CANDIDATE if measurement.checkpoint else Arm.SHADOW).value,
        "generation": measurement.generation,
        "entered_at": measurement.entered_at,
        "since": max(since, measurement.entered_at),
    }


def _said(values: dict[str, Any], kind: Feedback.Kind, name: str = "") -> list[float]:
    """The newest saying on each request that the candidate answered at this checkpoint."""
    with connection.cursor() as cursor:
        cursor.execute(_SAYINGS, values | {"kind": kind.value, "name": name, "most": MOST_SAYINGS})
        said: dict[str, float] = dict(cursor.fetchall())
        if not said:
            return []
        cursor.execute(_ANSWERED, values | {"requests": list(said)})
        return [said[request] for (request,) in cursor.fetchall()]


def _mean(numbers: Sequence[float]) -> Measured:
    return Measured(math.fsum(numbers) / len(numbers) if numbers else None, len(numbers))


def _prices(row: Rollout) -> tuple[Decimal, Decimal] | None:
    """What a token costs at the endpoint that serves the candidate; None where no price is set."""
    served = endpoint_still(Endpoint.objects.filter(organization=row.organization_id), row.release.model_ref)
    if not isinstance(served, Served) or served.endpoint.input_price is None or served.endpoint.output_price is None:
        return None
    return served.endpoint.input_price, served.endpoint.output_price


def _refusals(row: Rollout, measurement: Measurement, since: datetime) -> Measured:
    """The share of pairs in which the rules found that the candidate refused."""
    pairs = ReplayPair.objects.filter(
        rollout=row, checkpoint=measurement.checkpoint, state=ReplayPair.State.SCORED, scored_at__gte=since
    )
    found = [_refused(findings) for findings in pairs.values_list("findings", flat=True)]
    return _mean(found)


def _refused(findings: list[dict[str, Any]]) -> bool:
    return any(one.get("rule") == REFUSAL and one.get("side") == Arm.CANDIDATE.value for one in findings)


def _one(statement: str, values: dict[str, Any]) -> Measured:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        value, n = cursor.fetchone()
    return Measured(None if value is None else float(value), n)
