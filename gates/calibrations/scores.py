"""Scores that were sent for an external judge: `{case_id, answer_id, score}` of answers that a suite has grades of.

Pure. All rows, or every problem with its row; a score that is null is one that the judge did not give.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gates.statistics.limits import meets
from gates.suite_files.cases import MAX_NAME, Scale
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid, invalid

FIELDS: Final = ("case_id", "answer_id", "score")
MOST_SCORES: Final = 50_000
MOST_LISTED: Final = 1_000

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Row:
    key: Key
    score: float | None


def read_scores(rows: Sequence[Any], graded: Collection[Key], scale: Scale) -> dict[Key, float | None]:
    """The score of each graded answer that was sent. Raises `Invalid` with every problem and its row."""
    if not 1 <= len(rows) <= MOST_SCORES:
        raise invalid("scores", f"Send 1 to {MOST_SCORES:,} scores; this list has {len(rows):,}.")
    errors: list[FieldError] = []
    found: dict[Key, float | None] = {}
    for index, row in enumerate(rows):
        try:
            read = _read(row, graded, scale)
        except BundleError as error:
            errors += [FieldError(f"scores[{index}].{p.field}".rstrip("."), p.message) for p in error.problems]
            continue
        if read.key in found:
            errors.append(FieldError(f"scores[{index}]", "This answer has a score in an earlier row already."))
        found[read.key] = read.score
    if errors:
        detail = f"Nothing was measured: {len(errors):,} problems in {len(rows):,} rows. {errors[0].field}: "
        raise Invalid(detail + errors[0].message, code="bad_rows", errors=errors[:MOST_LISTED])
    return found


def _read(row: object, graded: Collection[Key], scale: Scale) -> _Row:
    reader = Reader()
    fields = reader.closed(row, "", FIELDS)
    case_id, answer_id = (reader.text(fields.get(name), name, at_most=MAX_NAME) for name in ("case_id", "answer_id"))
    score = _score(reader, fields, scale)
    if case_id and answer_id and (case_id, answer_id) not in graded:
        reader.refuse("answer_id", f"No answer {answer_id[:80]!r} of case {case_id[:80]!r} has a grade in this suite.")
    reader.close()
    return _Row((case_id, answer_id), score)


def _score(reader: Reader, fields: Mapping[str, Any], scale: Scale) -> float | None:
    value = fields.get("score")
    low, high = scale
    if value is None:
        if "score" not in fields:
            reader.refuse("score", "Give the score, or null where the judge gave none.")
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        reader.refuse("score", "Must be a number, or null where the judge gave none.", "wrong_type")
    elif not (meets(value, low) and meets(high, value)):
        reader.refuse("score", f"This judge scores from {low:g} to {high:g}.", "out_of_range")
    else:
        return min(max(float(value), low), high) + 0.0  # -0.0 becomes 0.0
    return None
