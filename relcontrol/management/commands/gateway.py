"""`manage.py gateway`: the data plane. It only starts `python -m releases.gateway`, a process without Django."""

import argparse
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from relcontrol import commands
from releases.gateway.options import add_options, gateway_options

OPTIONS = (
    *("host", "port", "workers", "control", "token_file", "trust", "data", "region", "replica"),
    *("max_body", "timeout", "concurrency"),
)


class Command(commands.Command):
    """Becomes the gateway: this process is replaced, so that signals and exit codes are the gateway's own."""

    help = "Serve an organization's LLM applications: OpenAI-compatible, releases chosen by the control plane."
    example = "manage.py gateway --control http://127.0.0.1:8001 --trust trust.json --token-file token --data gateway"

    def add_arguments(self, parser: CommandParser) -> None:
        """The gateway's own options."""
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the options here, where an error is a sentence, and start."""
        try:
            gateway_options(argparse.Namespace(**options))
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        given = [f"--{name.replace('_', '-')}={options[name]}" for name in OPTIONS]
        command = [sys.executable, "-m", "releases.gateway", *given]
        paths = os.pathsep.join(filter(None, [str(settings.BASE_DIR), os.environ.get("PYTHONPATH")]))
        sys.stdout.flush()
        os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": paths})  # noqa: S606 - our own module
