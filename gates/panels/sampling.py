"""Live traces that become answers of a panel. `releases` registers how they are sampled: `gates` knows no traces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from relcontrol.accounts.models import Organization


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """One answer of a live trace, its texts `sealed` under the key of its subject. `slice` is a slug."""

    slice: str | None
    subject: bytes
    sealed: bytes
    trace_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class TraceOrder:
    """What is wanted: `count` traces of each group of slices, or without groups of all traces."""

    organization: Organization
    groups: tuple[frozenset[str], ...]
    count: int
    seed: int


Sampler = Callable[[TraceOrder], Sequence[TraceAnswer]]
_SAMPLERS: list[Sampler] = []


def register_sampler(sampler: Sampler) -> None:
    """Say how traces are sampled; called once, when the program starts."""
    _SAMPLERS[:] = [sampler]


def sample_traces(order: TraceOrder) -> Sequence[TraceAnswer]:
    """Traces by chance; none where nothing keeps traces. Call it in the transaction that writes what is sealed."""
    return _SAMPLERS[0](order) if _SAMPLERS else ()
