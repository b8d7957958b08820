"""How large and how long a bench runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`size` counts receipts, `seconds` bounds one measurement, `mixed` is the length of the mixed decisions.

    `runs` counts measurements, of chaos the kills; `seed` decides what those hit and when.
    """

    size: int
    seconds: float
    runs: int
    mixed: float = 0
    seed: int = 0
