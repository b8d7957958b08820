"""Nodes of the log are append-only in the database itself, as receipts are; chains from before have theirs made.

The nodes follow from the receipts, which are read and never touched.
"""

from typing import ClassVar

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from audit.log.history import make_missing_logs

APPEND_ONLY = """
CREATE FUNCTION audit_refuse_node_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'nodes of the log are append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_lognode_no_change BEFORE UPDATE OR DELETE ON audit_lognode
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_node_change();
CREATE TRIGGER audit_lognode_no_truncate BEFORE TRUNCATE ON audit_lognode
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_node_change();
ALTER TABLE audit_lognode ENABLE ALWAYS TRIGGER audit_lognode_no_change;
ALTER TABLE audit_lognode ENABLE ALWAYS TRIGGER audit_lognode_no_truncate;
REVOKE UPDATE, DELETE, TRUNCATE ON audit_lognode FROM rc_app;
"""
MUTABLE = """
DROP TRIGGER audit_lognode_no_change ON audit_lognode;
DROP TRIGGER audit_lognode_no_truncate ON audit_lognode;
DROP FUNCTION audit_refuse_node_change();
GRANT UPDATE, DELETE ON audit_lognode TO rc_app;
"""


def make_logs(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Give every chain its nodes and its frontier."""
    make_missing_logs(editor.connection)


class Migration(migrations.Migration):
    """Triggers, rights and history of the nodes table."""

    dependencies: ClassVar = [("audit", "0005_evidence")]
    operations: ClassVar = [
        migrations.RunSQL(APPEND_ONLY, MUTABLE),
        migrations.RunPython(make_logs, migrations.RunPython.noop),
    ]
