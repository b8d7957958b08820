"""Rows of a suite file: JSON lines, CSV and YAML, read one by one, each with its number.

Pure. Lines end at line feeds only, since texts hold U+2028 and its kin. A row number is the line for JSON lines, the
record for CSV (its header is row 1, as a spreadsheet shows it), the item for YAML.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from gates.suite_files.cases import ANSWER_FIELDS, CASE_FIELDS
from gates.suite_files.yaml_rows import YamlStopError, yaml_items
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.strict_json import strict_loads
from relcontrol.errors import invalid

JSON_LINES: Final = "jsonl"
CSV: Final = "csv"
YAML: Final = "yaml"
FORMATS: Final = (JSON_LINES, CSV, YAML)
MAX_ROW_BYTES: Final = 8 * 1024 * 1024
LIST_SEPARATOR: Final = ";"

_BY_NAME: Final = {
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".json": JSON_LINES,
    ".csv": CSV,
    ".yaml": YAML,
    ".yml": YAML,
}
_BY_TYPE: Final = {
    "text/csv": CSV,
    "application/csv": CSV,
    "application/yaml": YAML,
    "application/x-yaml": YAML,
    "text/yaml": YAML,
    "text/x-yaml": YAML,
}
_REQUIRED_COLUMNS: Final = ("case_id", "slice", "input")
_COLUMNS: Final = (*CASE_FIELDS, *ANSWER_FIELDS)
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_BOM: Final = b"\xef\xbb\xbf"

# The limit is one for the process; a cell may be as long as a row of the other formats.
csv.field_size_limit(MAX_ROW_BYTES)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its number, the line of the file that was reached, and its value or why it has none."""

    number: int
    line: int
    value: Any = None
    problem: str = ""


def format_of(*, named: str = "", file_name: str = "", content_type: str = "") -> str:
    """The format that is named, else the file name's, else the content type's, else JSON lines."""
    if named:
        if named not in FORMATS:
            raise invalid("format", f"Use one of {', '.join(FORMATS)}.")
        return named
    suffix = PurePosixPath(file_name.replace("\\", "/")).suffix.lower()
    media = content_type.partition(";")[0].strip().lower()
    return _BY_NAME.get(suffix) or _BY_TYPE.get(media) or JSON_LINES


def count_lines(body: bytes) -> int:
    """How many lines there are to read, for progress."""
    return body.count(b"\n") + (not body.endswith(b"\n"))


def read_rows(body: bytes, file_format: str) -> Iterator[Row]:
    """The rows of a file in order; blank ones are skipped. A file that cannot be read on ends with its problem."""
    content = body.removeprefix(_BOM)
    if file_format == JSON_LINES:
        return _json_rows(content)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return iter([Row(line, line, problem="Not valid UTF-8; save the file as UTF-8.")])
    return _csv_rows(text) if file_format == CSV else _yaml_rows(text)


def _json_rows(body: bytes) -> Iterator[Row]:
    for number, line in enumerate(io.BytesIO(body), start=1):
        if line.isspace():
            continue
        try:
            yield Row(number, number, strict_loads(line.removesuffix(b"\n"), max_bytes=MAX_ROW_BYTES))
        except BundleError as error:
            # strict_loads counts lines within its text, which is this one line.
            message = error.problems[0].message.replace("(line 1, column", "(column")
            yield Row(number, number, problem=message)


def _yaml_rows(text: str) -> Iterator[Row]:
    number = line = 0
    try:
        for number, found in enumerate(yaml_items(text), start=1):
            line = found.line
            yield Row(number, line, found.value, found.fault)
    except YamlStopError as error:
        yield Row(number + 1, line, problem=f"{error} Nothing after it was read.")


def _csv_rows(text: str) -> Iterator[Row]:
    records = csv.reader(io.StringIO(text, newline="\n"), strict=True)
    header: list[str] | None = None
    number = 0
    while True:
        number += 1
        try:
            cells = next(records, None)
        except csv.Error as error:
            yield Row(number, records.line_num, problem=f"Not CSV: {error}.")
            continue
        if cells is None:
            return
        if header is None:
            header = cells
            if problem := _header_problem(header):
                yield Row(number, records.line_num, problem=problem)
                return
        elif any(cells):
            yield _csv_row(number, records.line_num, header, cells)


def _header_problem(header: list[str]) -> str:
    known = ", ".join(_COLUMNS)
    if missing := [name for name in _REQUIRED_COLUMNS if name not in header]:
        return f"The first row must name the columns; missing: {', '.join(missing)}. Columns known here: {known}."
    if unknown := sorted(set(header) - set(_COLUMNS)):
        return f"Unknown columns: {', '.join(repr(name[:80]) for name in unknown)}. Columns known here: {known}."
    return "A column stands twice in the first row; keep one." if len(set(header)) < len(header) else ""


def _csv_row(number: int, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        return Row(number, line, problem=f"Has {len(cells)} cells for {len(header)} columns.")
    filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
    value: dict[str, Any] = {name: filled[name] for name in CASE_FIELDS if name in filled}
    try:
        if answer := _csv_answer({name: filled[name] for name in ANSWER_FIELDS if name in filled}):
            if "answers" in value:
                return Row(number, line, problem="Use the column `answers` or the columns of one answer, not both.")
            value["answers"] = [answer]
        elif "answers" in value:
            value["answers"] = strict_loads(value["answers"], max_bytes=MAX_ROW_BYTES)
    except BundleError as error:
        return Row(number, line, problem=f"answers: {error.problems[0].message}")
    return Row(number, line, value)


def _csv_answer(filled: dict[str, str]) -> dict[str, Any]:
    """One answer from its columns; grades and raters are lists with ';' between."""
    answer: dict[str, Any] = dict(filled)
    if scores := filled.get("human_scores"):
        answer["human_scores"] = [_csv_number(score.strip()) for score in scores.split(LIST_SEPARATOR)]
    if raters := filled.get("raters"):
        answer["raters"] = [rater.strip() for rater in raters.split(LIST_SEPARATOR)]
    return answer


def _csv_number(text: str) -> float | str:
    """The number, or the text itself, which the case then refuses at its place."""
    return float(text) if _NUMBER.fullmatch(text) else text
