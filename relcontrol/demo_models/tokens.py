"""Tokens of the demo models: pieces of at most six letters, which joined are the text again."""

import re
from itertools import islice
from typing import Final

_PIECE: Final = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+")


def tokens_of(text: str) -> list[str]:
    """Every token of a text, in order."""
    return _PIECE.findall(text)


def count_of(text: str) -> int:
    """How many tokens a text has."""
    return sum(1 for _ in _PIECE.finditer(text))


def has_more_than(text: str, most: int) -> bool:
    """Whether a text has more tokens than `most`, without reading on."""
    return next(islice(_PIECE.finditer(text), most, None), None) is not None
