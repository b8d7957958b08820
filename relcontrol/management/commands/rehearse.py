"""`manage.py rehearse`: the ten release failures against the running system, in a throw-away organization."""

import argparse
import sys
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from relcontrol import commands
from relcontrol.rehearsal.catalogue import BY_NUMBER
from relcontrol.rehearsal.running.playing import System, rehearse, summary, table
from relcontrol.runtime.answering import says_ok
from relcontrol.runtime.ports import EDGE_OFFSET, LOOPBACK, PORT, first_port_number
from relcontrol.runtime.services import base_url

ALL = "all"


class Command(commands.Command):
    """Exit code 0 only where everything was stopped at its stage, and the healthy release was left alone."""

    help = "Act out the ten release failures against the running system; `all` in under five minutes."
    example = "manage.py rehearse all --port 8000"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which failure, and which system."""
        parser.add_argument("failure", nargs="?", default=ALL, type=number, help="1 to 10, healthy, or all (default)")
        parser.add_argument("--host", default=LOOPBACK, help="where `manage.py up` listens (default: %(default)s)")
        parser.add_argument("--port", type=first_port_number, default=PORT, help="of its web (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Act, and say what stopped each."""
        host, port, chosen = options["host"], options["port"], options["failure"]
        system = System(base_url(host, port), base_url(host, port + EDGE_OFFSET))
        if not (says_ok(f"{system.web}/healthz") and says_ok(f"{system.edge}/healthz")):
            raise CommandError(
                f"Nothing answers at {system.web} and {system.edge}: start `manage.py up`, or give --port."
            )
        began = time.monotonic()
        played = rehearse(system, sorted(BY_NUMBER) if chosen == ALL else [chosen], self._write)
        if chosen == ALL:
            for line in table(played):
                self._write(line)
        self._write(f"{summary(played)}, in {time.monotonic() - began:.0f} s")
        if not all(each.is_well for each in played):
            sys.exit(1)

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def number(text: str) -> int | str:
    """A failure of the command line."""
    if text == ALL:
        return ALL
    if text == "healthy":
        return 0
    if not (text.isascii() and text.isdecimal() and int(text) in BY_NUMBER and int(text)):
        raise argparse.ArgumentTypeError(f"a failure is a number from 1 to 10, healthy, or all, not {text!r}")
    return int(text)
