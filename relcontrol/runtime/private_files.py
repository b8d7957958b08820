"""Files that only their owner reads, such as keys and tokens: written whole or not at all (standard library only)."""

import os
from pathlib import Path

MODE = 0o600


def write_private(file: Path, text: str) -> None:
    """Put `text` into a file with mode 0600; whoever reads at the same time sees the old text or the new one."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


def read_text(file: Path) -> str:
    """What stands in a file, without the white space around it; empty where there is no file."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
