"""Emptying the tables between transaction tests, although receipts cannot be deleted and rc_app cannot truncate.

Only here, in the tests: as the owner, and with the triggers out of the way that keep rows from going. Rows are deleted
from what is not empty: TRUNCATE makes the files of each table and index anew, four hundred of them for a few rows.
What the framework keeps of the models themselves stays: only a migration writes it, and writing it again took as long
as the rest.
"""

from collections.abc import Callable
from typing import Any

SqlFlush = Callable[..., list[str]]

# Django does not manage the partitioned table, so it would leave the traces of one test to the next.
TRACES = "releases_trace"
OF_MODELS = {"django_content_type", "auth_permission"}

# Each trigger is put back as it was (pg_trigger.tgenabled), once nothing is left that a foreign key could miss.
EMPTY = """
DO $$ DECLARE relation regclass; guard record; guards jsonb := '[]'; occupied boolean; BEGIN
    FOR relation IN SELECT to_regclass(name) FROM unnest(ARRAY[{tables}]) AS name LOOP
        CONTINUE WHEN relation IS NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', relation) INTO occupied;
        CONTINUE WHEN NOT occupied;
        FOR guard IN SELECT tgname, tgenabled FROM pg_trigger
            WHERE tgrelid = relation AND NOT tgisinternal AND tgenabled <> 'D'
        LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', relation, guard.tgname);
            guards := guards || jsonb_build_object('relation', relation::text, 'name', guard.tgname,
                'enable', CASE guard.tgenabled WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'
                    ELSE 'ENABLE' END);
        END LOOP;
        EXECUTE format('DELETE FROM %s', relation);
    END LOOP;
    SET CONSTRAINTS ALL IMMEDIATE;
    FOR guard IN SELECT * FROM jsonb_to_recordset(guards) AS (relation text, name text, enable text) LOOP
        EXECUTE format('ALTER TABLE %s %s TRIGGER %I', guard.relation, guard.enable, guard.name);
    END LOOP;
END $$
"""


def flush_with_receipts(sql_flush: SqlFlush) -> SqlFlush:
    """In place of Django's `sql_flush`: the statements, run as the owner."""

    def flush(self: Any, style: Any, tables: Any, **options: Any) -> list[str]:
        if not sql_flush(self, style, tables, **options):
            return []
        names = ", ".join(f"'{name}'" for name in (*tables, TRACES) if name not in OF_MODELS)
        return [
            "SET ROLE NONE",  # not RESET ROLE, which goes back to the role of the connection's options
            EMPTY.format(tables=names),
            "RESET ROLE",
        ]

    return flush
