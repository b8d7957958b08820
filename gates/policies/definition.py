"""What a gate policy says: the numbers beside the slices (domain.md "Gate", "Override"), and its digest.

Pure. Every number is a field that a person can see and change; a gate run pins the policy as it was when it was asked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any, Final

from gates.slices.rules import decimal_text
from relcontrol.bundle.canonical import sha256_hex

POLICY_SCHEMA: Final = "relcontrol/gate-policy/v1"
NOT_CLAIMED: Final = ("hold", "review", "accept")


@dataclass(frozen=True, slots=True)
class Definition:
    """One gate policy. Percentages are of the previous release's value; points are of 100.

    `floors` are lowest means of named scores; None switches a limit off.
    """

    max_per_case_regression: Decimal = Decimal(3)
    small_drops_need_review: bool = False
    parity_not_claimed: str = "hold"
    floors: Mapping[str, Decimal] = field(default_factory=dict)
    tokens_review_percent: Decimal | None = Decimal(10)
    tokens_fail_percent: Decimal | None = Decimal(15)
    latency_p95_ms: Decimal | None = None
    latency_p95_ratio: Decimal | None = Decimal("1.2")
    second_person: bool = True
    override_hours: int = 24

    def as_json(self) -> dict[str, Any]:
        """As it is stored and hashed: decimals as strings, every key there."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def sha256(self) -> str:
        """The digest that receipts carry as the policy that held."""
        return sha256_hex({"schema": POLICY_SCHEMA, **self.as_json()})


def definition_from(stored: Mapping[str, Any]) -> Definition:
    """The definition whose `as_json` was stored."""
    kinds = {item.name: item.type for item in fields(Definition)}
    values: dict[str, Any] = {
        name: Decimal(value) if isinstance(value, str) and "Decimal" in str(kinds[name]) else value
        for name, value in stored.items()
    }
    return Definition(**values | {"floors": {name: Decimal(low) for name, low in stored["floors"].items()}})


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return decimal_text(value)
    return {name: _plain(inner) for name, inner in value.items()} if isinstance(value, Mapping) else value
