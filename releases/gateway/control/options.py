"""What a gateway's control-plane client is told at its start, and the metrics that it keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from relcontrol.version import VERSION

MEBIBYTE: Final = 1024 * 1024

# Counted.
SNAPSHOTS: Final = "snapshots_accepted"
SNAPSHOTS_REFUSED: Final = "snapshots_refused"  # the alarm: somebody sends what does not verify
CONTROL_ERRORS: Final = "control_plane_errors"
TRACES_SENT: Final = "traces_sent"
TRACES_REJECTED: Final = "traces_rejected"
TRACES_DROPPED: Final = "traces_dropped"
TRACES_SPOOLED: Final = "traces_spooled"
TRACES_REPLAYED: Final = "traces_replayed"
COUNTED: Final = (
    SNAPSHOTS,
    SNAPSHOTS_REFUSED,
    CONTROL_ERRORS,
    TRACES_SENT,
    TRACES_REJECTED,
    TRACES_DROPPED,
    TRACES_SPOOLED,
    TRACES_REPLAYED,
)

# Set.
EPOCH: Final = "snapshot_epoch"
GENERATION: Final = "snapshot_generation"
TRACES_QUEUED: Final = "traces_queued"
MEASURED: Final = (EPOCH, GENERATION, TRACES_QUEUED)


class Metrics(Protocol):
    """Where counters and levels go; the names are those of COUNTED and MEASURED."""

    def count(self, name: str, n: int = 1) -> None:
        """Add to a counter."""

    def set(self, name: str, value: float) -> None:
        """Say a level."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where the control plane is, who this replica is, whom it believes and where it keeps what must survive.

    `trust` is the parsed trust file (`GET /v1/trust`); `control_url` is the edge's address without `/v1`.
    """

    control_url: str
    token: str = field(repr=False)
    trust: Mapping[str, Any] = field(repr=False)
    data_dir: Path
    region: str
    replica: str
    version: str = VERSION
    spool_bytes: int = 512 * MEBIBYTE
