"""The demo's answers: what each release said to each question, how the judge scored it and the experts graded it.

The second release is a little better everywhere. The third is better too, but on IP licensing: nineteen answers state
the opposite of the rule, and its judge no longer ranks answers there as the experts do.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

from relcontrol.demo.scores import EXPERTS, GAIN, graded, scores_of
from relcontrol.demo.topics import TOPICS, Topic

JUDGE: Final = "external:legal-judge@9"
GRADE_SCALE: Final = (1.0, 5.0)
# Points of 100 that the nineteen answers lost.
LOST: Final = (53, 41, 34, 31, 23, 18, 17, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 6, 5)
FIRST, PASSED, FAILED = range(3)
WRONG: Final = "States the opposite of the rule on silence in a licence, and drops the advice to amend."


def cases() -> Iterator[dict[str, str]]:
    """The suite."""
    for topic in TOPICS:
        for number, (matter, party) in enumerate(topic.questions(), start=1):
            question = topic.question.format(matter=matter, party=party)
            yield {
                "case_id": case_id(topic, number),
                "slice": topic.slug,
                "input": question[0].upper() + question[1:],
                "reference": topic.good.format(matter=matter, party=party),
            }


def case_id(topic: Topic, number: int) -> str:
    """ip-licensing-017."""
    return f"{topic.slug}-{number:03}"


@cache
def results_of(release: int) -> list[dict[str, Any]]:
    """The rows that CI would send for the first, the passed or the failed release. Nobody changes them."""
    return [row for place, topic in enumerate(TOPICS) for row in _rows(topic, 100 * place, release)]


def _rows(topic: Topic, seed: int, release: int) -> Iterator[dict[str, Any]]:
    drops = [points / 100 for points in LOST] if release == FAILED and topic.slug == "ip-licensing" else []
    scores = scores_of(seed, topic.count, lift=GAIN * release, drops=drops)
    before = scores_of(seed, topic.count, lift=GAIN * (release - 1))
    made = graded(seed + 1, scores, topic.agreement[release == FAILED])
    for place, (matter, party) in enumerate(topic.questions()):
        lost = bool(drops) and before[place] - scores[place] > 0
        yield {
            "case_id": case_id(topic, place + 1),
            "output": _answer(topic, matter, party, release, wrong=lost),
            "score": scores[place],
            "human_scores": list(made.grades[place]),
            "raters": list(EXPERTS),
            "latency_ms": 700 + (37 * place) % 500,
            "input_tokens": 190 + place % 40,
            "output_tokens": 120 + (7 * place) % 60 + 3 * release,
            **(_again(scores[place], before[place]) if lost else {}),
        }


def _again(score: float, before: float) -> dict[str, Any]:
    """Three fresh scores of both answers, which confirm the drop."""
    return {"rescores": _around(score), "previous_rescores": _around(before), "reason": WRONG}


def _around(score: float) -> Sequence[float]:
    return [round(score + step, 3) for step in (-0.004, 0.0, 0.004)]


def _answer(topic: Topic, matter: str, party: str, release: int, *, wrong: bool) -> str:
    """What a release says: the second adds what decides, as its prompt asks; the third is brief."""
    said = (topic.bad if wrong else topic.good).format(matter=matter, party=party)
    said = said[0].upper() + said[1:]
    if release == PASSED:
        return f"{said} {topic.caution}"
    return said if wrong or release == FIRST else f"In short: {said}"
