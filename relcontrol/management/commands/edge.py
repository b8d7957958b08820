"""`manage.py edge`: the ASGI process for what is frequent and small."""

from typing import Any

from django.core.management.base import CommandParser

from relcontrol import commands
from relcontrol.runtime.ports import EDGE_OFFSET, PORT, port_number
from releases.edge.server import EdgeServer, configuration


class Command(commands.Command):
    """Starts one edge process; start more of them behind a balancer to scale."""

    help = "Serve the edge: routing watch, heartbeats, traces."
    example = "manage.py edge --host 0.0.0.0 --port 8002"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=port_number, default=PORT + EDGE_OFFSET, help="default: %(default)s")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        EdgeServer(configuration(options["host"], options["port"])).run()
