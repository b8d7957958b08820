"""Files that appear whole or not at all, readable by their owner only, and are on the disk when the call returns."""

import os
import secrets
import time
from pathlib import Path
from typing import Final

MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
PARTIAL: Final = ".partial"
FORGOTTEN_S: Final = 3600


def private_folder(folder: Path) -> Path:
    """The folder, made if it is missing."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return folder


def write_private(file: Path, content: bytes) -> None:
    """Put `content` in place of `file`. A process killed in the middle leaves the old file and a partial one."""
    partial = file.with_name(f"{file.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


def remove_partial(folder: Path) -> None:
    """Remove what processes that were killed left behind; what is being written now stays."""
    for partial in folder.glob(f"*{PARTIAL}"):
        try:
            if partial.stat().st_mtime < time.time() - FORGOTTEN_S:
                partial.unlink()
        except FileNotFoundError:
            continue  # another worker was quicker


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
