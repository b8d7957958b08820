"""The certificates of a time stamp in the order that DER gives to a set.

Some authorities (those that run `openssl ts` with a chain among them) send the certificates in the order of the chain;
a strict reader refuses that. Their order is not signed and the length stays the same, so they are sorted in place.
"""

from collections.abc import Iterator

CONSTRUCTED_0 = 0xA0  # [0], the certificates of a SignedData, and the content of a ContentInfo
SEQUENCE = 0x30
LONGEST_LENGTH = 4  # bytes

Span = tuple[int, int, int]  # where an element begins, where its content begins, and where it ends


def with_ordered_certificates(content: bytes) -> bytes:
    """The same response with its certificates sorted by their bytes; as it came where it has no such place."""
    try:
        span = _certificates_of(content)
    except ValueError:
        return content
    _, begin, end = span
    certificates = sorted(content[first:last] for first, _, last in _elements(content, begin, end))
    return content[:begin] + b"".join(certificates) + content[end:]


def _certificates_of(content: bytes) -> Span:
    """TimeStampResp → token (ContentInfo) → [0] → SignedData → [0] certificates."""
    _, begin, end = _element(content, 0, len(content))
    token = _nth(content, begin, end, 1, SEQUENCE)
    explicit = _nth(content, token[1], token[2], 1, CONSTRUCTED_0)
    signed = _nth(content, explicit[1], explicit[2], 0, SEQUENCE)
    return _nth(content, signed[1], signed[2], 3, CONSTRUCTED_0)


def _nth(content: bytes, begin: int, end: int, number: int, tag: int) -> Span:
    for at, span in enumerate(_elements(content, begin, end)):
        if at == number and content[span[0]] == tag:
            return span
    raise ValueError("no time stamp with certificates")


def _elements(content: bytes, begin: int, end: int) -> Iterator[Span]:
    while begin < end:
        span = _element(content, begin, end)
        yield span
        begin = span[2]


def _element(content: bytes, begin: int, end: int) -> Span:
    """One element with a tag of one byte and a definite length, which lies within `end`."""
    header = content[begin : begin + 2]
    if len(header) < 2:
        raise ValueError("cut off")
    length, at = header[1], begin + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= LONGEST_LENGTH:
            raise ValueError("no definite length")
        length, at = int.from_bytes(content[at : at + count]), at + count
    if at + length > end:
        raise ValueError("cut off")
    return begin, at, at + length
