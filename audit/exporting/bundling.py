"""The third step of an export: its ZIP, written from the stored JSON and report by whoever holds the lease.

Every loose file is cut out of the JSON (audit/exporting/loose.py): measured once, and read again as it is written.
"""

from pathlib import Path

from audit import verify
from audit.exporting.bundle import BundleTooLargeError, File, container_size, manifest_of, measured, zip_pieces
from audit.exporting.loose import Loose, loose_files
from audit.exporting.parts import Keeper, Kind, Places, content_of, store
from audit.exporting.readme import readme
from audit.keys.keyring import signer
from audit.keys.signing import EXPORT
from audit.models import Export
from audit.schema_json import schema_bytes
from audit.verifier_page import verifier_page
from relcontrol.clock import now
from relcontrol.jobs.leases import Lease


def write_bundle(lease: Lease[Export]) -> tuple[str, int]:
    """Store the ZIP; its SHA-256 and size. Both are empty where the files are more than one such ZIP holds."""
    keeper, export = Keeper(lease), lease.job
    lease.keep(now(), done=0, of=2 * export.size + export.report_size)
    try:
        files = _files(export, keeper)
        pieces = zip_pieces(files)
    except BundleTooLargeError:
        return "", 0
    lease.keep(now(), done=0, of=container_size(files))
    return store(lease, Kind.ZIP, keeper.counted(pieces))


def _files(export: Export, keeper: Keeper) -> list[File]:
    loose = loose_files(lambda: keeper.through(content_of(export)), Places(export).pieces)
    files = [measured(name, content) for name, content in loose.files.items()]
    files.append(measured("export.json", lambda: keeper.through(content_of(export))))
    if export.report_sha256:
        files.append(measured("report.pdf", lambda: keeper.through(content_of(export, Kind.PDF))))
    files += [measured(name, content) for name, content in _programs().items()]
    files.append(measured("README.txt", readme(loose.manifest, sorted(file.name for file in files)).encode("utf-8")))
    return [*files, _manifest(loose, files)]


def _programs() -> dict[str, bytes]:
    return {
        "schema.json": schema_bytes(),
        "verify.html": verifier_page(),
        "verify.py": Path(verify.__file__).read_bytes(),
    }


def _manifest(loose: Loose, files: list[File]) -> File:
    """By the key that signed the document, at the document's own time: keys may have been rotated since."""
    document = loose.manifest
    return manifest_of(
        export_id=document["export_id"],
        origin=document["origin"],
        created_at=document["created_at"],
        files=files,
        key=signer(EXPORT, keyid=document["signer"]["keyid"]),
    )
