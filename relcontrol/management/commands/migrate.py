"""`manage.py migrate`: Django's migrate, as the owner of the database."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands.migrate import Command as DjangoMigrate

from relcontrol.runtime.connections import grant_migration_records, migration_lock, use_role
from relcontrol.runtime.database import database_url
from relcontrol.runtime.postgres_roles import ensure_app_role


class Command(DjangoMigrate):
    """Adds the role that everything else connects as."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's options, and an example."""
        super().add_arguments(parser)
        parser.epilog = "Example: DATABASE_URL=postgresql://owner:secret@db.example/relcontrol manage.py migrate"

    def handle(self, *args: Any, **options: Any) -> None:
        """Become the owner, see to rc_app, migrate alone."""
        if settings.DATABASE_ROLE != "owner":
            use_role("owner")
            if database_url():
                ensure_app_role()
        with migration_lock():
            super().handle(*args, **options)
            grant_migration_records()
