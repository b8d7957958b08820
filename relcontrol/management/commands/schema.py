"""`manage.py schema`: write the OpenAPI document, or check that the committed one is right."""

from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from relcontrol.api.openapi import FILE, generated
from relcontrol.commands import Command as BaseCommand


class Command(BaseCommand):
    """Keeps `relcontrol/api/openapi.json` equal to the calls."""

    help = "Write the OpenAPI document of the REST API, or check it."
    example: ClassVar[str] = "manage.py schema --check"

    def add_arguments(self, parser: CommandParser) -> None:
        """Check only, or write."""
        parser.add_argument("--check", action="store_true", help="write nothing; fail where the file differs")

    def handle(self, *args: Any, **options: Any) -> str:
        """The file's name."""
        text = generated()
        if options["check"]:
            if not FILE.exists() or FILE.read_text() != text:
                raise CommandError(f"{FILE.name} is not what the code says. Run `manage.py schema` and commit it.")
        else:
            FILE.write_text(text)
        return str(FILE)
