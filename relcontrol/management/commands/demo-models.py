"""`manage.py demo-models`: an OpenAI-compatible server with no model behind it, for a first look and for tests."""

import argparse
import logging
import math
from typing import Any

import uvicorn
from django.core.management.base import CommandParser

from relcontrol import commands
from relcontrol.demo_models.app import demo_models
from relcontrol.demo_models.streams import is_no_broken_stream
from relcontrol.runtime.ports import DEMO_MODELS_OFFSET, PORT, port_number


class Command(commands.Command):
    """Starts the demo models; no database is needed."""

    help = "Serve the demo models: made-up answers in OpenAI's protocol, always the same for one seed."
    example = "manage.py demo-models --port 8003 --seed 7 --latency 0.5"

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen, how fast, and by which seed."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=port_number, default=PORT + DEMO_MODELS_OFFSET, help="default: %(default)s")
        parser.add_argument("--seed", type=int, default=0, help="of all answers (default: %(default)s)")
        parser.add_argument(
            "--latency", type=pace, default=1.0, help="factor of every pause, 0 for none (default: %(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        logging.getLogger("uvicorn.error").addFilter(is_no_broken_stream)
        uvicorn.run(
            demo_models(seed=options["seed"], latency=options["latency"]),
            host=options["host"],
            port=options["port"],
            loop="uvloop",
            http="httptools",
            ws="none",
            log_level="info",
            access_log=False,
            timeout_graceful_shutdown=5,
        )


def pace(text: str) -> float:
    """A factor from the command line."""
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 0 <= factor <= 100:
        raise argparse.ArgumentTypeError(f"a latency is a number from 0 to 100, not {text!r}")
    return factor
