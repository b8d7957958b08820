"""Files of grades: JSON lines or CSV with case_id, answer_id, rater and grade. Pure.

Row numbers are the line of JSON lines and the record of CSV (its header is row 1), as in suite files.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gates.suite_files.cases import MAX_NAME, Scale, read_grade
from gates.suite_files.rows import CSV, JSON_LINES, Row, read_rows
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid, invalid

FIELDS: Final = ("case_id", "answer_id", "rater", "grade")
FORMATS: Final = (JSON_LINES, CSV)
MOST_ROWS: Final = 20_000
MOST_LISTED: Final = 1_000
PERSON_PREFIX: Final = "prn_"


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade, and the row that it stands in."""

    row: int
    case_id: str
    answer_id: str
    rater: str
    grade: float


def read_grades(body: bytes, file_format: str, scale: Scale) -> list[Grade]:
    """Every grade, or `Invalid` with every problem and its row."""
    if file_format not in FORMATS:
        raise invalid("format", f"Send grades as one of {', '.join(FORMATS)}.")
    problems: list[FieldError] = []
    grades: dict[tuple[str, str, str], Grade] = {}
    count = 0
    for row in _rows(body, file_format):
        count += 1
        try:
            grade = _grade(row, scale)
        except BundleError as error:
            problems += [problem_in(row.number, f"{each.field}: {each.message}") for each in error.problems]
            continue
        key = (grade.case_id, grade.answer_id, grade.rater)
        if key in grades:
            first = grades[key].row
            problems.append(problem_in(row.number, f"This rater's grade of this answer stands in row {first} already."))
        grades.setdefault(key, grade)
    if not problems and not 1 <= count <= MOST_ROWS:
        raise invalid("body", f"Send 1 to {MOST_ROWS:,} grades; this file has {count:,}.")
    refuse(problems, count)
    return list(grades.values())


def problem_in(row: int, message: str) -> FieldError:
    """What is wrong with one row."""
    return FieldError(f"row {row}", message)


def refuse(problems: list[FieldError], count: int) -> None:
    """Raise `Invalid` with these problems, if there are any."""
    if problems:
        rows = len({problem.field for problem in problems})
        detail = f"Nothing was added: {rows:,} of {count:,} rows are wrong. {problems[0].field}: {problems[0].message}"
        raise Invalid(detail, code="bad_rows", errors=problems[:MOST_LISTED])


def _rows(body: bytes, file_format: str) -> Iterator[Row]:
    if file_format == JSON_LINES:
        return read_rows(body, JSON_LINES)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        return iter([Row(line, line, problem="Not valid UTF-8; save the file as UTF-8.")])
    return _csv_rows(text)


def _csv_rows(text: str) -> Iterator[Row]:
    records = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(records, start=1):
            if not header:
                header = cells
                if sorted(header) != sorted(FIELDS):
                    yield Row(1, 1, problem=f"The first row must name these columns: {', '.join(FIELDS)}.")
                    return
            elif any(cells):
                yield _csv_row(number, records.line_num, header, cells)
    except csv.Error as error:
        yield Row(number + 1, records.line_num, problem=f"Not CSV: {error}. Nothing after it was read.")


def _csv_row(number: int, line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        return Row(number, line, problem=f"Has {len(cells)} cells for {len(header)} columns.")
    value: dict[str, Any] = dict(zip(header, cells, strict=True))
    try:
        value["grade"] = float(value["grade"])
    except ValueError:
        return Row(number, line, problem=f"grade: {value['grade'][:80]!r} is no number.")
    return Row(number, line, value)


def _grade(row: Row, scale: Scale) -> Grade:
    reader = Reader()
    if row.problem:
        reader.refuse("row", row.problem)
        reader.close()
    fields = reader.closed(row.value, "row", FIELDS)
    case_id, answer_id, rater = (
        reader.text(fields.get(name), name, at_most=MAX_NAME) for name in ("case_id", "answer_id", "rater")
    )
    if rater.startswith(PERSON_PREFIX):
        reader.refuse("rater", "This is how people of relcontrol are called here; give the rater another name.")
    grade = read_grade(reader, fields.get("grade"), "grade", scale)
    reader.close()
    return Grade(row.number, case_id, answer_id, rater, grade)
