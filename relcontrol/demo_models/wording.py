"""What the demo models say: legal-sounding sentences in the words of the demo's topics. None of it is legal advice."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Final

from relcontrol.demo.topics import TOPICS, Topic
from relcontrol.demo_models.draws import fraction, one_of
from relcontrol.demo_models.tokens import count_of

# Of ten answers seven or eight are short, two are long, and the rest are longer than 2,400 tokens.
LENGTHS: Final = ((0.74, 80, 600), (0.94, 600, 2_200), (1.0, 2_450, 3_600))
LONGEST: Final = 8_000
TOKENS_PER_WORD: Final = 1.5
READ_FOR_A_QUESTION: Final = 4_000
_ASKED_LENGTH: Final = re.compile(r"\b([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,6})\s+(tokens|words)\b", re.IGNORECASE)

DATES: Final = ("Thursday March 12th", "Monday February 23rd", "Friday June 19th", "Wednesday November 25th")
IMPOSSIBLE_DATES: Final = ("Thursday March 32nd", "Monday February 30th", "Friday June 31st", "Wednesday November 31st")
HEDGES: Final = (
    "This depends on the circumstances, and you should consult an attorney before you act.",
    "I cannot answer this for your case; you should consult an attorney who knows the file.",
    "The law on this differs from place to place, so you should consult an attorney.",
)


def answer(question: str, key: bytes, *, impossible_dates: bool = False, most: int | None = None) -> str:
    """An answer of the length that was asked for, else of a drawn one; it ends with its sentence.

    Of an answer that is longer than `most` tokens, what is needed to cut it there.
    """
    wanted, tokens, said = _length(question, key), 0, list[str]()
    least = wanted if most is None else min(wanted, most + 1)
    for sentence in _sentences(question, key, impossible_dates):
        said.append(sentence)
        tokens += count_of(sentence)
        if tokens >= least:
            break
    return " ".join(said)


def hedge(key: bytes) -> str:
    """Polite words in place of an answer."""
    return one_of(HEDGES, key, "hedge")


def _length(question: str, key: bytes) -> int:
    if asked := _ASKED_LENGTH.search(question):
        number = int(asked[1].replace(",", ""))
        return min(LONGEST, round(number * TOKENS_PER_WORD) if asked[2].lower() == "words" else number)
    drawn = fraction(key, "length class")
    shortest, longest = next((low, high) for share, low, high in LENGTHS if drawn < share)
    return shortest + int(fraction(key, "length") * (longest - shortest))


def _sentences(question: str, key: bytes, impossible_dates: bool) -> Iterator[str]:
    topic, matter, party = _known(question) or _drawn_question(key, "question")
    yield topic.good.format(matter=matter, party=party)
    dates = IMPOSSIBLE_DATES if impossible_dates else DATES
    yield f"Note the date: the next step is due on {one_of(dates, key, 'date')}."
    yield topic.caution
    for place in count():
        topic, matter, party = _drawn_question(key, f"comparison {place}")
        yield f"For comparison: {topic.question.format(matter=matter, party=party)}"
        yield topic.good.format(matter=matter, party=party)


def _drawn_question(key: bytes, purpose: str) -> tuple[Topic, str, str]:
    topic = one_of(TOPICS, key, f"{purpose}, topic")
    return topic, one_of(topic.matters, key, f"{purpose}, matter"), one_of(topic.parties, key, f"{purpose}, party")


def _known(question: str) -> tuple[Topic, str, str] | None:
    """The question of the demo that stands in what was asked, also where preprocessing tidied it."""
    asked, known = _tidy(question[:READ_FOR_A_QUESTION]), _questions()
    return known.get(asked) or next((found for text, found in known.items() if text in asked), None)


@cache
def _questions() -> dict[str, tuple[Topic, str, str]]:
    return {
        _tidy(topic.question.format(matter=matter, party=party)): (topic, matter, party)
        for topic in TOPICS
        for matter, party in topic.questions()
    }


def _tidy(text: str) -> str:
    return " ".join(text.lower().split())
