"""`manage.py organization create`."""

from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.db import transaction

from audit.administration.applications import create_application, create_route
from audit.administration.organizations import create_organization
from relcontrol.accounts.actors import command_actor
from relcontrol.commands import Command as BaseCommand
from relcontrol.errors import invalid


class Command(BaseCommand):
    """Makes an organization, with applications and a route of each. Prints its id."""

    help = "Make an organization."
    example: ClassVar[str] = (
        "manage.py organization create northgate --application legal-assistant --route domain=legal"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The action, the slug and what to make in it."""
        parser.add_argument("action", choices=["create"])
        parser.add_argument("slug", help="short name in addresses, such as northgate")
        parser.add_argument("--name", default="", help="name for people; the slug where it is left out")
        parser.add_argument("--application", action="append", default=[], metavar="SLUG", help="may be repeated")
        parser.add_argument(
            "--route", action="append", default=[], metavar="KEY=VALUE[,KEY=VALUE]", help="route of each application"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str:
        """Everything or nothing."""
        organization = create_organization(slug=options["slug"], name=options["name"])
        actor = command_actor(organization)
        routings = [routing_of(text) for text in options["route"]]
        if routings and not options["application"]:
            raise invalid("route", "A route belongs to an application; give --application too.")
        for slug in options["application"]:
            application = create_application(actor=actor, slug=slug)
            for routing in routings:
                create_route(actor=actor, application=application, routing=routing)
        return organization.pk


def routing_of(text: str) -> dict[str, str]:
    """`domain=legal,region=eu` as routing."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not pairs or any(not separator for _, separator, _ in pairs):
        raise invalid("route", f"{text!r} is no routing; write key=value, such as domain=legal.")
    return {key.strip(): value.strip() for key, _, value in pairs}
