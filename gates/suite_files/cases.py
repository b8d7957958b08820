"""One row of a suite file as a case with its graded answers (api.md "Shapes", domain.md "Suite").

Pure. A row is closed: an unknown field is a problem, types are strict, texts are in NFC. A grade belongs to an answer:
an answer has a name that the sender gives or, where only its text is given, the digest of that text.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.bundle.canonical import nfc
from relcontrol.bundle.errors import item, under
from relcontrol.bundle.reading import Reader
from relcontrol.errors import invalid

MAX_TEXT: Final = 200_000
MAX_NAME: Final = 200
MAX_ANSWERS: Final = 100
MAX_SCORES: Final = 100
MAX_GRADE: Final = 1_000_000

CASE_FIELDS: Final = ("case_id", "slice", "input", "reference", "cluster_id", "answers")
ANSWER_FIELDS: Final = ("answer_id", "output", "system", "human_scores", "raters")

Scale = tuple[float, float]
_END = r"-?[0-9]{1,6}(?:\.[0-9]{1,4})?"
_SCALE = re.compile(rf"\s*(?P<low>{_END})\s*,\s*(?P<high>{_END})\s*")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that people graded; `ratings` are (rater, grade) in the order of the file."""

    answer_id: str
    output: str | None
    system: str | None
    ratings: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One question, the leaf slice it belongs to, and its graded answers."""

    case_id: str
    slice: str
    input: str
    reference: str | None
    cluster_id: str | None
    answers: tuple[Answer, ...]


def answer_id_of(output: str) -> str:
    """The name of an answer that was sent without one: `sha256:<hex>` over its text, NFC, UTF-8."""
    return f"sha256:{hashlib.sha256(nfc(output).encode()).hexdigest()}"


def read_case(value: object, scale: Scale | None) -> Case:
    """The case in one row. Raises `BundleError` with every problem of the row; grades must lie in `scale`."""
    reader = Reader()
    fields = reader.closed(value, "", CASE_FIELDS)
    if not isinstance(value, dict):
        reader.close()
    case = Case(
        case_id=reader.text(fields.get("case_id"), "case_id", at_most=MAX_NAME),
        slice=reader.text(fields.get("slice"), "slice", at_most=MAX_NAME),
        input=reader.text(fields.get("input"), "input", at_most=MAX_TEXT),
        reference=_optional(reader, fields, "reference", MAX_TEXT),
        cluster_id=_optional(reader, fields, "cluster_id", MAX_NAME),
        answers=_answers(reader, fields.get("answers"), scale),
    )
    reader.close()
    return case


def _optional(reader: Reader, fields: dict[str, Any], name: str, at_most: int, parent: str = "") -> str | None:
    value = fields.get(name)
    return None if value is None else reader.text(value, under(parent, name), at_most=at_most)


def _answers(reader: Reader, value: object, scale: Scale | None) -> tuple[Answer, ...]:
    if value is None:
        return ()
    entries = reader.items(value, "answers", at_most=MAX_ANSWERS)
    answers = tuple(_answer(reader, entry, item("answers", index), scale) for index, entry in enumerate(entries))
    seen: set[str] = set()
    for index, answer in enumerate(answers):
        if answer.answer_id in seen:
            message = f"The answer {answer.answer_id!r} stands twice in this case; put its grades together."
            reader.refuse(item("answers", index), message)
        seen.add(answer.answer_id)
    return answers


def _answer(reader: Reader, value: object, field: str, scale: Scale | None) -> Answer:
    fields = reader.closed(value, field, ANSWER_FIELDS)
    output = _optional(reader, fields, "output", MAX_TEXT, field)
    name = _optional(reader, fields, "answer_id", MAX_NAME, field)
    if name is None and output is None:
        reader.refuse(field, "Give the answer's text as `output` or its name as `answer_id`.", "required")
    return Answer(
        answer_id=name or answer_id_of(output or ""),
        output=output,
        system=_optional(reader, fields, "system", MAX_NAME, field),
        ratings=read_grades(reader, fields, field, scale),
    )


def read_grades(
    reader: Reader, fields: Mapping[str, Any], field: str, scale: Scale | None
) -> tuple[tuple[str, float], ...]:
    """The members `human_scores` and `raters` of one answer as (rater, grade)."""
    place = under(field, "human_scores")
    scores = reader.items(fields.get("human_scores"), place, at_most=MAX_SCORES)
    if scores == [] and isinstance(fields.get("human_scores"), list):
        reader.refuse(place, "Give at least one grade, or leave the answer out.", "required")
    grades = [read_grade(reader, score, item(place, index), scale) for index, score in enumerate(scores)]
    if fields.get("raters") is None:
        grades.sort()  # nobody is named, so the order of the grades says nothing and may change no digest
    raters = _raters(reader, fields.get("raters"), under(field, "raters"), len(grades))
    return tuple(zip(raters, grades, strict=True))


def read_grade(reader: Reader, value: object, field: str, scale: Scale | None) -> float:
    """A finite number within the scale."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        reader.refuse(field, "Must be a finite number.", "wrong_type")
    elif abs(value) > MAX_GRADE:
        reader.refuse(field, f"Must lie between -{MAX_GRADE:,} and {MAX_GRADE:,}.", "out_of_range")
    elif scale is not None and not scale[0] <= value <= scale[1]:
        reader.refuse(field, f"{value:g} is outside the grade scale {scale[0]:g} to {scale[1]:g}.", "out_of_range")
    else:
        return float(value) + 0.0  # -0.0 becomes 0.0, the only other spelling of the same number
    return 0.0


def _raters(reader: Reader, value: object, field: str, count: int) -> list[str]:
    """The raters' names; unnamed-1 … unnamed-k where the file names none."""
    unnamed = [f"unnamed-{number}" for number in range(1, count + 1)]
    if value is None:
        return unnamed
    given = reader.items(value, field, at_most=MAX_SCORES)
    names = [reader.text(name, item(field, index), at_most=MAX_NAME) for index, name in enumerate(given)]
    if len(names) != count:
        reader.refuse(field, f"Names {len(names)} raters for {count} grades; give one name for each grade.")
    elif len(set(names)) != count:
        reader.refuse(field, "A rater grades an answer once; one name stands here twice.")
    else:
        return names
    return unnamed


def read_scale(text: str) -> Scale | None:
    """The grade scale written as `1,5`; None for none. Raises `Invalid`."""
    if not text.strip():
        return None
    match = _SCALE.fullmatch(text)
    if match and float(match["low"]) < float(match["high"]):
        return float(match["low"]), float(match["high"])
    raise invalid("grade_scale", "Write the lowest and the highest grade, such as 1,5.")
