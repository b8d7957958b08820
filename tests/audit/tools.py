"""Programs of others that look at a PDF; where one is missing, the test says which package it needs."""

import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = {"pdftotext": "poppler-utils", "pdfdetach": "poppler-utils", "pdfinfo": "poppler-utils", "qpdf": "qpdf"}


def ran(name: str, *arguments: str | Path) -> str:
    """What the program prints; it must end well."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed: apt-get install {PACKAGES[name]}")
    command = [program, *map(str, arguments)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def text_of(pdf: bytes, folder: Path) -> str:
    """What stands on the pages, as one line."""
    file = folder / "report.pdf"
    file.write_bytes(pdf)
    return " ".join(ran("pdftotext", "-layout", file, "-").split())
