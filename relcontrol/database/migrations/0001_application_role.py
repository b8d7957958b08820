"""The application role, before any table: what the owner creates from here on, `rc_app` may read and write.

`manage.py migrate` gives the role its login (relcontrol/runtime/database.py); this migration makes sure that it exists
and that each later table is granted to it as it is made. The audit migrations take rights away again.
"""

from typing import ClassVar

from django.db import migrations

ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rc_app') THEN
        CREATE ROLE rc_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of this cluster was migrated at the same moment
END $$;
GRANT USAGE ON SCHEMA public TO rc_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO rc_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO rc_app;
"""


class Migration(migrations.Migration):
    """Runs before every other migration that makes a table."""

    initial = True
    dependencies: ClassVar = []
    run_before: ClassVar = [
        ("contenttypes", "0001_initial"),
        ("sessions", "0001_initial"),
        ("accounts", "0001_initial"),
    ]
    operations: ClassVar = [migrations.RunSQL(ROLE, migrations.RunSQL.noop)]
