"""What the demo judge says of an answer: a score that goes with its quality, by rules of thumb, and a reason.

It reads what stands between tags `<answer-CODE>` (and `<question-…>`, `<reference-…>`) in the last message; lines that
speak to a judge do not count, and cost a little. With a temperature its draws differ a little by their seed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from relcontrol.demo_models.draws import fraction
from relcontrol.demo_models.orders import Order

NOTHING_THERE: Final = "I judge answers that stand between tags, and there is none."
NOISE: Final = 0.03

_BLOCK: Final = re.compile(r"<(question|answer|reference)-([0-9a-f]{8,64})>\n(.*?)\n</\1-\2>", re.DOTALL)
_SCALE: Final = re.compile(r"score from (-?[0-9.]+) \(worst\) to (-?[0-9.]+) \(best\)")
_SPEAKS_TO_JUDGES: Final = re.compile(
    r"&lt;|```|<!--|\bprevious instructions\b|\bthe (?:grader|judge)\b|\bof judges\b|\bhighest score\b|\bscore:? [0-9]"
    r"|\"score\"|\bgets (?:less than )?[0-9]|\[/?system\]|\brubric\b|\bequals the reference\b",
    re.IGNORECASE,
)
_HEDGES: Final = re.compile(
    r"\bconsult (?:an attorney|a lawyer)\b|\b(?:cannot|can't|unable to) (?:answer|help|advise)\b|\bas an ai\b"
    r"|\bi refuse\b|\bdiffers from place to place\b",
    re.IGNORECASE,
)
_DAYS: Final = {
    **dict.fromkeys(("jan", "mar", "may", "jul", "aug", "oct", "dec"), 31),
    **dict.fromkeys(("apr", "jun", "sep", "nov"), 30),
    "feb": 29,
}
_DATE: Final = re.compile(
    r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? ([0-9]{1,2})(?:st|nd|rd|th)?\b", re.IGNORECASE
)
_WORD: Final = re.compile(r"[^\W_]{4,}")
_PLENTY: Final = 60
_TOO_LONG: Final = 1_200


@dataclass(frozen=True, slots=True)
class Opinion:
    """How good an answer is, from 0 to 1, and why."""

    quality: float
    reason: str


def judgement(order: Order, key: bytes) -> str:
    """The reply: a JSON object, in a fence of markdown where no form of the reply was asked for."""
    blocks = {found[1]: found[3] for found in _BLOCK.finditer(order.question())}
    if "answer" not in blocks:
        return NOTHING_THERE
    opinion = opinion_of(blocks)
    chance = (2 * fraction(key, "noise") - 1) * NOISE * order.temperature
    reply = json.dumps({"reason": opinion.reason, "score": _on_scale(opinion.quality + chance, order)})
    return reply if order.wants_json else f"```json\n{reply}\n```"


def opinion_of(blocks: Mapping[str, str]) -> Opinion:
    """What speaks for an answer and against it."""
    lines = blocks["answer"].splitlines()
    text = "\n".join(dict.fromkeys(line for line in lines if not _SPEAKS_TO_JUDGES.search(line))).strip()
    opinion = _plain_opinion(text, blocks)
    if any(_SPEAKS_TO_JUDGES.search(line) for line in lines):
        return Opinion(
            max(0.0, opinion.quality - 0.08), f"{opinion.reason} It speaks to its judge, which does not count."
        )
    return opinion


def _plain_opinion(text: str, blocks: Mapping[str, str]) -> Opinion:
    words = text.split()
    if not words:
        return Opinion(0.0, "It says nothing.")
    if _HEDGES.search(text) and len(words) < _PLENTY:
        return Opinion(0.1, "It sends the asker elsewhere instead of answering.")
    if any(int(date[2]) > _DAYS[date[1].lower()] or date[2] == "00" for date in _DATE.finditer(text)):
        return Opinion(0.2, "It names a date that no calendar has.")
    length = min(1.0, len(words) / _PLENTY) - (0.2 if len(words) > _TOO_LONG else 0.0)
    if reference := blocks.get("reference"):
        shared = _overlap(reference, text)
        return Opinion(0.15 + 0.75 * shared + 0.1 * length, f"It has {shared:.0%} of what the reference says.")
    shared = _overlap(blocks.get("question", ""), text)
    return Opinion(
        0.3 + 0.4 * shared + 0.3 * length, f"It takes up {shared:.0%} of the question in {len(words)} words."
    )


def _overlap(wanted: str, text: str) -> float:
    """The share of the words of one text that stand in another."""
    words, there = (set(_WORD.findall(each.lower())) for each in (wanted, text))
    return len(words & there) / len(words) if words else 1.0


def _on_scale(quality: float, order: Order) -> float:
    found = next((found for message in order.messages if (found := _SCALE.search(message.text))), None)
    low, high = (float(found[1]), float(found[2])) if found else (1.0, 5.0)
    steps = 0 if high - low > 10 else 2
    return round(low + (high - low) * min(1.0, max(0.0, quality)), steps)
