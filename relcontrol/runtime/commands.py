"""What every `manage.py` command finds around it: a database that answers and is migrated, or one of its own for tests.

This happens before Django reads the settings, because the settings read the server's credentials.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import execute_from_command_line

from relcontrol.environment import MisconfiguredError
from relcontrol.runtime.console import say
from relcontrol.runtime.embedded_postgres import running
from relcontrol.runtime.folders import UnsafeFolderError
from relcontrol.runtime.processes import MARK

# `up` starts the database itself, after looking at ports and other runs; the others need none.
WITHOUT_DATABASE = frozenset(
    {
        "",
        "up",
        "test",
        "attest-weights",
        "demo-models",
        "demo-traffic",
        "gateway",
        "help",
        "version",
        "witness",
        "makemigrations",
        "schema",
        "collectstatic",
        "findstatic",
    }
    | {"diffsettings"}
)
# Acts of a command that needs one otherwise: they run on the machine of the root key, which is offline.
OFFLINE_ACTS = frozenset({("keyring", "root"), ("keyring", "sign")})
HELP_OPTIONS = frozenset({"-h", "--help", "--version"})


def run(argv: list[str]) -> None:
    """Run one command with its surroundings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "relcontrol.settings")
    try:
        with _surroundings(argv):
            execute_from_command_line(argv)
    except (MisconfiguredError, UnsafeFolderError) as error:
        say(str(error))
        sys.exit(1)


@contextmanager
def _surroundings(argv: list[str]) -> Iterator[None]:
    command = argv[1] if len(argv) > 1 else ""
    if command == "test":
        with _folder_of_tests():
            yield
    elif MARK in os.environ or not needs_database(command, argv[2:]):
        yield
    else:
        with running():
            if command != "migrate":
                _ensure_migrated()
            yield


def needs_database(command: str, options: list[str]) -> bool:
    """Whether a database must answer before this command starts."""
    if command in WITHOUT_DATABASE | HELP_OPTIONS or (command, *options[:1]) in OFFLINE_ACTS:
        return False
    return not HELP_OPTIONS.intersection(options)


def _ensure_migrated() -> None:
    django.setup()
    from relcontrol.runtime.connections import ensure_migrated  # noqa: PLC0415 - can be imported after setup() only

    ensure_migrated()


@contextmanager
def _folder_of_tests() -> Iterator[None]:
    """Tests and checks leave the data folder of the user alone."""
    folder = Path(tempfile.mkdtemp(prefix="relcontrol-checks-"))
    os.environ["RELCONTROL_DATA"] = str(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the folder goes then, too
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
