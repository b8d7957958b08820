"""For every byte of a small export with anchors, as a document and as a ZIP, a flip fails.

The first failure is enough, so nothing after it is looked at: that makes some ten thousand verifications cheap.
"""

from collections.abc import Iterable
from typing import NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import verify
from audit.exporting.document import Scope
from tests.audit.evidence.bundles import of, trust, zipped
from tests.audit.evidence.logs import Log
from tests.audit.pure.chains import MANIFEST


class _Caught(list[verify.VerificationError]):
    """Failures that end the examination."""

    def append(self, failure: verify.VerificationError) -> NoReturn:
        raise failure

    def extend(self, failures: Iterable[verify.VerificationError]) -> None:
        for failure in failures:
            raise failure


def small() -> tuple[bytes, bytes]:
    """One receipt of a release with everything that proves it, as a document, and as a ZIP without programs."""
    log = Log()
    log.register()
    log.anchor("rfc3161")
    bundle = of(log, Scope(release=MANIFEST), keyring=None, attestations=[])
    needed = ("export.json", "keys/keys.json", "openings.json", "receipts.jsonl")
    folders = ("anchors/", "checkpoints/", "proofs/")
    files = {name: content for name, content in bundle.files().items() if name in needed or name.startswith(folders)}
    return bundle.document(), zipped(files)


DOCUMENT, ARCHIVE = small()
TRUST = verify.read_trust(trust())
TENTHS = range(10)


def examine(data: bytes) -> None:
    """Raise the first failure."""
    examination = verify._Examination(TRUST, None, failures=_Caught())
    if data[:2] == b"PK":
        examination.run_archive(data)
    else:
        examination.run(data)


def flipped(data: bytes, at: int, mask: int) -> bytes:
    broken = bytearray(data)
    broken[at] ^= mask
    return bytes(broken)


def unnoticed(data: bytes, positions: Iterable[int]) -> list[int]:
    """Where a flip of one bit, another one at each place, raises nothing."""
    found = []
    for at in positions:
        try:
            examine(flipped(data, at, 1 << at % 8))
        except verify.VerificationError:
            continue
        found.append(at)
    return found


def test_both_are_sound_and_small() -> None:
    examine(DOCUMENT)
    examine(ARCHIVE)
    assert len(ARCHIVE) < 24_000


@pytest.mark.parametrize("tenth", TENTHS)
def test_every_flipped_byte_of_a_document_fails(tenth: int) -> None:
    assert unnoticed(DOCUMENT, range(tenth, len(DOCUMENT), len(TENTHS))) == []


@pytest.mark.parametrize("tenth", TENTHS)
def test_every_flipped_byte_of_an_archive_fails(tenth: int) -> None:
    assert unnoticed(ARCHIVE, range(tenth, len(ARCHIVE), len(TENTHS))) == []


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(ARCHIVE) - 1), length=st.integers(1, 40), inserted=st.binary(max_size=4))
def test_any_splice_of_an_archive_fails(at: int, length: int, inserted: bytes) -> None:
    spliced = ARCHIVE[:at] + inserted + ARCHIVE[at + length :]
    with pytest.raises(verify.VerificationError):
        examine(spliced + b" " * (spliced == ARCHIVE))


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, len(DOCUMENT) - 1), mask=st.integers(1, 255))
def test_any_flip_fails_without_a_trust_file_too(at: int, mask: int) -> None:
    with pytest.raises(verify.VerificationError):
        verify.verify_file(flipped(DOCUMENT, at, mask), None)
