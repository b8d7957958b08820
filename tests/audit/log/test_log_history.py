"""Receipts from before there was a log get theirs when the database is migrated."""

from importlib import import_module

import pytest
from django.db import connection, transaction

from audit.log import history as log_history
from audit.log.history import make_missing_logs
from audit.models import ChainHead, Receipt
from audit.receipts import append
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests.audit.log.scene import complete_nodes, frontier_of, leaves_of, nodes_of, organization_with, record, unguarded

pytestmark = pytest.mark.django_db
SIZES = {"northgate": 14, "eastgate": 3, "westgate": 1}
MIGRATION = "audit.migrations.0006_append_only_nodes"


@pytest.fixture
def organizations(monkeypatch: pytest.MonkeyPatch) -> list[Organization]:
    """As they were before: receipts, and nothing of a log."""
    monkeypatch.setattr(log_history, "BATCH", 4)
    made = [organization_with(size, slug) for slug, size in SIZES.items()]
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_lognode")
        cursor.execute("UPDATE audit_chainhead SET frontier = ''")
    assert nodes_of(made[0]) == {}
    return made


def receipts() -> list[tuple[str, bytes]]:
    return [(one.receipt_hash, bytes(one.payload)) for one in Receipt.objects.order_by("organization", "seq")]


def test_the_migration_makes_the_log_that_the_receipts_would_have_made(organizations: list[Organization]) -> None:
    before = receipts()
    with connection.schema_editor() as editor:
        import_module(MIGRATION).make_logs(None, editor)
    for organization, size in zip(organizations, SIZES.values(), strict=True):
        leaves = leaves_of(organization)
        assert len(leaves) == size
        assert nodes_of(organization) == complete_nodes(leaves)
    assert receipts() == before
    for organization in organizations:
        append(command_actor(organization), record())
        assert nodes_of(organization) == complete_nodes(leaves_of(organization))
        assert frontier_of(organization).size == len(leaves_of(organization))


def test_chains_that_have_their_log_are_left_alone() -> None:
    organization = organization_with(5)
    before = nodes_of(organization)
    make_missing_logs(connection)
    assert nodes_of(organization) == before


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM audit_receipt WHERE seq = 6", "has no receipt #6"),
        ("DELETE FROM audit_receipt WHERE seq = 14", "has 13 receipts, and its head is #14"),
    ],
)
def test_no_log_is_made_over_receipts_that_are_missing(
    organizations: list[Organization], statement: str, message: str
) -> None:
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_opening")
        cursor.execute(statement)
    with pytest.raises(ValueError, match=message), transaction.atomic():
        make_missing_logs(connection)
    assert nodes_of(organizations[0]) == {}
    assert bytes(ChainHead.objects.get(organization=organizations[0]).frontier) == b""
