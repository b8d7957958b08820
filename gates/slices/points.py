"""What one gate run found in one slice, as histories and back-tests take it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 90 % interval; None where it was not measured."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Point:
    """What the newest gate run of one release found in one slice."""

    release: str
    application: str
    run: str
    at: datetime
    verdict: str
    threshold: float
    floor: float | None
    agreement: Estimate
    quality: Estimate
    judge: str | None
    document: Mapping[str, Any]

    @property
    def judged(self) -> Mapping[str, Any]:
        """Everything that the run says of agreement."""
        return self.document.get("agreement") or {}
