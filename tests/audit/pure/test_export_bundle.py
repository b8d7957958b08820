"""The ZIP of an export, to the byte; Python's zipfile is the second implementation."""

import base64
import hashlib
import io
import json
import zipfile

import pytest

from audit.envelope import pae
from audit.exporting import bundle as export_bundle
from audit.exporting.bundle import (
    BundleChangedError,
    BundleTooLargeError,
    container_size,
    measured,
    zip_bytes,
    zip_pieces,
)
from tests.audit.pure.chains import EXPORT_ID, EXPORT_KEY, LONG_AGO, ORIGIN, RECEIPT_KEY

FILES = {"verify.py": b"print()\n", "README.txt": b"", "checkpoints/12.txt": "née\n".encode(), "export.json": b"{}"}
GOLDEN = "aeb8ab16324ed421ea8b3dbe431dca30f5f34f7b7636514661b79f280ebac75e"


def test_another_program_reads_what_was_put_in() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_bytes(FILES))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == FILES


def test_every_field_of_an_entry_is_fixed() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_bytes(FILES))) as read:
        assert [one.filename for one in read.infolist()] == sorted(FILES, key=str.encode)
        for one in read.infolist():
            assert (one.compress_type, one.flag_bits, one.extract_version) == (zipfile.ZIP_STORED, 0x0800, 20)
            assert (one.create_system, one.create_version) == (3, 20)
            assert (one.date_time, one.external_attr) == ((1980, 1, 1, 0, 0, 0), 0o100644 << 16)
            assert (one.extra, one.comment, one.compress_size) == (b"", b"", one.file_size)
        assert read.comment == b""


def test_the_bytes_are_these_for_ever() -> None:
    assert hashlib.sha256(zip_bytes(FILES)).hexdigest() == GOLDEN


def test_the_order_in_which_files_are_given_changes_nothing() -> None:
    assert zip_bytes(dict(reversed(FILES.items()))) == zip_bytes(FILES)


def test_its_size_is_known_before_a_byte_is_written() -> None:
    files = [measured(name, content) for name, content in FILES.items()]
    assert container_size(files) == len(zip_bytes(FILES))


@pytest.mark.parametrize(
    "name", ["../a", "/a", "a/", "a//b", "a/b/c", "A.txt", ".a", "a/.b", "a b", "", "a\\b", "readme\n", "é"]
)
def test_a_name_that_could_mislead_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        measured(name, b"")


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        zip_pieces([measured("a", b"1"), measured("a", b"2")])


def test_what_needs_zip64_is_refused_before_a_byte_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_bundle, "MOST_BYTES", 300)
    with pytest.raises(BundleTooLargeError, match="may be 300"):
        zip_pieces([measured("a", b"1" * 150), measured("b", b"2" * 100)])
    with pytest.raises(BundleTooLargeError, match="a is 301 bytes"):
        measured("a", b"1" * 301)
    monkeypatch.setattr(export_bundle, "MOST_FILES", 1)
    with pytest.raises(BundleTooLargeError, match="2 files"):
        zip_pieces([measured("a", b""), measured("b", b"")])


def test_a_file_that_changes_between_the_passes_is_noticed() -> None:
    passes = iter([[b"one"], [b"two"]])
    file = measured("a", lambda: next(passes))
    with pytest.raises(BundleChangedError, match="a changed"):
        list(zip_pieces([file]))


def test_the_manifest_is_signed_over_every_other_file() -> None:
    files = [measured(name, content) for name, content in FILES.items()]
    manifest = export_bundle.manifest_of(
        export_id=EXPORT_ID, origin=ORIGIN, created_at=LONG_AGO, files=files, key=EXPORT_KEY
    )
    envelope = json.loads(b"".join(manifest.content()))
    payload = base64.b64decode(envelope["payload"])
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    EXPORT_KEY.private.public_key().verify(signature, pae(envelope["payloadType"], payload))
    said = json.loads(payload)
    assert said.pop("files") == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} for name, content in FILES.items()
    }
    assert said == {
        "schema": "relcontrol/bundle/v1",
        "export_id": EXPORT_ID,
        "origin": ORIGIN,
        "created_at": LONG_AGO,
        "signer": {"keyid": EXPORT_KEY.keyid, "role": "export"},
    }


def test_a_receipts_key_cannot_sign_a_manifest() -> None:
    with pytest.raises(ValueError, match="purpose export"):
        export_bundle.manifest_of(export_id=EXPORT_ID, origin=ORIGIN, created_at=LONG_AGO, files=[], key=RECEIPT_KEY)
