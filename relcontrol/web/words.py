"""Numbers and times as people read them (mock/README.md): true minus, no-break space before %, thousands. Pure."""

from datetime import UTC, datetime
from decimal import Decimal

MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
MINUTE, HOUR, DAY = 60, 3600, 86400
KILO = 1000
Number = int | float | Decimal


def number(value: Number, decimals: int = 0) -> str:
    """`7912` as 7,912 and `-0.271` with two decimals as a true minus and 0.27."""
    text = f"{value:,.{decimals}f}"
    if text.strip("-0.,") == "":
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def signed(value: Number, decimals: int = 2) -> str:
    """With its sign, so that a change reads as one: +0.01; a zero has none."""
    text = number(value, decimals)
    return text if text.startswith(MINUS) or text.strip("0.,") == "" else f"+{text}"


def percent(share: Number, decimals: int = 0) -> str:
    """A share of one as a percentage: 0.05 is 5 %."""
    return f"{number(share * 100, decimals)}{NO_BREAK}%"


def size(count: int) -> str:
    """Bytes, in steps of 1,000: 3527 is 3.5 kB."""
    value, units = float(count), ["bytes", "kB", "MB", "GB"]
    while value >= KILO and len(units) > 1:
        value, units = value / KILO, units[1:]
    return f"{number(value, 0 if units[0] == 'bytes' else 1)}{NO_BREAK}{units[0]}"


def relative(at: datetime, now: datetime) -> str:
    """How long ago, or how far ahead. app.js says the same words when it refreshes them."""
    seconds = int((now - at).total_seconds())
    ahead, distance = seconds < 0, abs(seconds)
    if distance < MINUTE:
        words = f"{distance} s"
    elif distance < HOUR:
        words = f"{distance // MINUTE} min"
    elif distance < 2 * DAY:
        words = f"{distance // HOUR} h"
    else:
        words = f"{distance // DAY} d"
    return f"in {words}" if ahead else f"{words} ago"


def long_time(at: datetime) -> str:
    """20 Nov 2026, 13:27:52 UTC: what a relative time has in its title."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC"


def audit_time(at: datetime) -> str:
    """2026-11-20 13:27:52 UTC: what audit pages show first."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def iso_time(at: datetime) -> str:
    """RFC 3339, for machines."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
