"""Numbers as the tables show them."""

MEBIBYTE = 1024 * 1024
KIBIBYTE = 1024


def count(number: float) -> str:
    """`12,345`."""
    return f"{number:,.0f}"


def rate(number: float, seconds: float) -> str:
    """`1,234/s`."""
    return f"{number / max(seconds, 1e-9):,.0f}/s"


def seconds(duration: float) -> str:
    """`1.23 s`."""
    return f"{duration:.2f} s"


def milliseconds(duration: float) -> str:
    """`12.3`, of seconds."""
    return f"{1000 * duration:.1f}"


def mebibytes(size: float) -> str:
    """`12.3 MiB`, of bytes."""
    return f"{size / MEBIBYTE:.1f} MiB"
