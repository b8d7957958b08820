"""The feature values that an answer was given with, checked in time: none from its future, none too old. Pure.

Whoever sends a trace may say in its metadata which values went in: `features: [{"name", "as_of", "value"?}]`, also as
JSON text, as OpenTelemetry has no objects. `as_of` is the moment whose state a value describes. A value of after the
request leaks what nobody could know; one older than its view allows is stale. Clocks of two machines differ by `SKEW`
at most.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

SKEW: Final = timedelta(seconds=1)
MOST: Final = 200
MAX_TEXT: Final = 200
Verdict = Literal["in_time", "future", "stale", "undated"]


@dataclass(frozen=True, slots=True)
class MaxAge:
    """How old values of a view may be, in seconds: of each feature its own, else the view's; None: as old as it is."""

    view: str
    default: int | None = None
    own: Mapping[str, int | None] | None = None

    def of(self, name: str) -> int | None:
        """The largest age of one feature."""
        own = (self.own or {}).get(name)
        return self.default if own is None else own


@dataclass(frozen=True, slots=True)
class Feature:
    """One value: `age_seconds` before the request (negative: after it), the verdict, and it as a sentence."""

    name: str
    as_of: datetime | None
    value: Any
    age_seconds: float | None
    verdict: Verdict
    sentence: str

    @property
    def wrong(self) -> bool:
        """Whether it should not have been there."""
        return self.verdict in {"future", "stale"}


def max_age_of(view: str, artifact: Mapping[str, Any] | None) -> MaxAge:
    """What a feature view's artifact (kind `feature_view`) allows; of one never registered nothing is known."""
    if artifact is None:
        return MaxAge(view)
    own = {row["name"]: row["max_age_seconds"] for row in artifact["features"]}
    return MaxAge(view, artifact["max_age_seconds"], own)


def judged(metadata: object, at: datetime, allowed: MaxAge) -> list[Feature]:
    """The features of a request that started `at`, the wrong ones first, else in the order in which they were sent."""
    found = [_judged(row, at, allowed) for row in _rows(metadata)]
    return sorted(found, key=lambda feature: not feature.wrong)


def _rows(metadata: object) -> list[Mapping[str, Any]]:
    said = metadata.get("features") if isinstance(metadata, Mapping) else None
    if isinstance(said, str):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            return []
    return [row for row in said[:MOST] if isinstance(row, Mapping)] if isinstance(said, list) else []


def _judged(row: Mapping[str, Any], at: datetime, allowed: MaxAge) -> Feature:
    name = str(row.get("name") or "without a name")[:MAX_TEXT]
    as_of = _moment(row.get("as_of"))
    if as_of is None:
        said = f"{name} does not say of when it is, so it cannot be checked in time."
        return Feature(name, None, row.get("value"), None, "undated", said)
    age = at - as_of
    verdict, said = _verdict(name, age, allowed)
    return Feature(name, as_of, row.get("value"), age.total_seconds(), verdict, said)


def _verdict(name: str, age: timedelta, allowed: MaxAge) -> tuple[Verdict, str]:
    if age < -SKEW:
        return "future", f"{name} is from the future: it describes {_spoken(-age)} after the request."
    most = allowed.of(name)
    if most is not None and age > timedelta(seconds=most):
        limit = _spoken(timedelta(seconds=most))
        return "stale", f"{name} is stale: {_spoken(age)} old, and {allowed.view} allows {limit}."
    known = f"within {_spoken(timedelta(seconds=most))}" if most is not None else "no largest age is registered for it"
    return "in_time", f"{name} was {_spoken(max(age, timedelta(0)))} old; {known}."


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _spoken(span: timedelta) -> str:
    """`45 s`, `12 min`, `3 h`, `2 days`."""
    seconds = span.total_seconds()
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
