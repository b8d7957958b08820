"""JSON that can be stored: finite numbers, whole characters, no deeper than protobuf allows.

Python's reader takes `NaN`, `1e999` and halves of surrogate pairs, and neither PostgreSQL nor another JSON reader does.
"""

import json
import math
import re
from typing import Any, Final

MAX_DEPTH: Final = 100  # that of protobuf's own readers
OPENERS: Final = "[{"
STRINGS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)  # the end is optional: what is open is read once
OTHERS: Final = re.compile(r"[^\[\]{}]+")


def parse(text: str) -> Any:
    """The JSON value of a text; ValueError where there is none that can be stored."""
    if sum(map(text.count, OPENERS)) > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
    value = DECODER.decode(text)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # UnicodeEncodeError, a ValueError, for half a pair
    return value


def parsed(text: str) -> Any:
    """The JSON object or list that a text holds, else the text itself: attributes carry either."""
    if text.lstrip()[:1] not in ("[", "{"):
        return text
    try:
        return parse(text)
    except ValueError:
        return text


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a finite number")
    return number


def _refused(text: str) -> float:
    raise ValueError(f"{text} is not a number in JSON")


def _depth(text: str) -> int:
    """How deep a text nests, at most."""
    depth = deepest = 0
    for bracket in OTHERS.sub("", STRINGS.sub("", text)):
        depth += 1 if bracket in OPENERS else -1
        deepest = max(deepest, depth)
    return deepest


DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_refused)
