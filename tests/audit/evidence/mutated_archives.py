"""Mutations of the ZIP: its container, its manifest, its loose files and its report."""

import base64
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

from audit.exporting.bundle import zip_bytes
from audit.verify import AUTHENTICITY, INTEGRITY, PAYLOAD_TYPES
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence.bundles import release, whole, zipped
from tests.audit.evidence.spoiling import Case, Mutation
from tests.audit.pure import forgeries
from tests.audit.pure.chains import FOREIGN_EXPORT_KEY, RECEIPT_KEY

Files = dict[str, bytes]


def report(embedded: bytes, after: bytes = b"") -> bytes:
    """As much of a PDF as embeds a file. `after`: what its stream goes on with."""
    packed = zlib.compress(embedded) + after
    head = b"%%PDF-1.7\n1 0 obj\n<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed)
    return head + packed + b"\nendstream\nendobj\n"


def signed(change: Callable[[Files], object], **more: Any) -> Callable[[], Case]:
    """Other files under a new manifest, by the holder of the export key."""

    def spoil() -> Case:
        bundle = release()
        files = bundle.files()
        files["report.pdf"] = report(files["export.json"])
        change(files)
        return Case(zipped(files, **more), bundle.trust)

    return spoil


def packed(change: Callable[[Files], object]) -> Callable[[], Case]:
    """Other files under the old manifest, packed again by somebody without keys."""

    def spoil() -> Case:
        bundle = release()
        files = bundle.files()
        whole_zip = zipped(files)
        files["manifest.json"] = entries(whole_zip)["manifest.json"]
        change(files)
        return Case(zip_bytes(files), bundle.trust)

    return spoil


def entries(container: bytes) -> Files:
    """Read one of ours, plainly."""
    found, at = {}, 0
    while container[at : at + 4] == b"PK\x03\x04":
        size, length = struct.unpack_from("<I", container, at + 18)[0], struct.unpack_from("<H", container, at + 26)[0]
        start = at + 30 + length
        found[container[at + 30 : start].decode()] = container[start : start + size]
        at = start + size
    return found


def container(change: Callable[[bytearray], object]) -> Callable[[], Case]:
    """Other bytes of the container."""

    def spoil() -> Case:
        bundle = release()
        content = bytearray(bundle.zip())
        change(content)
        return Case(bytes(content), bundle.trust)

    return spoil


def renamed(new: bytes) -> Callable[[], Case]:
    """`verify.py` under a name of the same length, in both places where it stands."""

    def change(content: bytearray) -> None:
        content[:] = bytes(content).replace(b"verify.py", new)

    return container(change)


def bomb(content: bytearray) -> None:
    """The first file says that it is larger than it is stored."""
    struct.pack_into("<I", content, 22, 2**31)


def deflated(content: bytearray) -> None:
    struct.pack_into("<H", content, 8, 8)


def cut_line(files: Files) -> None:
    files["receipts.jsonl"] = files["receipts.jsonl"].split(b"\n", 1)[1]


def edit(name: str, content: bytes) -> Callable[[Files], object]:
    return lambda files: files.update({name: content})


def first(files: Files, folder: str) -> str:
    return next(name for name in sorted(files) if name.startswith(folder))


def foreign_manifest(files: Files) -> bytes:
    """The manifest's payload signed by the receipts key."""
    payload = base64.b64decode(json.loads(files["manifest.json"])["payload"])
    return canonical_bytes(forgeries.signed(payload, RECEIPT_KEY, PAYLOAD_TYPES["export"]))


