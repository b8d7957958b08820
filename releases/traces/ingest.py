"""Storing batches of traces (gateway.md "Traces"): checked row by row, sealed, copied in, written once.

One transaction and one `COPY` into the partitions for a batch. Where a row of it is there already, as in a batch that
was sent twice, this is undone, and the batch goes through a temporary table of the session and `INSERT … ON CONFLICT DO
NOTHING`, which would cost PostgreSQL half as much again for every batch. No foreign keys and no look-ups: a trace is
what somebody says happened. What the organization redacts is gone before a row is read: no column has it, and no rule
of a slice sees it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from psycopg.errors import UniqueViolation

from relcontrol.accounts.models import Organization
from releases.privacy.redacting import redactor_of
from releases.privacy.sayings import erase_feedback
from releases.traces.bodies import BodyKeys
from releases.traces.keys import Keys, keys_to_seal
from releases.traces.rows import Rejection, Row, read_row, window_at
from releases.traces.slicing import slice_tree
from releases.traces.subjects import subject_digests

# Columns of the table and their types for COPY; `xact` is the database's own.
_SENT: Final = {
    "trace_id": "varchar",
    "started_at": "timestamptz",
    "request_id": "varchar",
    "release": "varchar",
    "route_id": "varchar",
    "rollout_id": "varchar",
    "arm": "varchar",
    "generation": "int8",
    "status": "int2",
    "error": "varchar",
    "ttft_ms": "float8",
    "latency_ms": "float8",
    "input_tokens": "int4",
    "output_tokens": "int4",
    "fingerprint": "varchar",
    "model": "varchar",
    "replica": "varchar",
}
_MADE: Final = {
    "organization_id": "varchar",
    "received_at": "timestamptz",
    "subject": "bytea",
    "slice": "varchar",
    "body": "bytea",
}
_COLUMNS: Final = ", ".join([*_SENT, *_MADE])
_TYPES: Final = [*_SENT.values(), *_MADE.values()]
_sent = itemgetter(*(name.removesuffix("_id") if name in {"route_id", "rollout_id"} else name for name in _SENT))

_STAGE: Final = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS incoming_trace ON COMMIT DELETE ROWS
AS SELECT {_COLUMNS} FROM releases_trace WITH NO DATA
"""  # noqa: S608 - columns written above
_COPY: Final = f"COPY {{table}} ({_COLUMNS}) FROM STDIN (FORMAT BINARY)"
_INSERT: Final = f"""
INSERT INTO releases_trace ({_COLUMNS})
SELECT {_COLUMNS} FROM pg_temp.incoming_trace ON CONFLICT DO NOTHING
"""  # noqa: S608 - the same


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch. A row that was there already is accepted again."""

    accepted: int
    rejected: list[Rejection]


def store(organization: Organization, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> Stored:
    """Store what is right in a batch; raises only where the database does."""
    window = window_at(now, timedelta(days=settings.TRACE_RETENTION_DAYS))
    if redactor := redactor_of(organization, now):
        rows = [redactor.row(row) for row in rows]
    read = [read_row(number, row, window) for number, row in enumerate(rows)]
    # In one order, partition by partition, so that two batches with the same rows cannot wait for each other.
    good = sorted((row for row in read if isinstance(row, Row)), key=_identity)
    if good:
        _write(organization, good, now)
    return Stored(len(good), [row for row in read if isinstance(row, Rejection)])


def _identity(row: Row) -> tuple[datetime, str]:
    return row.columns["started_at"], row.columns["trace_id"]


def _write(organization: Organization, rows: Sequence[Row], now: datetime) -> None:
    subjects = subject_digests(organization.pk, {row.columns["subject"] for row in rows})
    slice_of = slice_tree(organization, now).slice_of
    with transaction.atomic():
        known = keys_to_seal(organization.pk, subjects.values(), now)
        keys = BodyKeys(organization.pk, known)
        records = [
            (*_sent(row.columns), organization.pk, now, subject, slice_of(row), _sealed(keys, subject, row.body))
            for row, subject in ((row, subjects[row.columns["subject"]]) for row in rows)
        ]
        try:
            with transaction.atomic():
                _copy("releases_trace", records)
        except UniqueViolation:
            _copy_what_is_new(records)
        if None in known.values():
            _forget_what_was_said(organization, rows, subjects, known)


def _forget_what_was_said(
    organization: Organization, rows: Sequence[Row], subjects: Mapping[str, bytes], known: Keys
) -> None:
    """Feedback that came before its request, of somebody who was erased meanwhile."""
    erased = {subject for subject, digest in subjects.items() if known[digest] is None}
    ids = {row.columns["request_id"] for row in rows if row.columns["subject"] in erased}
    erase_feedback(organization.pk, ids)


def _sealed(keys: BodyKeys, subject: bytes, body: bytes | None) -> bytes | None:
    return (body and keys.seal(subject, body)) or None


def _copy(table: str, records: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY.format(table=table)) as copy:
        copy.set_types(_TYPES)
        for record in records:
            copy.write_row(record)


def _copy_what_is_new(records: Sequence[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        _copy("pg_temp.incoming_trace", records)
        cursor.execute(_INSERT)
        cursor.execute("DELETE FROM pg_temp.incoming_trace")  # within a larger transaction there may be another batch
