"""`manage.py person create`."""

import getpass
import sys
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from audit.administration.people import add_person
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization, Role
from relcontrol.accounts.selectors import found
from relcontrol.commands import Command as BaseCommand
from relcontrol.errors import invalid


class Command(BaseCommand):
    """Makes somebody a member of an organization. Prints her id."""

    help = "Make a person, or make a known person a member of another organization."
    example: ClassVar[str] = (
        "manage.py person create mara@example.com --organization northgate --role release-manager --password-stdin"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The action, the address, where and as what."""
        parser.add_argument("action", choices=["create"])
        parser.add_argument("email")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--role", action="append", required=True, choices=Role.values, help="may be repeated")
        parser.add_argument("--name", default="")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--no-password", action="store_true", help="the person signs in by a token only")

    def handle(self, *args: Any, **options: Any) -> str:
        """Ask for or read the password, then add."""
        organization = found(Organization.objects.all(), "organization", slug=options["organization"])
        membership = add_person(
            actor=command_actor(organization),
            email=options["email"],
            name=options["name"],
            roles=options["role"],
            password=None if options["no_password"] else _password(from_stdin=options["password_stdin"]),
        )
        return membership.person_id


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise invalid("password", "There is no terminal to ask on; give --password-stdin or --no-password.")
    first, second = getpass.getpass("Password: "), getpass.getpass("Again: ")
    if first != second:
        raise invalid("password", "The two are not the same.")
    return first
