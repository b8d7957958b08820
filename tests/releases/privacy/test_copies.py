"""Every column that could hold what a live request said is registered as a copy, or says why it never holds one."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db.models import BinaryField, CharField, Field, JSONField, TextField

import releases
from releases.privacy.copies import COPIES, FEEDBACK, WORDS, columns_of_copies
from releases.privacy.elsewhere import ELSEWHERE

LONG_ENOUGH = 100  # a shorter text is an id, a word or a digest
TELLING = ("sealed", "subject", "body", "answers", "input", "output", "comment", "reason", "label")


def could_hold(field: "Field[Any, Any]") -> bool:
    """Whether a column could hold a text of somebody."""
    if isinstance(field, (BinaryField, TextField, JSONField, ArrayField)) or field.name in TELLING:
        return True
    return isinstance(field, CharField) and not field.choices and (field.max_length or LONG_ENOUGH) >= LONG_ENOUGH


def all_columns() -> Iterator[str]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if could_hold(field):
                yield f"{model._meta.label}.{field.name}"


def test_every_column_that_could_hold_a_copy_is_in_one_of_the_two_lists() -> None:
    unknown = set(all_columns()) - columns_of_copies() - set(ELSEWHERE)
    assert unknown == set(), "register it in releases/privacy/copies.py, or say in elsewhere.py why it holds none"


def test_neither_list_names_what_is_not_there_or_is_in_the_other() -> None:
    assert (columns_of_copies() | set(ELSEWHERE)) - set(all_columns()) == set()
    assert columns_of_copies() & set(ELSEWHERE) == set()


def test_whatever_is_sealed_for_a_subject_is_a_copy() -> None:
    for model in apps.get_models():
        names = {field.name for field in model._meta.local_concrete_fields}
        if "subject" in names and names & {"sealed", "body", "answers"}:
            assert model in {copy.model for copy in COPIES}, model


def test_every_kind_has_words_for_people() -> None:
    assert set(WORDS) == {copy.name for copy in COPIES} | {FEEDBACK}
    assert all(reason.endswith(".") for reason in ELSEWHERE.values())


def test_what_people_were_told_is_never_scored_through_the_cache_of_calls() -> None:
    """`KnownCall` keeps calls in clear: nothing in `releases` but evaluation, which is of suites, may write there."""
    cached = [
        f"{file.name}:{call.lineno}"
        for file in Path(releases.__path__[0]).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Scoring"
        if not any(one.arg == "cached" and getattr(one.value, "value", None) is False for one in call.keywords)
    ]
    assert cached == []
