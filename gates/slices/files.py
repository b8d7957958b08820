"""Slices as a file: written as JSON or CSV, and read back row by row. Nothing here knows what is in the database.

A row has the fields of POST /v1/slices. In CSV the match rule is JSON in its cell, an empty cell is null, and a column
or a key that is not there leaves the field as it is. A text that a spreadsheet would calculate, such as `=1+1`, has an
apostrophe before it in CSV, which is taken away again when the file comes back.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gates.models import Slice
from gates.slices.services import definition_of
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads
from relcontrol.errors import FieldError, Invalid, invalid

COLUMNS: Final = (
    *("slug", "name", "description", "application", "parent", "owner"),
    *("judge", "threshold", "quality_floor", "policy", "n_min", "match"),
)
RATIOS: Final = ("threshold", "quality_floor")
MAX_ROWS: Final = 1000
MAX_BYTES: Final = 4 * 1024 * 1024
LONGEST_NUMBER: Final = 40

# What a spreadsheet takes for a formula (OWASP "CSV Injection"), and what has been quoted because of it.
_FORMULA: Final = re.compile("'*[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]")
_BOM: Final = b"\xef\xbb\xbf"
_KEPT_WHEN_EMPTY: Final = ("slug", "name", "policy", "n_min")


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One slice of a file: where it stands there, and its fields as they were written."""

    number: int
    fields: Mapping[str, Any]


def as_fields(row: Slice) -> dict[str, Any]:
    """A slice as POST /v1/slices takes it, numbers as decimals."""
    stored = definition_of(row)
    fields = {name: getattr(stored, name) for name in COLUMNS}
    return fields | {"owner": row.owner.email if row.owner else None}


def as_plain_fields(row: Slice) -> dict[str, Any]:
    """The same with JSON numbers."""
    fields = as_fields(row)
    return fields | {name: None if fields[name] is None else float(fields[name]) for name in RATIOS}


def json_file(rows: Iterable[Slice]) -> str:
    """The slices as a JSON list."""
    return json.dumps([as_plain_fields(row) for row in rows], indent=2, ensure_ascii=False) + "\n"


def csv_file(rows: Iterable[Slice]) -> str:
    """The slices as CSV with a header."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in as_plain_fields(row).items()})
    return written.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def as_plain_rows(rows: Iterable[SliceRow]) -> list[dict[str, Any]]:
    """Rows that were read, to be read again: numbers that could be read as strings, all else as it came."""
    return [
        {name: str(value) if isinstance(value, Decimal) else value for name, value in row.fields.items()}
        for row in rows
    ]


def read_slices(body: bytes) -> list[SliceRow]:
    """The rows of a JSON or CSV file; `Invalid` with every row that cannot be read."""
    if len(body) > MAX_BYTES:
        raise invalid("file", f"At most {MAX_BYTES:,} bytes are taken; this file has {len(body):,}.")
    content = body.removeprefix(_BOM).strip()
    if not content:
        raise invalid("file", "The file is empty; export the slices to see what one looks like.")
    return _read_json(content) if content[:1] in (b"[", b"{") else _read_csv(content)


def rows_of(entries: object) -> list[SliceRow]:
    """The rows of a JSON list of slices."""
    if not isinstance(entries, list) or not entries:
        raise invalid("slices", "Give a list with at least one slice, as the export writes it.")
    if len(entries) > MAX_ROWS:
        raise invalid("slices", f"Has {len(entries):,} slices; at most {MAX_ROWS:,} are taken at once.")
    wrong = [number for number, entry in enumerate(entries, start=1) if not isinstance(entry, dict)]
    if wrong:
        raise _refused([FieldError(f"row {number}", "Must be a JSON object with a slug.") for number in wrong])
    return [SliceRow(number, _with_decimals(entry)) for number, entry in enumerate(entries, start=1)]


def _read_json(content: bytes) -> list[SliceRow]:
    try:
        value = strict_loads(content, max_bytes=MAX_BYTES)
    except BundleError as error:
        raise invalid("file", f"This is no JSON: {error.problems[0].message}") from error
    if isinstance(value, dict) and set(value) != {"slices"}:
        raise invalid("file", 'Write a list of slices, or {"slices": […]} with that list and nothing beside it.')
    return rows_of(value["slices"] if isinstance(value, dict) else value)


def _read_csv(content: bytes) -> list[SliceRow]:
    try:
        lines = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
        header, *records = [(lines.line_num, record) for record in lines if any(record)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise invalid("file", f"This is no CSV in UTF-8: {error}.") from error
    columns = [name.strip() for name in header[1]]
    _check_header(columns)
    if not 0 < len(records) <= MAX_ROWS:
        raise invalid("file", f"Give 1 to {MAX_ROWS:,} slices below the header; there are {len(records):,}.")
    problems = [
        FieldError(f"row {number}", f"Has {len(cells)} cells where the header has {len(columns)}.")
        for number, cells in records
        if len(cells) != len(columns)
    ]
    if problems:
        raise _refused(problems)
    return [SliceRow(number, _with_decimals(_from_cells(columns, cells))) for number, cells in records]


def _check_header(columns: list[str]) -> None:
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or "slug" not in columns or len(set(columns)) < len(columns):
        said = f"Unknown: {', '.join(unknown)[:200]}. " if unknown else ""
        raise invalid("file", f"{said}The first row names each column once, slug among them: {', '.join(COLUMNS)}.")


def _from_cells(columns: list[str], cells: list[str]) -> dict[str, Any]:
    given = {name: text.strip() for name, text in zip(columns, cells, strict=True)}
    kept = {name: text for name, text in given.items() if text or name not in _KEPT_WHEN_EMPTY}
    return {name: _from_cell(name, text) for name, text in kept.items()}


def _from_cell(name: str, text: str) -> Any:
    if not text and name != "description":
        return None
    if name == "n_min" and text.isascii() and text.isdecimal():
        return int(text[:LONGEST_NUMBER])
    if name == "match":
        try:
            return strict_loads(text)
        except BundleError:
            return text
    return text.removeprefix("'") if _FORMULA.match(text) else text


def _with_decimals(entry: Mapping[str, Any]) -> dict[str, Any]:
    return dict(entry) | {name: _decimal(entry[name]) for name in RATIOS if name in entry}


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > LONGEST_NUMBER:
        return value
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return value


def _refused(errors: list[FieldError]) -> Invalid:
    first = errors[0]
    return Invalid(f"{len(errors):,} rows cannot be read. {first.field}: {first.message}", errors=errors)
