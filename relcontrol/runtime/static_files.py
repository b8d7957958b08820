"""Collects static files when, and only when, one of them has changed since the last time."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from relcontrol.runtime.console import say
from relcontrol.runtime.private_files import write_private

UNUSED = ["rest_framework"]  # its pages are never rendered, and to compress what they show takes seconds


def ensure_collected() -> None:
    """Bring STATIC_ROOT up to date."""
    root = Path(settings.STATIC_ROOT)
    stamp_file, wanted = root.with_name(f"{root.name}.stamp"), _stamp()
    if root.exists() and stamp_file.exists() and stamp_file.read_text() == wanted:
        return
    say("collecting static files ...")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=UNUSED)
    write_private(stamp_file, wanted)


def _stamp() -> str:
    """Name, size and time of every file that the finders see."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
