"""`manage.py demo-traffic`: made-up users of the demo, who ask the gateway."""

import argparse
import asyncio
import math
import signal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from relcontrol import commands
from relcontrol.demo_traffic.questions import questions
from relcontrol.demo_traffic.sending import send
from relcontrol.runtime.ports import GATEWAY_OFFSET, PORT
from relcontrol.runtime.private_files import read_text

MOST = 1_000


class Command(commands.Command):
    """Asks until it is stopped; no database is needed."""

    help = "Send made-up questions of made-up users through a gateway: a demo, always the same for one seed."
    example = "manage.py demo-traffic --gateway http://127.0.0.1:8001 --key-file var/demo-application-key --rate 30"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom to ask, as whom, and how much."""
        address = f"http://127.0.0.1:{PORT + GATEWAY_OFFSET}"
        parser.add_argument("--gateway", default=address, help="address of the gateway (default: %(default)s)")
        parser.add_argument("--key-file", required=True, metavar="FILE", help="holds the text of an application key")
        parser.add_argument("--rate", type=rate, default=30.0, help="requests a second (default: %(default)g)")
        parser.add_argument("--seed", type=int, default=0, help="of the questions (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask until SIGTERM or Ctrl-C."""
        key = read_text(Path(options["key_file"]))
        if not key:
            raise CommandError(
                f"There is no key in {options['key_file']}: `manage.py application-key create` makes one."
            )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        seed = options["seed"]
        traffic = send(
            gateway=options["gateway"],
            key=key,
            asked=questions(seed),
            rate=options["rate"],
            seed=seed,
            write=self._write,
        )
        try:
            asyncio.run(traffic)
        except KeyboardInterrupt:
            return

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def rate(text: str) -> float:
    """Requests a second from the command line."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= MOST:
        raise argparse.ArgumentTypeError(f"a rate is more than 0 and at most {MOST} requests a second, not {text!r}")
    return value
