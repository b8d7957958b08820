"""For every byte of a small export, a flip fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import verify
from tests.audit.pure.chains import Ledger, trust


def small_export() -> bytes:
    chain = Ledger()
    chain.register()
    chain.settle()
    return chain.export()


TEXT = small_export()


def flipped(at: int, mask: int) -> bytes:
    broken = bytearray(TEXT)
    broken[at] ^= mask
    return bytes(broken)


@pytest.mark.parametrize("tenth", range(10))
def test_every_flipped_byte_fails(tenth: int) -> None:
    found = trust()
    for at in range(tenth, len(TEXT), 10):
        with pytest.raises(verify.VerificationError):
            verify.verify_document(flipped(at, 1 << at % 8), found)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), mask=st.integers(1, 255))
def test_any_flip_fails_without_a_trust_file_too(at: int, mask: int) -> None:
    with pytest.raises(verify.VerificationError):
        verify.verify_document(flipped(at, mask), None)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), length=st.integers(1, 40), inserted=st.binary(max_size=4))
def test_any_splice_fails(at: int, length: int, inserted: bytes) -> None:
    spliced = TEXT[:at] + inserted + TEXT[at + length :]
    with pytest.raises(verify.VerificationError):
        verify.verify_document(spliced + b" " * (spliced == TEXT), trust())
