"""The answers that the demo's experts have graded, so that a judge can be measured against them.

Forty answers in each of four slices, from excellent to useless. In three of them the experts hold what the demo judge
holds too; in jurisdictional analysis they look at what it cannot see, so there it does not earn its place.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.demo.topics import DESK, TOPICS, Topic
from relcontrol.demo_models.draws import fraction, key_of

SUITE: Final = "graded-answers-v1"
SLICES: Final = ("contract-drafting", "regulatory-compliance", "jurisdictional-analysis", DESK.slug)
UNSEEN: Final = "jurisdictional-analysis"
ANSWERS: Final = 40
LEVELS: Final = 5
FIRST, *LATER = RATERS = ("expert-1", "expert-2", "expert-3")
# Shares of answers that all experts, and one by herself, hold for a step better or worse than they read.
ALL_DIFFER, ONE_DIFFERS = 0.6, 0.35
SENT_ELSEWHERE: Final = "That differs from place to place. Please consult a lawyer."


@dataclass(frozen=True, slots=True)
class Graded:
    """An answer, and the grade that each expert gave it, from 1 to 5."""

    case_id: str
    slice: str
    question: str
    reference: str
    output: str
    grades: tuple[int, ...]


def graded_answers() -> Iterator[Graded]:
    """All of them."""
    for topic in (*TOPICS, DESK):
        if topic.slug in SLICES:
            for number, (matter, party) in zip(range(ANSWERS), topic.questions(), strict=False):
                yield _graded(topic, number, matter, party)


def suite_lines() -> Iterator[dict[str, Any]]:
    """The suite: each case with its answer and the first expert's grade."""
    for each in graded_answers():
        answer = {"answer_id": _answer_id(each), "output": each.output}
        yield {
            "case_id": each.case_id,
            "slice": each.slice,
            "input": each.question,
            "reference": each.reference,
            "answers": [answer | {"human_scores": [each.grades[0]], "raters": [FIRST]}],
        }


def later_grades() -> bytes:
    """What the other experts gave, as the file that came from them."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("case_id", "answer_id", "rater", "grade"))
    for each in graded_answers():
        for rater, grade in zip(LATER, each.grades[1:], strict=True):
            writer.writerow((each.case_id, _answer_id(each), rater, grade))
    return file.getvalue().encode()


def _answer_id(each: Graded) -> str:
    return f"{each.case_id}-a"


def _graded(topic: Topic, number: int, matter: str, party: str) -> Graded:
    case_id = f"{topic.slug}-g{number + 1:03}"
    key = key_of(case_id)
    level = number % LEVELS + 1
    held = (
        int(fraction(key, "unseen") * LEVELS) + 1 if topic.slug == UNSEEN else _stepped(level, key, "all", ALL_DIFFER)
    )
    question = topic.question.format(matter=matter, party=party)
    return Graded(
        case_id,
        topic.slug,
        question[0].upper() + question[1:],
        topic.good.format(matter=matter, party=party),
        _answer(topic, matter, party, level),
        tuple(_stepped(held, key, rater, ONE_DIFFERS) for rater in RATERS),
    )


def _answer(topic: Topic, matter: str, party: str, level: int) -> str:
    """What an answer of this level says: the whole, most of it, half of it, the wrong thing, nothing."""
    good = topic.good.format(matter=matter, party=party)
    words = good.split()
    return {
        5: f"{good} {topic.caution}",
        4: f"{' '.join(words[: 3 * len(words) // 4])} …",
        3: f"{' '.join(words[: len(words) // 2])} …",
        2: topic.bad.format(matter=matter, party=party),
        1: SENT_ELSEWHERE,
    }[level]


def _stepped(level: int, key: bytes, who: str, share: float) -> int:
    """The level, or for a share of answers the next lower or higher one."""
    chance = fraction(key, who)
    step = -1 if chance < share / 2 else 1 if chance > 1 - share / 2 else 0
    return min(LEVELS, max(1, level + step))
