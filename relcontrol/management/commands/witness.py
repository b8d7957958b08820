"""`manage.py witness`: run a witness for the logs of others (receipts.md "Anchors")."""

import argparse
from pathlib import Path
from typing import Any

import uvicorn
from django.core.management.base import CommandError, CommandParser

from audit.log.notes import NOTE, NoteError, parse_vkey
from relcontrol import commands
from relcontrol.witness.app import Witness
from relcontrol.witness.ledger import Ledger

NAME = "relcontrol.local/witness"


class Command(commands.Command):
    """Starts the witness; no database is needed. Run it where the log's operator cannot change its folder."""

    help = (
        "Run a witness (C2SP tlog-witness): it cosigns the checkpoints of the given logs as long as they merely grow. "
        "Its key and what it has seen are in the folder; it prints its verifier key."
    )
    example = "manage.py witness --listen 127.0.0.1:8007 --folder /var/lib/witness --log 'relcontrol.local/demo+1a2b…'"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where it listens and keeps its state, and which logs it knows."""
        parser.add_argument("--listen", type=_listening, required=True, metavar="HOST:PORT")
        parser.add_argument("--folder", type=Path, required=True, help="made where it is missing; back it up")
        parser.add_argument(
            "--log",
            type=_log,
            action="append",
            required=True,
            metavar="VKEY",
            help="verifier key of a log, as Settings → Anchors shows it; repeat it for further logs and keys",
        )
        parser.add_argument("--name", default=NAME, help="name of its key, never to change (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        logs = dict[str, list[bytes]]()
        for origin, public in options["log"]:
            logs.setdefault(origin, []).append(public)
        folder = options["folder"]
        try:
            ledger = Ledger(folder)
            witness = Witness(name=options["name"], key=ledger.key(), logs=logs, ledger=ledger)
            verifier_key = witness.vkey
        except NoteError as error:
            raise CommandError(f"--name: {error}", returncode=2) from error
        except (OSError, ValueError) as error:
            raise CommandError(f"The folder {folder} cannot be used: {error}") from error
        self.stdout.write(verifier_key)
        self.stdout.flush()
        host, port = options["listen"]
        uvicorn.run(witness.app(), host=host, port=port, ws="none", log_level="warning", access_log=False)


def _listening(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"give an address and a port such as 127.0.0.1:8007, not {text!r}")
    return host.strip("[]"), int(port)


def _log(text: str) -> tuple[str, bytes]:
    try:
        name, public, kind = parse_vkey(text)
    except NoteError as error:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no verifier key: {error}") from error
    if kind != NOTE:
        raise argparse.ArgumentTypeError(f"{name} is the key of a witness; give the key of a log")
    return name, public
