"""`manage.py token create`."""

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from audit.administration.tokens import create_token
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization, Person
from relcontrol.accounts.permissions import SCOPES
from relcontrol.accounts.selectors import found
from relcontrol.commands import Command as BaseCommand
from relcontrol.errors import invalid


class Command(BaseCommand):
    """Makes a token and prints it, and nothing else, on stdout. It cannot be shown again."""

    help = "Make a token: for a service with scopes, or for a person with that person's roles."
    example: ClassVar[str] = (
        "manage.py token create --organization northgate --name ci --scopes releases:write,gates:write"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, what for, and what it may do."""
        parser.add_argument("action", choices=["create"])
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--name", default="", help="what it is for, such as ci")
        parser.add_argument("--scopes", default="", help=f"comma-separated, of {', '.join(SCOPES)}")
        parser.add_argument("--person", metavar="EMAIL", help="a person's own token instead of scopes")
        parser.add_argument("--days", type=int, help="expires after so many days; never where it is left out")

    def handle(self, *args: Any, **options: Any) -> str:
        """The token."""
        organization = found(Organization.objects.all(), "organization", slug=options["organization"])
        email = options["person"]
        person = found(Person.objects.all(), "person", email__iexact=email) if email else None
        if not person and not options["name"]:
            raise invalid("name", "Give --name, which says what the token is for.")
        _, text = create_token(
            actor=command_actor(organization),
            name=options["name"] or "command line",
            scopes=[scope.strip() for scope in options["scopes"].split(",") if scope.strip()],
            person=person,
            days=options["days"],
        )
        return text
