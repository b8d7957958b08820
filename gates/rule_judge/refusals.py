"""Whether an answer refuses, or sends the asker to somebody else, *instead of* answering (ten-failures.md, 8).

An answer that answers and adds such a sentence is none: what counts is what is left when refusing, referring and
filling words are taken out. After a referral four words that say something are an answer ("the notice is thirty days,
but you should consult an attorney"), after a plain refusal twelve; a number or a "yes" is one at once. Wordings are
English, German and French; another language's refusal is not seen.
"""

import re
from collections.abc import Iterator
from typing import Final

from gates.rule_judge.refusal_words import DISCLAIMING, FILLING, REFERRING, REFUSING, REGRET

WORDS_AFTER_REFERRAL: Final = 4
WORDS_AFTER_REFUSAL: Final = 12
# A refusal is short. What is longer than this is an answer, whatever else it says.
LONGEST: Final = 4_000
LONGEST_FILLING: Final = 20

_SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
_TURN = re.compile(
    r";\s+|:\s+|\s[–—-]\s"
    r"|,?\s(?:but|however|nevertheless|that said|yet|aber|jedoch|trotzdem|mais|cependant|toutefois),?\s"
)
_SUBORDINATE = re.compile(r"^(?:while|although|though|even though|obwohl|auch wenn|bien que|même si)\b")
_CONDITION = re.compile(
    r"^(?:if|before|to|for|because|since|as|when|unless|whenever|given|in|with|wenn|bevor|um|weil|da|für|bei|si|avant|pour"
    r"|dans|en)\b"
)
_CONSENT = re.compile(r"^(?:yes|yep|correct|ja|jawohl|oui|si)\b(?! (?:you|sie|vous))")
_GOES_ON = re.compile(r"^(?:and|or|nor|so|which|who|und|oder|et|ou|ni)\b")
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_QUOTES = str.maketrans("\u2019\u2018\u02bc", "'''")


def refusal_in(text: str) -> str | None:
    """The sentence that refuses or refers, where the answer does nothing else; None where it answers."""
    if len(text) > LONGEST:
        return None
    found: str | None = None
    needed, said = WORDS_AFTER_REFERRAL, 0
    for sentence in filter(str.strip, _SENTENCE.split(text)):
        for part in _parts(sentence.translate(_QUOTES).lower().strip()):
            found = found or (sentence if _hit(part) else None)
            needed = WORDS_AFTER_REFUSAL if REFUSING.search(part) else needed
            words = _substance(part)
            if words is None:
                return None
            said += words
    return found.strip() if found and said < needed else None


def _hit(part: str) -> re.Match[str] | None:
    """The phrase of a part that refuses, refers or disclaims."""
    return REFUSING.search(part) or REFERRING.search(part) or DISCLAIMING.search(part)


def _parts(sentence: str) -> Iterator[str]:
    """The parts of a sentence that can differ in what they do: "I cannot advise you", "the period is short"."""
    for part in _TURN.split(sentence):
        if _SUBORDINATE.match(part) and ", " in part:
            yield from part.split(", ", 1)
        elif part:
            yield part


def _substance(part: str) -> int | None:
    """How many words of a part say something; None where it answers at once: a yes, or a number.

    What follows a refusing or referring phrase in its part belongs to that phrase.
    """
    if _CONSENT.match(part):
        return None
    if REFUSING.search(part):
        return 0
    hit = _hit(part)
    before, after = (part, "") if hit is None else (part[: hit.start()], part[hit.end() :])
    if _DIGIT.search(before + after):
        return None
    empty = _is_filling(before) or (hit is not None and _CONDITION.match(before))
    spoken = 0 if empty else len(_WORD.findall(REGRET.sub("", before)))
    return spoken + (_of_tail(after) if DISCLAIMING.search(part) else 0)


def _is_filling(words: str) -> bool:
    return FILLING.search(words) is not None and len(_WORD.findall(words)) <= LONGEST_FILLING


def _of_tail(after: str) -> int:
    """What a comma sets off from a disclaimer may still be an answer: "As an AI, I read clause four as void."."""
    _, comma, rest = after.partition(", ")
    if not comma or _GOES_ON.match(rest) or FILLING.search(rest) or _hit(rest):
        return 0
    words = len(_WORD.findall(rest))
    return words if words >= WORDS_AFTER_REFERRAL else 0
