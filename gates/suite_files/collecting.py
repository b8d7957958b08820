"""A whole suite from its rows: all cases, or all problems (api.md: row-numbered errors, all of them).

Pure. The first `MAX_LISTED` problems are listed and all are counted. A slice that does not exist is one problem,
however many rows name it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gates.suite_files.cases import Case, Scale, read_case
from gates.suite_files.digests import RatingKey, ratings_digest, suite_digest
from gates.suite_files.rows import Row
from relcontrol.bundle.errors import BundleError
from relcontrol.errors import FieldError, Invalid

MAX_LISTED: Final = 1000
MAX_MESSAGE: Final = 500
MAX_SLUG: Final = 100
MAX_CASES: Final = 200_000


@dataclass(frozen=True)
class SuiteContent:
    """The cases of a suite, sorted by case_id."""

    cases: tuple[Case, ...]

    @cached_property
    def sha256(self) -> str:
        """The suite's digest."""
        return suite_digest(self.cases)

    @cached_property
    def ratings_sha256(self) -> str:
        """The digest of the ratings that came with it."""
        return ratings_digest(self.ratings())

    def ratings(self) -> Iterator[tuple[RatingKey, float]]:
        """Every rating as ((case_id, answer_id, rater), grade)."""
        for case in self.cases:
            for answer in case.answers:
                for rater, grade in answer.ratings:
                    yield (case.case_id, answer.answer_id, rater), grade

    def slice_counts(self) -> dict[str, int]:
        """Cases per slice, by slug."""
        counts: dict[str, int] = {}
        for case in self.cases:
            counts[case.slice] = counts.get(case.slice, 0) + 1
        return dict(sorted(counts.items()))

    def answer_count(self) -> int:
        """How many graded answers there are."""
        return sum(len(case.answers) for case in self.cases)


class SuiteCollector:
    """Takes rows one by one; `finished` gives the suite or raises everything that is wrong with it."""

    def __init__(self, slices: Collection[str], scale: Scale | None) -> None:
        self.slices = frozenset(slices)
        self.scale = scale
        self.cases: list[Case] = []
        self.row_of: dict[str, int] = {}
        self.listed: list[tuple[int, str]] = []
        self.problem_count = 0
        self.unknown_slices: dict[str, list[int]] = {}

    @property
    def is_full(self) -> bool:
        """No more rows are taken."""
        return len(self.row_of) > MAX_CASES

    def take(self, row: Row) -> None:
        """One row."""
        if row.problem:
            self._refuse(row.number, row.problem)
            return
        self._note_slice(row)
        try:
            case = read_case(row.value, self.scale)
        except BundleError as error:
            for problem in error.problems:
                self._refuse(row.number, f"{problem.field}: {problem.message}" if problem.field else problem.message)
            return
        self._keep(row.number, case)

    def finished(self) -> SuiteContent:
        """The suite; `Invalid` with every row's problems where there is one."""
        for slug, rows in self.unknown_slices.items():
            more = f" {len(rows):,} rows name it." if len(rows) > 1 else ""
            self._refuse(rows[0], f"slice: There is no slice {slug!r}.{more}")
        if self.is_full:
            self._refuse(MAX_CASES + 1, f"A suite holds at most {MAX_CASES:,} cases; split the file.")
        if self.problem_count:
            raise self._invalid()
        if not self.cases:
            raise Invalid("The file holds no case; every row must have case_id, slice and input.", code="empty_suite")
        return SuiteContent(tuple(sorted(self.cases, key=lambda case: case.case_id)))

    def _keep(self, number: int, case: Case) -> None:
        if first := self.row_of.get(case.case_id):
            message = f"case_id: {case.case_id!r} stands in row {first} already; put all its answers into one row."
            self._refuse(number, message)
            return
        self.row_of[case.case_id] = number
        if not self.problem_count and not self.unknown_slices:
            self.cases.append(case)

    def _note_slice(self, row: Row) -> None:
        """A slice that does not exist is told of wrong rows too."""
        slug = row.value.get("slice") if isinstance(row.value, dict) else None
        if isinstance(slug, str) and slug and slug not in self.slices:
            self.unknown_slices.setdefault(slug[:MAX_SLUG], []).append(row.number)

    def _refuse(self, number: int, message: str) -> None:
        self.problem_count += 1
        if len(self.listed) < MAX_LISTED:
            self.listed.append((number, message[:MAX_MESSAGE]))

    def _invalid(self) -> Invalid:
        errors = [FieldError(f"row {number}", message) for number, message in sorted(self.listed, key=lambda p: p[0])]
        many = self.problem_count > 1
        count = f"{self.problem_count:,} problems" if many else "one problem"
        detail = [f"Nothing was imported: the file has {count}."]
        if self.problem_count > MAX_LISTED:
            detail.append(f"The first {MAX_LISTED:,} are listed.")
        if self.unknown_slices:
            names = ", ".join(sorted(self.unknown_slices)[:100])
            detail.append(f"Unknown slices: {names}. Make them with POST /v1/slices, or correct the file.")
        code = "unknown_slices" if self.problem_count == len(self.unknown_slices) else "bad_rows"
        return Invalid(" ".join(detail), code=code, errors=errors)
