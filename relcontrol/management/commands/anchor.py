"""`manage.py anchor`: anchor an organization's log here and now, for cron and for a first look at a new sink."""

from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from audit.anchor_models import Anchor
from audit.anchors.checkpoints import anchor_now
from audit.anchors.working import make_anchor
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.commands import Command as BaseCommand
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run


class Command(BaseCommand):
    """Makes a checkpoint, gives it to every sink that is switched on, and says what each made of it."""

    help = "Anchor the log of an organization now. Exit code 1 where a sink failed; it is tried again by the worker."
    example: ClassVar[str] = "manage.py anchor --organization northgate --if-new"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, and whether only what is new."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument("--if-new", action="store_true", help="not where the newest checkpoint covers everything")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line for each sink."""
        organization = found(Organization.objects.all(), "organization", slug=options["organization"])
        checkpoint = anchor_now(actor=command_actor(organization), if_new=options["if_new"])
        failed = False
        for key in list(checkpoint.anchors.order_by("sink__name").values_list("pk", flat=True)):
            run(Anchor.objects.filter(pk=key), make_anchor)
            anchor = Anchor.objects.select_related("sink").get(pk=key)
            failed = failed or anchor.state != LeasedJob.State.DONE
            said = f"proves {anchor.proved_at:%Y-%m-%d %H:%M:%S} UTC" if anchor.proved_at else anchor.last_problem
            self.stdout.write(f"#{checkpoint.size} {anchor.sink.name}: {anchor.state}, {said}")
        if failed:
            raise CommandError("Not every sink has anchored it.")
