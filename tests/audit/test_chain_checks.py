"""The ticker's check of the chains, and what it says when somebody with the owner's rights has been at them."""

from datetime import timedelta

import pytest
from django.db import connection

from audit.chain_checks import AGAIN, check_all_chains
from audit.models import ChainCheck
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests import factories

pytestmark = pytest.mark.django_db


def tamper(statement: str, *parameters: str) -> None:
    """Change the table as the owner, with the triggers out of the way."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE NONE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_receipt DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)
        cursor.execute("ALTER TABLE audit_receipt ENABLE ALWAYS TRIGGER audit_receipt_no_change")
        cursor.execute("ALTER TABLE audit_receipt ENABLE ALWAYS TRIGGER audit_receipt_no_truncate")
        cursor.execute("RESET ROLE")


@pytest.fixture
def organization() -> Organization:
    """With three receipts that were checked."""
    made = factories.organization()
    factories.application(made)
    check_all_chains(now())
    return made


def check_of(organization: Organization) -> ChainCheck:
    """Its check, as stored."""
    return ChainCheck.objects.get(organization=organization)


def test_an_intact_chain_is_checked_to_its_head(organization: Organization) -> None:
    assert (check_of(organization).seq, check_of(organization).problem) == (3, "")


def test_the_next_check_goes_on_from_there(organization: Organization) -> None:
    factories.application(organization, "more")
    check_all_chains(now())
    assert (check_of(organization).seq, check_of(organization).problem) == (5, "")


def test_a_changed_payload_is_found_at_the_daily_check_with_its_place(organization: Organization) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 2")
    check_all_chains(now() + AGAIN + timedelta(seconds=1))
    assert "signature does not hold" in check_of(organization).problem
    assert check_of(organization).seq == 1


def test_a_cut_tail_is_found_at_once_by_the_head(organization: Organization) -> None:
    tamper("DELETE FROM audit_opening WHERE receipt_id IN (SELECT id FROM audit_receipt WHERE seq = 3)")
    tamper("DELETE FROM audit_receipt WHERE seq = 3")
    check_all_chains(now())
    assert "is there no more" in check_of(organization).problem


def test_a_receipt_cut_out_of_the_middle_is_found(organization: Organization) -> None:
    tamper("DELETE FROM audit_opening WHERE receipt_id IN (SELECT id FROM audit_receipt WHERE seq = 2)")
    tamper("DELETE FROM audit_receipt WHERE seq = 2")
    check_all_chains(now() + AGAIN + timedelta(seconds=1))
    assert "missing" in check_of(organization).problem


def test_a_chain_that_was_mended_is_checked_from_its_beginning(organization: Organization) -> None:
    ChainCheck.objects.filter(organization=organization).update(problem="was broken", seq=2, receipt_hash="f" * 64)
    check_all_chains(now())
    assert (check_of(organization).seq, check_of(organization).problem) == (3, "")
