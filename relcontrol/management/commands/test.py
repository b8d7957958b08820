"""`manage.py test`: static checks, then the test suite; with arguments, pytest alone."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from relcontrol import commands
from relcontrol.runtime.checks import Outcome, environment_of_checks, run_checks, static_checks
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.processes import die_with_parent

# Five on two cores, as much of what is tested waits for processes and clocks of its own. A file stays on one worker, so
# that what its tests share is started once; in the order of their names, the long ones come early.
IN_PARALLEL = ("-n", "5", "--dist", "loadfile", "--no-loadscope-reorder")


class Command(commands.Command):
    """Replaces Django's test runner with pytest. Its last line is pytest's summary."""

    help = "Run all checks and tests. Arguments go to pytest, which then runs alone."
    example = "manage.py test\n  manage.py test tests/runtime -k ports"

    def run_from_argv(self, argv: list[str]) -> None:
        """Take the arguments as they are: they are pytest's, not ours."""
        if {"-h", "--help"} & set(argv[2:]):
            self.print_help(argv[0], argv[1])
        else:
            sys.exit(self._run(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        """As call_command starts it: everything."""
        sys.exit(self._run(()))

    def _run(self, arguments: Sequence[str]) -> int:
        if arguments:
            return _pytest(arguments)
        failed = self._check()
        code = _pytest(IN_PARALLEL)
        return code or int(failed)

    def _check(self) -> bool:
        """Run the static checks; whether one failed. Their reports stand before the output of pytest."""
        failed: list[Outcome] = []
        for outcome in run_checks(static_checks()):
            self._write(outcome.line())
            failed += [] if outcome.passed else [outcome]
        for outcome in failed:
            self._write(outcome.report())
        if failed:
            self._write(f"FAILED before the tests: {', '.join(outcome.check.name for outcome in failed)}")
        return bool(failed)

    def _write(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _pytest(arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    # Ended like by Ctrl-C, with its database, when this command is killed.
    prepare, environment = die_with_parent(signal.SIGINT), environment_of_checks()
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, preexec_fn=prepare).returncode
