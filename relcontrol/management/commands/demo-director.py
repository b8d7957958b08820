"""`manage.py demo-director`: acts as the demo's people until two releases are rolled out and the judge has judged."""

import signal
import threading
from typing import Any

from relcontrol import commands
from relcontrol.demo.directing import direct


class Command(commands.Command):
    """Ends by itself; started again, it goes on where it was."""

    help = "Roll the demo's first two releases out and have its judge measured, as its people would."
    example = "manage.py demo-director"

    def handle(self, *args: Any, **options: Any) -> None:
        """Until there is nothing left to do, or a stop signal."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            direct(self._write, threading.Event().wait)
        except KeyboardInterrupt:
            return

    def _write(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
