"""How much was erased, in words. Pure but for the row that it reads."""

from releases.privacy.copies import WORDS
from releases.privacy.erasing import KEYS
from releases.trace_models import Erasure


def counted(row: Erasure) -> str:
    """`the key; 3 prompts and answers of requests; 1 feedback on requests`; what was none is left out."""
    key = ["the key"] if row.gone.get(KEYS) else []
    counts = [
        f"{row.gone[name]:,} × {words[0].lower()}{words[1:]}" for name, words in WORDS.items() if row.gone.get(name)
    ]
    return "; ".join([*key, *counts]) or "nothing was left"
