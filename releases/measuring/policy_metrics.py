"""The metrics of further policies, over the traces, answers and feedback of a scope and a window (domain.md "Roll").

Latencies, tokens and costs are those of successful requests. Of the feedback on a request the newest of a name counts.
A value is None where nothing can be measured; `n` is what it was counted over.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import connection

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
from releases.measuring.policy_scopes import Scope, prices
from releases.trace_models import Feedback

_P95: Final = "percentile_cont(0.95) WITHIN GROUP (ORDER BY {0}), count({0})"
_MEAN: Final = "avg({0}), count({0})"
_COST: Final = "(input_tokens * %(input_price)s + output_tokens * %(output_price)s)"
_OF_TRACES: Final = {
    TTFT_P95: _P95.format("ttft_ms"),
    LATENCY_P95: _P95.format("latency_ms"),
    OUTPUT_TOKENS: _MEAN.format("output_tokens"),
    COST: _MEAN.format(_COST),
}
_SUCCESSFUL: Final = """
    FROM releases_trace
    WHERE organization_id = %(organization)s AND started_at >= %(since)s AND {0} AND error IS NULL
"""
_SAYINGS: Final = """
    SELECT DISTINCT ON (request_id) request_id, value FROM (
        SELECT id, request_id, value, created_at FROM releases_feedback
        WHERE organization_id = %(organization)s AND kind = %(kind)s AND name = %(name)s AND created_at >= %(since)s
        ORDER BY created_at DESC, id DESC LIMIT %(most)s
    ) AS said ORDER BY request_id, created_at DESC, id DESC
"""
# A statement of its own: within one, a planner without statistics reads all traces again for every saying.
_ANSWERED: Final = """
    SELECT DISTINCT request_id FROM releases_trace
    WHERE organization_id = %(organization)s AND request_id = ANY(%(requests)s) AND started_at >= %(entered_at)s
        AND {0}
"""
MOST_SAYINGS: Final = 5_000  # the newest of a window; a mean over them is close enough, and the work is bounded


@dataclass(frozen=True, slots=True)
class Measured:
    """A metric's value, None without one, and over how many answers, pairs or sayings; `noun` says which of them."""

    value: float | None
    n: int
    noun: str | None = None


def measure(scope: Scope, metric: str, since: datetime) -> Measured:
    """Read one metric of what has been there in a scope since `since`."""
    values = {**scope.values(), "since": max(since, scope.entered_at)}
    if metric == REFUSALS:
        return replace(_mean([float(each) for each in scope.refusals(since)]), noun=scope.read)
    if metric == THUMBS_DOWN:
        thumbs = _said(scope, values, Feedback.Kind.THUMB)
        return _mean([1.0 if value < 0 else 0.0 for value in thumbs])
    if metric == TASKS_DONE:
        return _mean(_said(scope, values, Feedback.Kind.OUTCOME))
    if metric.startswith(SCORE):
        return _mean(_said(scope, values, Feedback.Kind.SCORE, metric.removeprefix(SCORE)))
    if metric == COST:
        found = prices(scope)
        if found is None:
            return Measured(None, 0)
        values |= {"input_price": found[0], "output_price": found[1]}
    return _one(f"SELECT {_OF_TRACES[metric]} {_SUCCESSFUL.format(scope.where)}", values)


def _said(scope: Scope, values: dict[str, Any], kind: Feedback.Kind, name: str = "") -> list[float]:
    """The newest saying on each request that was answered in the scope."""
    with connection.cursor() as cursor:
        cursor.execute(_SAYINGS, values | {"kind": kind.value, "name": name, "most": MOST_SAYINGS})
        said: dict[str, float] = dict(cursor.fetchall())
        if not said:
            return []
        cursor.execute(_ANSWERED.format(scope.where), values | {"requests": list(said)})
        return [said[request] for (request,) in cursor.fetchall()]


def _mean(numbers: Sequence[float]) -> Measured:
    return Measured(math.fsum(numbers) / len(numbers) if numbers else None, len(numbers))


def _one(statement: str, values: dict[str, Any]) -> Measured:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        value, n = cursor.fetchone()
    return Measured(None if value is None else float(value), n)