CONTAINER, LISTED, LOOSE = "the container", "the files", "is not what export.json holds"
MUTATIONS = [
    Mutation("byte of the container flipped", container(lambda found: found.__setitem__(12, 1)), INTEGRITY, CONTAINER),
    Mutation("comment at the end", container(lambda found: found.extend(b"!")), INTEGRITY, CONTAINER),
    Mutation("archive truncated", container(lambda found: found.__delitem__(slice(-30, None))), INTEGRITY, CONTAINER),
    Mutation("name that leaves the folder", renamed(b"../ify.py"), INTEGRITY, CONTAINER),
    Mutation("absolute name", renamed(b"/erify.py"), INTEGRITY, CONTAINER),
    Mutation("name of a folder", renamed(b"verify.p/"), INTEGRITY, CONTAINER),
    Mutation("ZIP bomb by its size", container(bomb), INTEGRITY, CONTAINER),
    Mutation("ZIP bomb by its method", container(deflated), INTEGRITY, CONTAINER),
    Mutation("file changed", packed(edit("verify.py", b"print('all holds')\n")), INTEGRITY, "verify.py"),
    Mutation("file added", packed(edit("proofs/99.tlog-proof", b"")), INTEGRITY, LISTED),
    Mutation("file left out", packed(lambda files: files.pop("README.txt")), INTEGRITY, LISTED),
    Mutation("manifest left out", packed(lambda files: files.pop("manifest.json")), INTEGRITY, LISTED),
    Mutation(
        "manifest by a foreign key", signed(lambda _: None, key=FOREIGN_EXPORT_KEY), AUTHENTICITY, "an unknown key"
    ),
    Mutation(
        "manifest of another export",
        signed(lambda _: None, export_id="exp_01jd3v0000000000000000000b"),
        INTEGRITY,
        "another export",
    ),
    Mutation("export left out", signed(lambda files: files.pop("export.json")), INTEGRITY, LISTED),
    Mutation("unknown file, rightly signed", signed(edit("notes.txt", b"")), INTEGRITY, LISTED),
    Mutation(
        "export.json of other receipts",
        signed(lambda files: files.update({"export.json": whole().document()})),
        INTEGRITY,
        LOOSE,
    ),
    Mutation("receipts.jsonl shortened", signed(cut_line), INTEGRITY, LOOSE),
    Mutation("openings.json of others", signed(edit("openings.json", b"[]")), INTEGRITY, LOOSE),
    Mutation("keys.json of others", signed(edit("keys/keys.json", b"[]")), INTEGRITY, LOOSE),
    Mutation("keyring.json of others", signed(edit("keys/keyring.json", b"null")), INTEGRITY, LOOSE),
    Mutation(
        "loose checkpoint of others",
        signed(lambda files: files.update({first(files, "checkpoints/"): b"x"})),
        INTEGRITY,
        LOOSE,
    ),
    Mutation(
        "loose anchor of others", signed(lambda files: files.update({first(files, "anchors/"): b"x"})), INTEGRITY, LOOSE
    ),
    Mutation(
        "loose proof of others", signed(lambda files: files.update({first(files, "proofs/"): b"x"})), INTEGRITY, LOOSE
    ),
    Mutation("loose proof left out", signed(lambda files: files.pop(first(files, "proofs/"))), INTEGRITY, LOOSE),
    Mutation(
        "PDF of another export",
        signed(lambda files: files.update({"report.pdf": report(whole().document())})),
        INTEGRITY,
        "report.pdf",
    ),
    Mutation(
        "PDF with more after the export",
        signed(lambda files: files.update({"report.pdf": report(files["export.json"], b"more")})),
        INTEGRITY,
        "report.pdf",
    ),
    Mutation(
        "PDF that begins like the export again and again",
        signed(lambda files: files.update({"report.pdf": report(b"{") * 16 + report(files["export.json"])})),
        INTEGRITY,
        "report.pdf",
    ),
    Mutation("PDF without the export", signed(edit("report.pdf", b"%PDF-1.7\n")), INTEGRITY, "report.pdf"),
    Mutation(
        "manifest by a key of another purpose",
        packed(lambda files: files.update({"manifest.json": foreign_manifest(files)})),
        AUTHENTICITY,
        "key of another purpose",
    ),
]
