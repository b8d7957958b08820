"""`manage.py application-key create`."""

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from audit.administration.application_keys import create_application_key
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import application_named, found
from relcontrol.commands import Command as BaseCommand


class Command(BaseCommand):
    """Makes an application key and prints it, and nothing else, on stdout. It cannot be shown again."""

    help = "Make a key with which clients of an application call its gateways."
    example: ClassVar[str] = "manage.py application-key create legal-assistant web-app --organization northgate"

    def add_arguments(self, parser: CommandParser) -> None:
        """Of what, for whom, and where its requests go."""
        parser.add_argument("action", choices=["create"])
        parser.add_argument("application", metavar="APPLICATION", help="the slug, such as legal-assistant")
        parser.add_argument("name", metavar="NAME", help="who calls with it, such as web-app")
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--route", metavar="NAME", help="takes its requests that name no route; else the default")

    def handle(self, *args: Any, **options: Any) -> str:
        """The key."""
        organization = found(Organization.objects.all(), "organization", slug=options["organization"])
        application = application_named(organization, options["application"])
        wanted = options["route"]
        route = found(application.routes.all(), "route", **_named(wanted)) if wanted else None
        _, text = create_application_key(
            actor=command_actor(organization), application=application, name=options["name"], route=route
        )
        return text


def _named(wanted: str) -> dict[str, str]:
    return {"pk" if wanted.startswith("rte_") else "name": wanted}
