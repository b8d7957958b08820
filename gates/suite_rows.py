"""Writing many rows with COPY, within the caller's transaction: a suite's cases, answers and ratings, in seconds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model
from psycopg import sql

from gates.models import GradedAnswer, Rating, Slice, Suite, SuiteCase
from gates.suite_files.collecting import SuiteContent


def write_rows(suite: Suite, content: SuiteContent) -> None:
    """Every case of `content`, with its answers and their ratings."""
    slices = dict(Slice.objects.filter(organization=suite.organization).values_list("slug", "pk"))
    copy_rows(
        SuiteCase,
        ("suite_id", "case_id", "slice_id", "input", "reference", "cluster_id"),
        (
            (suite.pk, case.case_id, slices[case.slice], case.input, case.reference, case.cluster_id)
            for case in content.cases
        ),
    )
    if not content.answer_count():
        return
    # Keys are read before each COPY begins: while it runs, the connection answers nothing else.
    copy_rows(GradedAnswer, ("case_id", "answer_id", "output", "system"), _answers(content, _case_keys(suite)))
    copy_rows(Rating, ("answer_id", "rater", "grade"), _ratings(content, _answer_keys(suite)))


def _case_keys(suite: Suite) -> dict[str, int]:
    return dict(SuiteCase.objects.filter(suite=suite).values_list("case_id", "pk"))


def _answer_keys(suite: Suite) -> dict[tuple[str, str], int]:
    rows = GradedAnswer.objects.filter(case__suite=suite).values_list("case__case_id", "answer_id", "pk")
    return {(case_id, answer_id): key for case_id, answer_id, key in rows}


def _answers(content: SuiteContent, keys: Mapping[str, int]) -> Iterator[tuple[Any, ...]]:
    for case in content.cases:
        for answer in case.answers:
            yield keys[case.case_id], answer.answer_id, answer.output, answer.system


def _ratings(content: SuiteContent, keys: Mapping[tuple[str, str], int]) -> Iterator[tuple[Any, ...]]:
    for (case_id, answer_id, rater), grade in content.ratings():
        yield keys[case_id, answer_id], rater, grade


def copy_rows(model: type[Model], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Rows of a model, each with its values in the order of the columns."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for row in rows:
            copying.write_row(row)
