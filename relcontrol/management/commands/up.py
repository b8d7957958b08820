"""`manage.py up`: the whole system with one command."""

from typing import Any

from django.core.management.base import CommandParser

from relcontrol import commands
from relcontrol.runtime.ports import PORT, first_port_number
from relcontrol.runtime.up import run_up


class Command(commands.Command):
    """Starts and supervises every process; Ctrl-C stops all of them."""

    help = "Set up and start the whole system; Ctrl-C stops it."
    example = "RELCONTROL_DATA=/srv/relcontrol manage.py up --port 9000 --no-demo"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, and what to start with."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument(
            "--port",
            type=first_port_number,
            default=PORT,
            help="port of the web; then gateway, edge, models and witness of the demo (default: %(default)s)",
        )
        parser.add_argument("--no-demo", action="store_true", help="start without demo content")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped."""
        run_up(host=options["host"], port=options["port"], with_demo=not options["no_demo"], write=self._write)

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
