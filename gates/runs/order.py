"""What a gate run is asked for: how its results are to be read. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

from gates.suite_files.cases import Scale


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What the sender says of the results. `suite` by name, id or digest; None is the manifest's own.

    `judge` is for slices that name none. `parity` is the fingerprint of what made the answers: the bundle's digest or
    that of its preprocessing.
    """

    suite: str | None = None
    judge: str | None = None
    scale: Scale | None = None
    grade_scale: Scale | None = None
    parity: str | None = None
    branch: str | None = None
    commit: str | None = None
    feature_snapshot: str | None = None
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """What a run keeps of it."""
        ends = {name: list(scale) if scale else None for name, scale in self._scales().items()}
        return asdict(self) | ends

    def _scales(self) -> dict[str, Scale | None]:
        return {"scale": self.scale, "grade_scale": self.grade_scale}
