"""Public ids: a prefix that says what it is, and a time-sortable random part (api.md).

The random part is a 48-bit millisecond clock and 80 random bits in Crockford's base 32, as in ULID, in lower case:
ids made later sort later, so that a list is ordered and paged by its primary key.
"""

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
MAX_ID_LENGTH = 4 + LENGTH


def new_id(prefix: str) -> str:
    """A fresh id such as `rel_01jd3v…`."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(digits))}"
