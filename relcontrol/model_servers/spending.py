"""What calls of model servers cost, and what may be spent on them.

Money is a decimal in the currency of the endpoint's prices (per token); where an endpoint has no prices the cost of its
calls is not known, and a limit on money cannot hold it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Prices:
    """What a token costs, read and written; None where nobody said."""

    input: Decimal | None = None
    output: Decimal | None = None

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal | None:
        """What so many tokens cost; None where a price is not known."""
        if self.input is None or self.output is None:
            return None
        return self.input * input_tokens + self.output * output_tokens


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent: calls made (retries count, as servers bill them by their tokens), answers from the cache, tokens.

    `unpriced` calls are those of endpoints without prices; `cost` does not hold them.
    """

    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal = NOTHING
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """Read and written together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            self.calls + other.calls,
            self.cached + other.cached,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost + other.cost,
            self.unpriced + other.unpriced,
        )

    def as_json(self) -> dict[str, Any]:
        """As it is stored and answered; money as a decimal string, as it must not be rounded."""
        return {
            "calls": self.calls,
            "cached": self.cached,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": format(self.cost.normalize(), "f"),
            "unpriced": self.unpriced,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        return cls(**{**stored, "cost": Decimal(stored["cost"])})


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent at most; None is no limit. `cases` is the number of cases that may be answered."""

    cases: int | None = None
    tokens: int | None = None
    cost: Decimal | None = None

    def reason_to_stop(self, spent: Spent) -> str | None:
        """Why no further call may be made, as a sentence; None while there is something left."""
        if self.tokens is not None and spent.tokens >= self.tokens:
            return f"The budget of {self.tokens:,} tokens is used up ({spent.tokens:,})."
        if self.cost is not None and spent.cost >= self.cost:
            return f"The budget of {self.cost:f} is used up ({spent.cost.normalize():f})."
        return None

    def as_json(self) -> dict[str, Any]:
        """As it is stored and answered."""
        return {"cases": self.cases, "tokens": self.tokens, "cost": None if self.cost is None else f"{self.cost:f}"}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        cost = stored.get("cost")
        return cls(stored.get("cases"), stored.get("tokens"), None if cost is None else Decimal(cost))
