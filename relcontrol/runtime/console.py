"""Messages of the set-up (standard library only): on stderr, because stdout belongs to the command."""

import sys


def say(message: str) -> None:
    """One line about the set-up."""
    print(f"relcontrol: {message}", file=sys.stderr, flush=True)  # noqa: T201 - the one place that does
