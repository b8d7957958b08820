"""Tests use the database as the product does: as rc_app, on receipts that stay."""

import pytest
from django.core.management.color import no_style
from django.db import connection


def scalar(query: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
    return row[0] if row else None


@pytest.mark.django_db
def test_sessions_of_tests_act_as_the_application_role() -> None:
    assert scalar("SELECT current_user") == "rc_app"


@pytest.mark.django_db(transaction=True)
def test_the_flush_between_tests_leaves_the_triggers_of_receipts_always_on() -> None:
    with connection.cursor() as cursor:
        statements = connection.ops.sql_flush(no_style(), ["audit_receipt"], allow_cascade=True)
        connection.ops.execute_sql_flush(statements)
        cursor.execute(
            "SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'audit_receipt'::regclass AND NOT tgisinternal"
        )
        assert {row[0] for row in cursor.fetchall()} == {"A"}
    assert scalar("SELECT current_user") == "rc_app"
