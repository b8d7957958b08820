"""What a sink is given, and what every kind of sink can do: the interface of anchors (receipts.md "Anchors").

`submit` talks to the sink and returns its evidence; `verify` says from body and evidence alone, with the trust that
stands in the sink's settings, which time it proves. Neither knows rows or transactions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """A checkpoint to be anchored. `body` is its signed note; `key` names this submission, the same at each try.

    `seen` is the size up to which this sink made an anchor before, 0 for never; `consistency` gives the hashes that
    lead from an older size to this one.
    """

    key: str
    origin: str
    size: int
    body: bytes
    at: datetime
    seen: int
    consistency: Callable[[int], list[bytes]]


class Sink(Protocol):
    """One kind of sink."""

    def checked(self, settings: Settings) -> dict[str, Any]:
        """The settings as they are stored; `Invalid` names what is wrong."""

    def submit(self, order: Order, settings: Settings) -> bytes:
        """Give it the checkpoint; the evidence. Raises `SinkError`."""

    def verify(self, body: bytes, evidence: bytes, settings: Settings) -> datetime:
        """The time that the evidence proves for this body, in UTC. Raises `SinkError` where it proves nothing."""
