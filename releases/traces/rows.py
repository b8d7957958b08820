"""One row of a batch of traces, checked (gateway.md "Traces"). Pure, and quick: every request ends here.

A row that is wrong is turned away by itself, with a word for machines and a sentence for people; never its batch.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeGuard

from relcontrol.model_servers.outcomes import OTHER_ENDS, RELEASE_ERRORS

AHEAD: Final = timedelta(minutes=5)
MAX_BODY: Final = 1024 * 1024
MAX_DETAIL: Final = 300
_TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")


class Rejection(NamedTuple):
    """Why one row of a batch is not stored; `row` counts from 0."""

    row: int
    code: str
    detail: str


class Row(NamedTuple):
    """A row that can be stored: its columns by the names of the API, and the JSON that is to be sealed."""

    columns: Mapping[str, Any]
    body: bytes | None
    prompt: str | Mapping[str, Any] | None
    metadata: Mapping[str, Any]


class Window(NamedTuple):
    """The times at which a stored request may have started, both included."""

    earliest: datetime
    latest: datetime


class RefusedRowError(ValueError):
    """What is wrong with a row, and in which field."""

    def __init__(self, code: str, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.code, self.field = code, field


def window_at(now: datetime, retention: timedelta) -> Window:
    """From the end of retention to a little ahead, as clocks differ."""
    return Window(now - retention, now + AHEAD)


def read_row(number: int, row: object, window: Window) -> Row | Rejection:
    """The row, or why not."""
    if not isinstance(row, Mapping):
        return Rejection(number, "wrong_type", "row: Must be an object.")
    try:
        return _read(row, window)
    except RefusedRowError as refused:
        return Rejection(number, refused.code, f"{refused.field}: {refused}"[:MAX_DETAIL])


def _read(row: Mapping[str, Any], window: Window) -> Row:
    if not _FIELDS.issuperset(row):
        unknown = min(str(name) for name in set(row) - _FIELDS)
        raise RefusedRowError("unknown_field", "There is no such field; metadata takes values of your own.", unknown)
    columns = _columns(row)
    if not window.earliest <= columns["started_at"] <= window.latest:
        first, last = (f"{end.astimezone(UTC):%Y-%m-%d %H:%M} UTC" for end in window)
        raise RefusedRowError("time_out_of_range", f"Must be from {first} to {last}.", "started_at")
    prompt, metadata = row.get("input"), row.get("metadata") or {}
    return Row(columns, _body(row, prompt, metadata), prompt, metadata)


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    columns = {}
    for name, check in _CHECKS.items():
        value = row.get(name)
        try:
            columns[name] = None if value is None else check(value)
        except RefusedRowError as refused:
            refused.field = name
            raise
    for name in _REQUIRED:
        if columns[name] is None:
            raise RefusedRowError("required", "Must be there.", name)
    return columns


def _body(row: Mapping[str, Any], prompt: object, metadata: object) -> bytes | None:
    output, settings = row.get("output"), row.get("client_settings")
    if not (prompt is None or _is_text_or_object(prompt)):
        raise RefusedRowError("wrong_type", "Must be a text or an object.", "input")
    if not (output is None or _is_text_or_object(output)):
        raise RefusedRowError("wrong_type", "Must be a text or an object.", "output")
    if not isinstance(metadata, dict):
        raise RefusedRowError("wrong_type", "Must be an object.", "metadata")
    if prompt is None and output is None and not metadata:
        return None
    body = {"input": prompt, "output": output, "metadata": metadata}
    plain = _json(body if settings is None else {**body, "client_settings": settings})
    if len(plain) > MAX_BODY:
        message = f"Input, output and metadata may have {MAX_BODY} bytes together, not {len(plain)}."
        raise RefusedRowError("too_large", message, "body")
    return plain


# What holds itself ends in a RecursionError as well, without a note of every object that was seen.
_PLAIN_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)
_ASCII_JSON: Final = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False)


def _json(value: object) -> bytes:
    try:
        return _PLAIN_JSON.encode(value).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can say
        return _ASCII_JSON.encode(value).encode()
    except RecursionError as error:
        raise RefusedRowError("too_deep", "Values are nested too deeply.", "body") from error
    except (TypeError, ValueError) as error:
        raise RefusedRowError("not_json", f"Must be JSON: {error}.", "body") from error


def _is_text_or_object(value: object) -> TypeGuard[str | dict[str, Any]]:
    return isinstance(value, (str, dict))


def _text(at_most: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, str) and 0 < len(value) <= at_most and value.isprintable():
            return value  # what NUL and halves of surrogate pairs are not
        if not isinstance(value, str):
            raise RefusedRowError("wrong_type", "Must be a text.")
        if not 1 <= len(value) <= at_most:
            raise RefusedRowError("out_of_range", f"Must have 1 to {at_most} characters, not {len(value)}.")
        if _NOT_STORABLE.search(value):
            raise RefusedRowError("not_text", "Must be without NUL and halves of surrogate pairs.")
        return value

    return check


def _word(known: frozenset[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if isinstance(value, str) and value in known:
            return value
        raise RefusedRowError("unknown_value", f"Must be one of {', '.join(sorted(known))}, or null.")

    return check


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if type(value) is not int:  # True is an int as well
            raise RefusedRowError("wrong_type", "Must be a whole number.")
        if low <= value <= high:
            return value
        raise RefusedRowError("out_of_range", f"Must be from {low} to {high}.")

    return check


def _milliseconds(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise RefusedRowError("wrong_type", "Must be a number of milliseconds.")
    if 0 <= value <= _LONGEST_MS:  # which NaN is not
        return float(value)
    raise RefusedRowError("out_of_range", f"Must be a number from 0 to {_LONGEST_MS}.")


def _trace_id(value: Any) -> str:
    if isinstance(value, str) and _TRACE_ID.fullmatch(value):
        return value
    raise RefusedRowError("wrong_type", "Must be 32 lower-case hexadecimal digits.")


def _time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise RefusedRowError("wrong_type", "Must be a time such as 2026-11-21T16:00:00.000000Z.")
    try:
        time = datetime.fromisoformat(value)
    except ValueError as error:
        message = "Must be a time of RFC 3339, such as 2026-11-21T16:00:00.000000Z."
        raise RefusedRowError("wrong_type", message) from error
    if time.tzinfo is None:
        raise RefusedRowError("no_time_zone", "Must say its offset, such as Z or +01:00.")
    return time


_LONGEST_MS: Final = 1_000_000_000
_REQUIRED: Final = ("trace_id", "started_at", "request_id", "subject")
_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "trace_id": _trace_id,
    "started_at": _time,
    "request_id": _text(100),
    "release": _text(64),
    "route": _text(40),
    "rollout": _text(40),
    "arm": _word(frozenset({"stable", "candidate", "shadow"})),
    "generation": _whole(0, 2**53 - 1),
    "subject": _text(2000),
    "status": _whole(100, 599),
    "error": _word(RELEASE_ERRORS | OTHER_ENDS),
    "ttft_ms": _milliseconds,
    "latency_ms": _milliseconds,
    "input_tokens": _whole(0, 2**31 - 1),
    "output_tokens": _whole(0, 2**31 - 1),
    "fingerprint": _text(64),
    "model": _text(300),
    "replica": _text(100),
}
_FIELDS: Final = frozenset(_CHECKS) | {"input", "output", "metadata", "client_settings"}
