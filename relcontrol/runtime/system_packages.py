"""What pip cannot install: Pango for PDFs, programs that test them, Chromium, Debian's venv (standard library only).

As root on Debian the missing packages are installed; otherwise the one command to run is printed, and the command goes
on: only PDFs (or browser tests) are missing then.
"""

import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from relcontrol.runtime.console import say

PANGO_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")
PANGO_LIBRARIES_MACOS = ("libpango-1.0.dylib", "libpangoft2-1.0.dylib", "libharfbuzz-subset.dylib")
PANGO_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
PDF_PROGRAMS = {"pdftotext": "poppler-utils", "qpdf": "qpdf"}  # others' eyes on our PDFs, in tests
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
SERVING_COMMANDS = ("up", "test")


def ensure_system_packages(command: str) -> None:
    """Install or ask for what `command` needs of the system."""
    missing = missing_packages(command)
    if missing:
        _install_or_ask(missing)


def missing_packages(command: str) -> list[str]:
    """Names of the Debian packages that `command` needs and that are not here."""
    missing: list[str] = []
    if command in SERVING_COMMANDS and not pango_loads():
        missing += PANGO_PACKAGES
    if command == "test" and chromium() is None:
        missing.append("chromium")
    if command == "test":
        missing += [package for program, package in PDF_PROGRAMS.items() if shutil.which(program) is None]
    return missing


def ensure_python_can_make_environments() -> None:
    """Debian keeps ensurepip in a package of its own."""
    if importlib.util.find_spec("ensurepip") is None:
        _install_or_ask([f"python{sys.version_info.major}.{sys.version_info.minor}-venv"])
        importlib.invalidate_caches()


def pango_loads() -> bool:
    """Whether the libraries that WeasyPrint opens can be opened."""
    try:
        for library in PANGO_LIBRARIES_MACOS if sys.platform == "darwin" else PANGO_LIBRARIES:
            ctypes.CDLL(library)
    except OSError:
        return False
    return True


def chromium() -> str | None:
    """The browser of the tests: RELCONTROL_CHROMIUM, else the first one in the PATH."""
    if given := os.environ.get("RELCONTROL_CHROMIUM"):
        return given
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def _install_or_ask(packages: Sequence[str]) -> None:
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        say(f"installing system packages: {' '.join(packages)} ...")
        if _apt(install) or (_apt(["apt-get", "update"]) and _apt(install)):
            return
    say(f"missing on this system: {' '.join(packages)}. On Debian or Ubuntu run: sudo {shlex.join(install)}")


def _apt(command: Sequence[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    finished = subprocess.run([*command, "-qq"], stdout=subprocess.DEVNULL, env=environment, check=False)
    return finished.returncode == 0
