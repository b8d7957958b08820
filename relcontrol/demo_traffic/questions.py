"""What the demo's made-up users ask: questions of the demo's topics, each with the length of the answer it wants.

A function of the seed alone. Every topic is asked equally often, so that every slice has traffic; some users ask much
more than others, as in life.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.demo.topics import TOPICS

SUBJECTS: Final = 1_500
HEAVY: Final = 0.4  # exponent of the users' weights: the first asks nearly 20 times as much as the last
STREAMED: Final = 0.8  # the monitor of the time to the first token needs 200 streams of the candidate (R11)
LONG: Final = 0.15
LONG_STREAMED: Final = 0.25  # a long stream has hundreds of events, and everything here runs on one machine
LONG_TOKENS: Final = (2_450, 2_900)  # more than the 2,400 above which one of the demo models fails
SHORT_TOKENS: Final = (60, 260)
ROUND: Final = 10


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a user."""

    subject: str
    topic: str
    text: str
    streamed: bool

    def body(self) -> dict[str, Any]:
        """As an OpenAI client would send it."""
        return {
            "model": "legal-assistant",
            "messages": [{"role": "user", "content": self.text}],
            "metadata": {"topic": self.topic},
            "stream": self.streamed,
        }


def questions(seed: int) -> Iterator[Question]:
    """Questions without end."""
    drawn = random.Random(seed)  # noqa: S311 - no secret
    subjects = [f"demo-user-{number}" for number in range(1, SUBJECTS + 1)]
    weights = [number**-HEAVY for number in range(1, SUBJECTS + 1)]
    while True:
        (subject,) = drawn.choices(subjects, weights)
        yield question_of(subject, drawn)


def question_of(subject: str, drawn: random.Random) -> Question:
    """One question of this user."""
    topic = drawn.choice(TOPICS)
    asked = topic.question.format(matter=drawn.choice(topic.matters), party=drawn.choice(topic.parties))
    if drawn.random() < LONG:
        wanted, share = f"Go through every point that matters, in about {_some(drawn, LONG_TOKENS)}.", LONG_STREAMED
    else:
        wanted, share = f"Answer in about {_some(drawn, SHORT_TOKENS)}.", STREAMED
    return Question(subject, topic.slug, f"{asked} {wanted}", drawn.random() < share)


def _some(drawn: random.Random, between: tuple[int, int]) -> str:
    return f"{drawn.randrange(*between, ROUND):,} tokens"
