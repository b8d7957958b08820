"""The clock, in one place: services take the time as an argument, faces read it here, tests move it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
