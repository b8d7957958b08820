"""Times and counts in the sentences about a rollout. Pure."""

from datetime import timedelta

from relcontrol.web.words import NO_BREAK

MINUTE, HOUR = 60, 3_600


def span(length: timedelta) -> str:
    """How long, by its two largest units: 36 s, 3 min 36 s, 22 h 5 min."""
    seconds = max(0, round(length.total_seconds()))
    parts = ((seconds // HOUR, "h"), (seconds % HOUR // MINUTE, "min"), (seconds % MINUTE, "s"))
    largest = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    shown = [f"{count} {unit}" for count, unit in parts[largest : largest + 2] if count]
    return " ".join(shown) or "0 s"


def reading(clock: timedelta) -> str:
    """A clock as people read it: 11:24, or 26:03:10 with hours."""
    hours, rest = divmod(max(0, int(clock.total_seconds())), HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def share(percent: int) -> str:
    """25 %, with the blank that does not break."""
    return f"{percent}{NO_BREAK}%"


def counted(number: int, noun: str) -> str:
    """Return "1 request" or "2,088 requests"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
