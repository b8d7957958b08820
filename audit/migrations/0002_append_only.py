"""Receipts are append-only in the database itself (receipts.md "Append").

The triggers are ENABLE ALWAYS, as plain ones do not fire under `session_replication_role = replica`; and the
application role loses the rights that it would need. A later column of this table stays nullable for ever: there is no
back-fill.
"""

from typing import ClassVar

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'receipts are append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_receipt_no_change BEFORE UPDATE OR DELETE ON audit_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_receipt_no_truncate BEFORE TRUNCATE ON audit_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
ALTER TABLE audit_receipt ENABLE ALWAYS TRIGGER audit_receipt_no_change;
ALTER TABLE audit_receipt ENABLE ALWAYS TRIGGER audit_receipt_no_truncate;
REVOKE UPDATE, DELETE, TRUNCATE ON audit_receipt FROM rc_app;
"""
MUTABLE = """
DROP TRIGGER audit_receipt_no_change ON audit_receipt;
DROP TRIGGER audit_receipt_no_truncate ON audit_receipt;
DROP FUNCTION audit_refuse_change();
GRANT UPDATE, DELETE ON audit_receipt TO rc_app;
"""


class Migration(migrations.Migration):
    """Triggers and rights of the receipts table."""

    dependencies: ClassVar = [("audit", "0001_initial")]
    operations: ClassVar = [migrations.RunSQL(APPEND_ONLY, MUTABLE)]
