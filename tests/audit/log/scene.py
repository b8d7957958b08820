"""An organization whose log has so many receipts, and hands that change the tables as only their owner could."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from audit.anchor_models import LogNode
from audit.chain import leaf_of
from audit.events import Event
from audit.log import merkle
from audit.models import ChainHead, Receipt
from audit.receipts import Record, append
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests import factories

TABLES = ("audit_receipt", "audit_lognode")
TRIGGERS = ("no_change", "no_truncate")


def record(event: Event = Event.TOKEN_CHANGED) -> Record:
    """The smallest decision."""
    return Record(event=event, outcome="none", kind="token", name="t", state={})


@transaction.atomic
def grown(organization: Organization, size: int) -> Organization:
    """The same, with receipts up to this number."""
    for _ in range(size - ChainHead.objects.get(organization=organization).seq):
        append(command_actor(organization), record())
    return organization


def organization_with(size: int, slug: str = "northgate") -> Organization:
    """With so many receipts, at least one."""
    return grown(factories.organization(slug), size)


def leaves_of(organization: Organization) -> list[bytes]:
    """The leaves as they follow from the receipts."""
    digests = Receipt.objects.filter(organization=organization).order_by("seq").values_list("receipt_hash", flat=True)
    return [leaf_of(digest) for digest in digests]


def nodes_of(organization: Organization) -> dict[merkle.Node, bytes]:
    """What is stored above the leaves."""
    rows = LogNode.objects.filter(organization=organization).values_list("level", "index", "hash")
    return {(level, index): bytes(node) for level, index, node in rows}


def complete_nodes(leaves: list[bytes]) -> dict[merkle.Node, bytes]:
    """What should be stored above these leaves."""
    over, levels = merkle.nodes_over(leaves), range(1, len(leaves).bit_length())
    return {(level, index): over(level, index) for level in levels for index in range(len(leaves) >> level)}


def frontier_of(organization: Organization) -> merkle.Frontier:
    """The stored end of the log."""
    head = ChainHead.objects.get(organization=organization)
    return merkle.Frontier.of(head.seq, bytes(head.frontier))


@contextmanager
def unguarded() -> Iterator[None]:
    """As the owner, with the triggers of receipts and nodes out of the way."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL ROLE NONE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in TABLES:
            for trigger in TRIGGERS:
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{trigger}")
        cursor.execute("RESET ROLE")


def tamper(statement: str, *parameters: str | bytes) -> None:
    """Change a table of the log as the owner could."""
    with unguarded(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        assert cursor.rowcount > 0, "nothing was changed"
