"""Ids of requests and traces: unique, not secret, so they need no system call each."""

import random

_RANDOM = random.Random()  # noqa: S311 - seeded by the system once per process; nobody is to be kept from guessing them


def hex_id() -> str:
    """32 hexadecimal digits, as W3C trace ids have."""
    return f"{_RANDOM.getrandbits(128):032x}"
