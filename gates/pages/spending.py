"""What calls of models cost, in words. Pure."""

from collections.abc import Mapping
from typing import Any

from relcontrol.model_servers.spending import Spent


def spent_of(stored: Mapping[str, Any] | None) -> Spent:
    """What a row keeps; nothing where it keeps nothing yet."""
    return Spent.from_json(stored) if stored else Spent()


def spent_words(spent: Spent) -> str:
    """`1,204 calls, 310 answers known from before, 51,200 tokens, 0.43 of the endpoint's currency`."""
    parts = [f"{spent.calls:,} call{'' if spent.calls == 1 else 's'}"]
    if spent.cached:
        parts.append(f"{spent.cached:,} known from before")
    if spent.tokens:
        parts.append(f"{spent.tokens:,} tokens")
    if spent.cost:
        parts.append(f"{spent.cost.normalize():f} in money")
    if spent.unpriced:
        parts.append(f"{spent.unpriced:,} without a price")
    return ", ".join(parts)
