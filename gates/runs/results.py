"""One row of the results that CI sends: an answer of the candidate to a case of the suite, with its score.

Pure. A row is closed and checked as a row of a suite file is. A score belongs to an answer, so a row names its answer
or brings its text; a score that could not be had is null and counts as missing, never as 0. Rescores are fresh scores
of this answer and of the previous release's to the same case, for cases whose score dropped (rule R9).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.suite_files.cases import MAX_GRADE, MAX_NAME, MAX_TEXT, Scale, answer_id_of, read_grades
from relcontrol.bundle.errors import item, under
from relcontrol.bundle.reading import Reader

FIELDS: Final = (
    "case_id",
    "output",
    "answer_id",
    "score",
    "scores",
    "rescores",
    "previous_rescores",
    "human_scores",
    "raters",
    "reason",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "error",
)
MAX_NAMED_SCORES: Final = 20
MAX_RESCORES: Final = 100
MAX_REASON: Final = 10_000
MAX_TOKENS: Final = 2_000_000_000
MAX_LATENCY_MS: Final = 86_400_000.0
SCORE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")
DIGEST_MARK: Final = "sha256:"
OTHER_ANSWER: Final = "grades_of_other_answers"


@dataclass(frozen=True, slots=True)
class Result:
    """One row. `ratings` are (rater, grade) as they were sent with it."""

    case_id: str
    answer_id: str
    output: str | None
    score: float | None
    scores: Mapping[str, float | None] | None
    rescores: tuple[float, ...]
    previous_rescores: tuple[float, ...]
    ratings: tuple[tuple[str, float], ...]
    reason: str | None
    latency_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    error: str | None


def read_result(value: object, *, scale: Scale, grade_scale: Scale | None) -> Result:
    """The result in one row. Raises `BundleError` with every problem of the row."""
    reader = Reader()
    fields = reader.closed(value, "", FIELDS)
    if not isinstance(value, dict):
        reader.close()
    output, error = _text(reader, fields, "output", MAX_TEXT), _text(reader, fields, "error", MAX_REASON)
    rescores = _rescores(reader, fields, "rescores", scale)
    previous = _rescores(reader, fields, "previous_rescores", scale)
    if len(rescores) != len(previous):
        message = "Score both releases' answers again, the same number of times."
        reader.refuse("previous_rescores", message)
    result = Result(
        case_id=reader.text(fields.get("case_id"), "case_id", at_most=MAX_NAME),
        answer_id=_answer_id(reader, fields, output, error),
        output=output,
        score=_score(reader, fields, scale, error),
        scores=_named_scores(reader, fields.get("scores")),
        rescores=rescores,
        previous_rescores=previous,
        ratings=_grades(reader, fields, grade_scale),
        reason=_text(reader, fields, "reason", MAX_REASON),
        latency_ms=_number(reader, fields.get("latency_ms"), "latency_ms", (0.0, MAX_LATENCY_MS)),
        input_tokens=_tokens(reader, fields, "input_tokens"),
        output_tokens=_tokens(reader, fields, "output_tokens"),
        error=error,
    )
    reader.close()
    return result


def _text(reader: Reader, fields: Mapping[str, Any], name: str, at_most: int) -> str | None:
    value = fields.get(name)
    return None if value is None else reader.text(value, name, at_most=at_most, empty=name == "output")


def _grades(reader: Reader, fields: Mapping[str, Any], scale: Scale | None) -> tuple[tuple[str, float], ...]:
    graded = fields.get("human_scores") is not None or fields.get("raters") is not None
    return read_grades(reader, fields, "", scale) if graded else ()


def _answer_id(reader: Reader, fields: Mapping[str, Any], output: str | None, error: str | None) -> str:
    """The sender's name of the answer, else the digest of its text, else (a failed call) that it has none."""
    named = fields.get("answer_id")
    name = None if named is None else reader.text(named, "answer_id", at_most=MAX_NAME)
    if name is None and output is None:
        if error is None:
            message = "Give the answer's text as `output` or its name as `answer_id`: a score belongs to an answer."
            reader.refuse("output", message, "required")
        return "failed"
    digest = None if output is None else answer_id_of(output)
    if name and digest and name.startswith(DIGEST_MARK) and name != digest:
        reader.refuse(
            "answer_id", f"This is the digest of another text; that of this output is {digest}.", OTHER_ANSWER
        )
    return name or digest or ""


def _score(reader: Reader, fields: Mapping[str, Any], scale: Scale, error: str | None) -> float | None:
    score = _number(reader, fields.get("score"), "score", scale)
    if score is not None and error is not None:
        reader.refuse("score", "An answer that failed has no score; leave one of score and error out.")
    return score


def _number(reader: Reader, value: object, field: str, limits: Scale) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        reader.refuse(field, "Must be a finite number, or null where there is none.", "wrong_type")
        return None
    if not limits[0] <= value <= limits[1]:
        message = f"{value:g} lies outside {limits[0]:g} to {limits[1]:g}."
        reader.refuse(field, message, "out_of_range")
        return None
    return float(value) + 0.0


def _named_scores(reader: Reader, value: object) -> dict[str, float | None] | None:
    if value is None:
        return None
    entries = reader.mapping(value, "scores")
    if len(entries) > MAX_NAMED_SCORES:
        reader.refuse("scores", f"At most {MAX_NAMED_SCORES} named scores are taken.", "too_many")
        return None
    for name in entries:
        if not SCORE_NAME.fullmatch(name):
            reader.refuse("scores", f"{name[:80]!r} is no name of a score: use letters, digits, '.', '_' and '-'.")
    limits = (-float(MAX_GRADE), float(MAX_GRADE))
    return {name: _number(reader, entry, under("scores", name[:80]), limits) for name, entry in entries.items()}


def _rescores(reader: Reader, fields: Mapping[str, Any], name: str, scale: Scale) -> tuple[float, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    entries = reader.items(value, name, at_most=MAX_RESCORES)
    scores = [_number(reader, entry, item(name, index), scale) for index, entry in enumerate(entries)]
    if None in scores:
        reader.refuse(name, "Leave draws that gave no score out, here and for the other release.")
    return tuple(score for score in scores if score is not None)


def _tokens(reader: Reader, fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    return None if value is None else reader.integer(value, name, low=0, high=MAX_TOKENS)
