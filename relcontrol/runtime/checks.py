"""The checks of `manage.py test` that run no test: style, types, templates, imports, migrations, the API's schema."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from relcontrol.runtime.folders import CHECKOUT

# mypy with the Django plugin takes up to a gigabyte, the others little.
MEMORY_FOR_TWO_KB = 2 * 1024 * 1024

# import-linter has no module to run.
LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


@dataclass(frozen=True, slots=True)
class Check:
    """One program that ends with 0 when all is well."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended, and what it printed."""

    check: Check
    passed: bool
    seconds: float
    output: str

    def line(self) -> str:
        """The result in one line."""
        return f"{'passed' if self.passed else 'FAILED'}  {self.check.name} ({self.seconds:.1f} s)"

    def report(self) -> str:
        """What somebody needs to repeat and to repair it."""
        return f"--- {self.check.name}: {shlex.join(self.check.command)}\n{self.output.strip()}"


def static_checks() -> list[Check]:
    """All of them, the longest first, so that it runs beside the others."""
    manage = [sys.executable, str(CHECKOUT / "manage.py")]
    return [
        Check("mypy", [*_tool("mypy"), "."]),
        # Beside mypy, as it leaves the tests compiled for the workers, which would each do it at the same time.
        Check("tests", [*_tool("pytest"), "--collect-only", "--quiet", "--quiet"]),
        Check("migrations", [*manage, "makemigrations", "--check", "--dry-run"]),
        Check("api schema", [*manage, "schema", "--check"]),
        Check("imports", [sys.executable, "-c", LINT_IMPORTS, "--no-cache"]),
        Check("templates", [*_tool("djlint"), "templates", "--lint", "--quiet"]),
        Check("template format", [*_tool("djlint"), "templates", "--check", "--quiet"]),
        Check("ruff", [*_tool("ruff"), "check", "."]),
        Check("ruff format", [*_tool("ruff"), "format", "--check", "."]),
    ]


def run_checks(checks: Sequence[Check]) -> Iterator[Outcome]:
    """The outcomes in the order in which the checks end."""
    with ThreadPoolExecutor(_parallel()) as pool:
        for future in as_completed([pool.submit(_run, check) for check in checks]):
            yield future.result()


def environment_of_checks() -> dict[str, str]:
    """Of pytest and the static checks: nothing is installed, and what they compile is kept."""
    environment = {**os.environ, "RELCONTROL_NO_BOOTSTRAP": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # Named already, the settings would be read before tests/conftest.py has started the database that they point to.
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return environment


def _tool(module: str) -> list[str]:
    # As modules: scripts in bin do not start where their path is too long for a first line.
    return [sys.executable, "-m", module]


def _run(check: Check) -> Outcome:
    begin = time.monotonic()
    finished = subprocess.run(
        check.command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=CHECKOUT,
        env=environment_of_checks(),
        check=False,
    )
    return Outcome(check, finished.returncode == 0, time.monotonic() - begin, finished.stdout)


def _parallel() -> int:
    """One at a time on a small machine, else as many as there are processors."""
    return max(os.cpu_count() or 1, 1) if _available_memory_kb() >= MEMORY_FOR_TWO_KB else 1


def _available_memory_kb() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return MEMORY_FOR_TWO_KB  # not Linux: it is not told
    return next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), 0)
