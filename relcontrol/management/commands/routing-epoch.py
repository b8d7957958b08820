"""`manage.py routing-epoch`: what a database that was restored from a copy needs before its gateways hear of it."""

from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.db import transaction

from audit.administration.routing import next_epoch
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.commands import Command as BaseCommand
from relcontrol.errors import invalid


class Command(BaseCommand):
    """Begins a new epoch of the routing: gateways take its generations, although they are lower than before."""

    help = "Begin a new epoch of an organization's routing, after its database was restored from a copy."
    example: ClassVar[str] = "manage.py routing-epoch --all"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which organizations."""
        parser.add_argument("slug", nargs="*", help="organizations, such as northgate")
        parser.add_argument("--all", action="store_true", help="every organization of this database")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str:
        """One line for each organization: everything or nothing."""
        if bool(options["slug"]) == options["all"]:
            raise invalid("slug", "Name organizations, or give --all.")
        rows = Organization.objects.order_by("pk")
        wanted = list(rows) if options["all"] else [found(rows, "organization", slug=slug) for slug in options["slug"]]
        states = [(row.slug, next_epoch(row)) for row in sorted(wanted, key=lambda row: row.pk)]
        return "\n".join(f"{slug}: epoch {state.epoch}, generation {state.generation}" for slug, state in states)
