"""The few forms of DER that a time stamp is made of, written; nothing is read here."""

from datetime import datetime


def element(tag: int, *contents: bytes) -> bytes:
    """Tag, length and contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*contents: bytes) -> bytes:
    return element(0x30, *contents)


def set_of(*contents: bytes) -> bytes:
    """A SET in the order that DER gives it."""
    return element(0x31, *sorted(contents))


def explicit(number: int, *contents: bytes) -> bytes:
    return element(0xA0 | number, *contents)


def octets(content: bytes) -> bytes:
    return element(0x04, content)


def integer(value: int) -> bytes:
    """Not negative."""
    return element(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def identifier(dotted: str) -> bytes:
    """An object identifier."""
    first, second, *rest = map(int, dotted.split("."))
    return element(0x06, bytes([first * 40 + second]), *map(_base128, rest))


def generalized_time(at: datetime) -> bytes:
    return element(0x18, at.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def utc_time(at: datetime) -> bytes:
    return element(0x17, at.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(0x80 | value & 0x7F)
    return bytes(reversed(digits))
