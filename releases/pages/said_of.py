"""What was said of an answer since it was served, as the pages of a request and of its lineage show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any, Final

from audit.names import Names
from releases.lineage.ratings import Rating
from releases.measuring.feedback import GRADES
from releases.observer_models import ObservedAnswer
from releases.trace_models import Feedback

WORDS: Final = {
    (Feedback.Kind.THUMB.value, 1.0): "a thumb up",
    (Feedback.Kind.THUMB.value, -1.0): "a thumb down",
    (Feedback.Kind.OUTCOME.value, 1.0): "the task is done",
    (Feedback.Kind.OUTCOME.value, 0.0): "the task is not done",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One saying: in words, by whom, when."""

    words: str
    by: str
    at: datetime


def said_of(
    feedback: Sequence[Feedback], ratings: Sequence[Rating], observed: Sequence[ObservedAnswer], names: Names
) -> dict[str, Any]:
    """The context of `releases/lineage/feedback.html`; `grade` is the raters' mean on [0, 1]."""
    return {
        "feedback": [Said(feedback_words(row), names.of(row.created_by), row.created_at) for row in feedback],
        "observed": observed,
        "grade": fmean(row.grade for row in ratings) if ratings else None,
    }


def feedback_words(row: Feedback) -> str:
    """Such as: a thumb down; grade 2 of 1 to 5; groundedness 0.25; label: wrong clause."""
    if row.value is None:
        return f"{row.name or 'label'}: {row.label}"
    if row.kind == Feedback.Kind.LABEL and row.name in GRADES:
        low, high = GRADES[row.name]
        return f"grade {row.value:g} of {low:g} to {high:g}"
    return WORDS.get((row.kind, row.value), f"{row.name or row.kind} {row.value:g}")
