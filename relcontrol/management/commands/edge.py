"""`manage.py edge`: the ASGI process for what is frequent and small."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import CommandParser
from django.db import connections

from relcontrol import commands
from relcontrol.runtime.ports import EDGE_OFFSET, PORT, port_number
from releases.edge.server import SECONDS_TO_DRAIN, EdgeServer, configuration
from releases.workers.supervising import Plan, supervise

END_SECONDS: Final = SECONDS_TO_DRAIN + 10  # and for the last heartbeats and rows
MOST_WORKERS: Final = 64


class Command(commands.Command):
    """Starts one edge process, or several that share the port."""

    help = "Serve the edge: routing watch, heartbeats, traces."
    example = "manage.py edge --host 0.0.0.0 --port 8002 --workers 2"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=port_number, default=PORT + EDGE_OFFSET, help="default: %(default)s")
        workers = "processes that share the port, one for each core (default: %(default)s)"
        parser.add_argument(
            "--workers", type=int, choices=range(1, MOST_WORKERS + 1), metavar="N", default=1, help=workers
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        if options["workers"] == 1:
            EdgeServer(configuration(options["host"], options["port"])).run()
        else:
            sys.exit(_by_several(options["host"], options["port"], options["workers"]))


def _by_several(host: str, port: int, workers: int) -> int:
    connections.close_all()  # the supervisor needs none
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="relcontrol-edge-") as folder:
        plan = Plan(
            name="edge",
            module="releases.edge.worker",
            host=host,
            port=port,
            workers=workers,
            metrics=Path(folder),
            end_seconds=END_SECONDS,
        )
        return supervise(plan)
