"""Emptying the tables between transaction tests, although receipts cannot be deleted and rc_app cannot truncate.

Only here, in the tests: the triggers on receipts are disabled for one TRUNCATE and are ALWAYS triggers again after it.
"""

from collections.abc import Callable
from typing import Any

SqlFlush = Callable[..., list[str]]

# Each statement works on the triggers that are there, so that a new one needs no change here.
SWITCH_TRIGGERS = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
        WHERE tgrelid = to_regclass('audit_receipt') AND NOT tgisinternal
    LOOP
        EXECUTE format('ALTER TABLE %s {switch} TRIGGER %I', found.relation, found.tgname);
    END LOOP;
END $$
"""

# Django does not manage the partitioned table, so it would leave the traces of one test to the next.
TRUNCATE_TRACES = """
DO $$ BEGIN
    IF to_regclass('releases_trace') IS NOT NULL THEN TRUNCATE releases_trace; END IF;
END $$
"""


def flush_with_receipts(sql_flush: SqlFlush) -> SqlFlush:
    """Django's `sql_flush`, run as the owner with the triggers of receipts out of the way."""

    def flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        statements = sql_flush(self, style, tables, **options)
        if not statements:
            return []
        return [
            "SET ROLE NONE",  # not RESET ROLE, which goes back to the role of the connection's options
            SWITCH_TRIGGERS.format(switch="DISABLE"),
            *statements,
            TRUNCATE_TRACES,
            SWITCH_TRIGGERS.format(switch="ENABLE ALWAYS"),
            "RESET ROLE",
        ]

    return flush
