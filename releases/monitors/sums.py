"""Whole numbers that add exactly, so that a monitor's state does not depend on order, grouping or restarts.

Real numbers are kept as multiples of 2⁻⁴⁰ and counts of requests in thousandths, because a subject that is capped
counts in part (rule R11a). Python's integers never overflow, and JSON columns carry them; canonical JSON does not, so
receipts hold what was concluded, not the state.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gates.statistics.arrays import Floats

FINE = 2**40
WHOLE = 1000  # one request that counts in full

Numbers = tuple[int, ...]


def fine(value: float) -> int:
    """Return ``value`` as a multiple of 2⁻⁴⁰, rounded."""
    return round(value * FINE)


def fine_all(values: Floats) -> Numbers:
    """Return each value as a multiple of 2⁻⁴⁰, rounded."""
    return tuple(fine(value) for value in values.tolist())


def real(number: int) -> float:
    """Return the real number that ``fine`` stored."""
    return number / FINE


def reals(numbers: Sequence[int], unit: int = FINE) -> Floats:
    """Return stored numbers as float64, divided by their unit."""
    return np.array([number / unit for number in numbers], dtype=np.float64)


def added(one: Sequence[int], other: Sequence[int]) -> Numbers:
    """Add two rows of equal length."""
    return tuple(left + right for left, right in zip(one, other, strict=True))


def merged(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Add two sparse rows."""
    return {key: one.get(key, 0) + other.get(key, 0) for key in sorted({*one, *other})}


def stored(values: object, length: int) -> Numbers:
    """Read a row of ``length`` whole numbers from JSON; anything else is a damaged state and is refused."""
    if not isinstance(values, list) or len(values) != length or not all(_is_whole(value) for value in values):
        raise ValueError(f"a monitor's stored state should hold {length} whole numbers here: rebuild it from traces")
    return tuple(values)


def stored_count(values: Mapping[str, Any], *names: str) -> Numbers:
    """Read named whole numbers, none below zero, from JSON."""
    numbers = stored([values.get(name) for name in names], len(names))
    if min(numbers) < 0:
        raise ValueError("a monitor's stored count is below zero: rebuild it from traces")
    return numbers


def stored_sparse(values: object) -> dict[str, int]:
    """Read a sparse row of whole numbers from JSON."""
    if not isinstance(values, dict):
        raise ValueError("a monitor's stored state should hold an object of whole numbers here: rebuild it from traces")
    stored(list(values.values()), len(values))
    return {str(key): value for key, value in sorted(values.items())}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
