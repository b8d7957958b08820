"""`manage.py trust`."""

import json
from typing import Any, ClassVar

from django.core.management.base import CommandParser

from audit.keys.rotation import prepared_public_keys
from audit.trust import trust_document
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.commands import Command as BaseCommand


class Command(BaseCommand):
    """Prints the trust file that an auditor gets once, by another way than the exports."""

    help = "Print the trust file of an organization."
    example: ClassVar[str] = "manage.py trust --organization northgate > trust.json"

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("--organization", required=True, metavar="SLUG")
        parser.add_argument(
            "--prepared", action="store_true", help="with the keys of `keyring prepare`, for gateways before a rotation"
        )

    def handle(self, *args: Any, **options: Any) -> str:
        """The document as JSON."""
        organization = found(Organization.objects.all(), "organization", slug=options["organization"])
        document = trust_document(organization)
        if options["prepared"]:
            document["keys"] += [key.as_json() for key in prepared_public_keys()]
        return json.dumps(document, indent=2)
