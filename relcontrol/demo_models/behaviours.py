"""The demo models by name: one that is well, one for each way to fail (ten-failures.md, 8 to 10), and judges."""

from dataclasses import dataclass
from typing import Final

EMBEDDING: Final = "demo-embedding"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one chat model differs from the healthy one."""

    name: str
    slowness: float = 1.0
    fails_above_tokens: int | None = None
    share_of_broken_streams: float = 0.0
    hedges: bool = False
    impossible_dates: bool = False
    judges: bool = False
    is_faulty: bool = False


BEHAVIOURS: Final = {
    behaviour.name: behaviour
    for behaviour in (
        Behaviour("demo-healthy"),
        Behaviour("demo-slow", slowness=2.0),
        Behaviour("demo-failing-long", fails_above_tokens=2_400),
        Behaviour("demo-broken-streams", share_of_broken_streams=0.2),
        Behaviour("demo-hedging", hedges=True),
        Behaviour("demo-impossible-dates", impossible_dates=True),
        Behaviour("demo-judge", judges=True),
        Behaviour("demo-judge-faulty", judges=True, is_faulty=True),
    )
}
NAMES: Final = (*BEHAVIOURS, EMBEDDING)
