"""Rows of traces as gateways send them, and what of them is in the table."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from relcontrol.accounts.models import Organization
from releases.trace_models import Trace
from releases.traces.ingest import Stored, store
from releases.traces.rows import window_at

NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
WINDOW = window_at(NOW, timedelta(days=30))
MESSAGES = [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "May affiliates use it?"}]


def trace_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A row that is right, one second before NOW."""
    return {
        "trace_id": f"{number:032x}",
        "started_at": (NOW - timedelta(seconds=1)).isoformat(),
        "request_id": f"req-{number}",
        "release": "a" * 64,
        "route": "rte_1",
        "rollout": "rol_1",
        "arm": "candidate",
        "generation": 42,
        "subject": "user-42",
        "input": {"messages": MESSAGES, "temperature": 0.2},
        "output": {"content": "Yes.", "tool_calls": None, "refusal": None, "finish_reason": "stop"},
        "status": 200,
        "error": None,
        "ttft_ms": 120.5,
        "latency_ms": 900,
        "input_tokens": 20,
        "output_tokens": 2,
        "metadata": {"domain": "legal"},
        "fingerprint": "b" * 64,
        "model": "Divinci-AI/gemma-4-e2b",
        "replica": "gateway-1",
        **changes,
    }


def stored(owner: Organization, *rows: Any, now: datetime = NOW) -> Stored:
    """Store a batch at NOW."""
    return store(owner, rows, now=now)


def only_trace(owner: Organization) -> Trace:
    """The one trace of an organization."""
    return Trace.objects.get(organization=owner)


def days_made() -> set[str]:
    """The days that have a partition, as they are named."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT right(relname, 8) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = 'releases_trace'::regclass AND relname <> 'releases_trace_default'"
        )
        return {day for (day,) in cursor.fetchall()}


def place_of(trace_id: str) -> str:
    """The partition in which a trace lies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tableoid::regclass::text FROM releases_trace WHERE trace_id = %s"
            " ORDER BY organization_id DESC LIMIT 1",  # of the newest organization: others may have left theirs
            [trace_id],
        )
        ((name,),) = cursor.fetchall()
    return str(name)
