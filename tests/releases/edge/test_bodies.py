"""Bodies: inflated and parsed up to their limits, whatever somebody sends."""

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcontrol.errors import Malformed, TooLarge
from releases.edge.bodies import inflated, json_of, rows_of
from releases.edge.problems import UnsupportedMediaError

LIMIT = 1_000_000


@given(st.lists(st.binary(max_size=3_000), min_size=1, max_size=3))
def test_what_was_compressed_comes_out_also_of_several_members(parts: list[bytes]) -> None:
    assert inflated(b"".join(map(gzip.compress, parts)), "gzip", LIMIT) == b"".join(parts)


def test_a_body_without_encoding_is_as_it_is() -> None:
    assert inflated(b"plain", "", LIMIT) == inflated(b"plain", "identity", LIMIT) == b"plain"


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert len(inflated(gzip.compress(bytes(LIMIT)), "GZip", LIMIT)) == LIMIT
    with pytest.raises(TooLarge):
        inflated(gzip.compress(bytes(LIMIT + 1)), "gzip", LIMIT)


def test_a_bomb_is_refused_long_before_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(200_000_000), 1)
    made: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, bits: int) -> None:
            self.inner = real(bits)

        def __getattr__(self, name: str) -> object:
            return getattr(self.inner, name)

        def decompress(self, body: bytes, most: int) -> bytes:
            plain = self.inner.decompress(body, most)
            made.append(len(plain))
            return plain

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    with pytest.raises(TooLarge):
        inflated(bomb, "gzip", LIMIT)
    assert sum(made) < 2 * LIMIT


@pytest.mark.parametrize("spoil", [lambda body: body[:-5], lambda body: b"xx" + body, lambda body: body + b"rest"])
def test_what_is_no_whole_gzip_file_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Malformed):
        inflated(spoil(gzip.compress(b"content" * 100)), "gzip", LIMIT)


def test_an_encoding_that_is_not_read_is_named() -> None:
    with pytest.raises(UnsupportedMediaError, match="'br'"):
        inflated(b"", "br", LIMIT)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_are_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_of(b"}" + body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": NaN}', b"-Infinity", b"9" * 10_000, b"\xff"])
def test_json_that_python_alone_would_take_or_choke_on_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_of(body)


@pytest.mark.parametrize("document", [None, [], {}, {"traces": {}}, {"traces": [], "more": 1}, {"rows": []}])
def test_rows_stand_under_their_one_key(document: object) -> None:
    with pytest.raises(Malformed, match="traces"):
        rows_of(document, "traces")
