"""The body of a gate run: what was ordered, and every row of its results or every problem with them.

Pure. The order is read when the run is asked for, the rows when it is carried out. Known answers say which texts were
graded under which name: a row that brings another text under the same name would pair a score with another answer's
grades, and is refused (domain.md "Gate").
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.runs.order import RunOrder
from gates.runs.results import OTHER_ANSWER, Result, read_result
from gates.suite_files.cases import Scale, answer_id_of
from relcontrol.bundle.errors import BundleError, Problem
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid

ORDER_TEXTS: Final = ("suite", "judge", "parity", "branch", "commit", "feature_snapshot")
ORDER_FIELDS: Final = (
    "suite",
    "judge",
    "scale",
    "grade_scale",
    "parity",
    "branch",
    "commit",
    "feature_snapshot",
    "dry_run",
)
RESULTS: Final = "results"
OF_EVALUATIONS: Final = ("samples", "budget", "concurrency", "fresh")
MAX_RESULTS: Final = 200_000
MAX_LISTED: Final = 1_000
MAX_TEXT: Final = 300
MAX_END: Final = 1_000_000

ANY_SCALE: Final = (-float(MAX_END), float(MAX_END))

AnswerKey = tuple[str, str]


def read_order(body: Mapping[str, Any]) -> RunOrder:
    """What was ordered. Raises `Invalid` with every problem; the rows of `results` are not looked into."""
    reader = Reader()
    fields = reader.closed(dict(body), "", (*ORDER_FIELDS, RESULTS, *OF_EVALUATIONS))
    for name in OF_EVALUATIONS:
        if fields.get(name) is not None:
            reader.refuse(name, "This is for a run without results, which relcontrol answers and scores; leave it out.")
    order = RunOrder(
        **{name: read_text(reader, fields.get(name), name) for name in ORDER_TEXTS},
        scale=_scale(reader, fields.get("scale"), "scale"),
        grade_scale=_scale(reader, fields.get("grade_scale"), "grade_scale"),
        dry_run=read_truth(reader, fields.get("dry_run"), "dry_run"),
    )
    results = fields.get(RESULTS)
    if not isinstance(results, list):
        reader.refuse(RESULTS, "Send the list of answers with their scores, or leave it out to have both made here.")
    elif not 1 <= len(results) <= MAX_RESULTS:
        reader.refuse(RESULTS, f"Send 1 to {MAX_RESULTS:,} rows; this list has {len(results):,}.")
    if reader.problems:
        raise invalid_of(reader.problems)
    return order


def invalid_of(problems: Iterable[Problem]) -> Invalid:
    """These problems as the error that a caller gets."""
    errors = [FieldError(problem.field, problem.message) for problem in problems]
    return Invalid("; ".join(f"{error.field}: {error.message}" for error in errors[:3]), errors=errors)


def read_text(reader: Reader, value: object, field: str) -> str | None:
    """A short text that may be left out."""
    return None if value is None else reader.text(value, field, at_most=MAX_TEXT)


def read_truth(reader: Reader, value: object, field: str) -> bool:
    """True or false; false where it is left out."""
    if value is not None and not isinstance(value, bool):
        reader.refuse(field, "Must be true or false.", "wrong_type")
    return value is True


def _scale(reader: Reader, value: object, field: str) -> Scale | None:
    if value is None:
        return None
    ends = value if isinstance(value, list) else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(ends) != 2 or len(numbers) != 2 or not -MAX_END <= numbers[0] < numbers[1] <= MAX_END:
        reader.refuse(field, "Write the lowest and the highest value, such as [0, 1].")
        return None
    return float(numbers[0]), float(numbers[1])


@dataclass(frozen=True, slots=True)
class Expected:
    """What rows are held against: the judge's scale by case, digests of graded texts and grades by answer."""

    cases: Mapping[str, Scale]
    known_outputs: Mapping[AnswerKey, str]
    known_grades: Mapping[tuple[str, str, str], float]
    grade_scale: Scale | None


def read_results(rows: list[Any], expected: Expected) -> list[Result]:
    """Every row, sorted by case and answer; `Invalid` with every problem, each with its place, where there is one."""
    reading = _Reading(expected)
    for index, row in enumerate(rows):
        reading.take(index, row)
    if reading.count:
        raise reading.invalid()
    return sorted(reading.results, key=lambda result: (result.case_id, result.answer_id))


class _Reading:
    """The rows read so far and what is wrong with them; the first `MAX_LISTED` problems are listed, all counted."""

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.results: list[Result] = []
        self.place_of: dict[AnswerKey, int] = {}
        self.listed: list[FieldError] = []
        self.count = 0
        self.of_other_answers = False

    def take(self, index: int, row: object) -> None:
        """One row."""
        case_id = row.get("case_id") if isinstance(row, dict) else None
        try:
            scale = self.expected.cases.get(case_id, ANY_SCALE) if isinstance(case_id, str) else ANY_SCALE
            result = read_result(row, scale=scale, grade_scale=self.expected.grade_scale)
        except BundleError as error:
            for problem in error.problems:
                self.refuse(index, problem.field, problem.message, problem.code)
            return
        self._check(index, result)
        self.results.append(result)

    def refuse(self, index: int, field: str, message: str, code: str = "") -> None:
        """Note one problem."""
        self.count += 1
        self.of_other_answers = self.of_other_answers or code == OTHER_ANSWER
        if len(self.listed) < MAX_LISTED:
            self.listed.append(FieldError(f"{RESULTS}[{index}].{field}".rstrip("."), message))

    def invalid(self) -> Invalid:
        """What is wrong, as the error that the sender gets."""
        found = "one problem" if self.count == 1 else f"{self.count:,} problems"
        listed = f" The first {MAX_LISTED:,} are listed." if self.count > MAX_LISTED else ""
        code = OTHER_ANSWER if self.of_other_answers else "bad_results"
        first = self.listed[0]
        detail = f"Nothing was judged: the results have {found}.{listed} {first.field}: {first.message}"
        return Invalid(detail, code=code, errors=self.listed)

    def _check(self, index: int, result: Result) -> None:
        key = (result.case_id, result.answer_id)
        if result.case_id not in self.expected.cases:
            self.refuse(index, "case_id", f"The suite has no case {result.case_id[:80]!r}.")
        elif key in self.place_of:
            message = f"{RESULTS}[{self.place_of[key]}] is of this answer already; send each once."
            self.refuse(index, "answer_id", message)
        self.place_of.setdefault(key, index)
        graded = self.expected.known_outputs.get(key)
        if graded is not None and result.output is not None and graded != answer_id_of(result.output):
            message = (
                f"The answer {result.answer_id[:80]!r} of this case was graded with another text: its grades cannot be "
                "used for this one. Give the new answer a name of its own, or leave answer_id out."
            )
            self.refuse(index, "output", message, OTHER_ANSWER)
        for rater, grade in result.ratings:
            if self.expected.known_grades.get((*key, rater), grade) != grade:
                self.refuse(index, "human_scores", f"{rater} has graded this answer otherwise; a grade never changes.")
