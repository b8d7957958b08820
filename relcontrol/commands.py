"""The base of our management commands: an example in every `--help`, one line of result on stdout, errors in words."""

from argparse import RawDescriptionHelpFormatter
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from relcontrol.errors import DomainError


class Command(BaseCommand):
    """A command with `example` lines, whose domain errors become one sentence on stderr and exit code 1."""

    example: ClassVar[str] = ""
    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]  # the checks run in the tests and in `up`

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """The parser with the example below the options."""
        epilog = f"example:\n  {self.example}"
        return super().create_parser(
            prog_name, subcommand, epilog=epilog, formatter_class=RawDescriptionHelpFormatter, **kwargs
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run, and say domain errors as sentences."""
        try:
            return super().execute(*args, **options)
        except DomainError as error:
            details = "".join(f"\n  {item.field}: {item.message}" for item in error.errors[:50])
            raise CommandError(f"{error.detail}{details}") from error
