"""Each append grows the log by one leaf, in its own transaction; `last_anchor` names the newest anchor before."""

import json

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.events import Event
from audit.log import merkle
from audit.models import ChainHead, Receipt
from audit.receipts import append
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from tests import factories
from tests.audit.log.scene import (
    complete_nodes,
    frontier_of,
    leaves_of,
    nodes_of,
    organization_with,
    record,
)

pytestmark = pytest.mark.django_db
SIZE = 21


@pytest.fixture
def organization() -> Organization:
    return organization_with(SIZE)


def test_the_log_holds_every_receipt_and_every_complete_node(organization: Organization) -> None:
    leaves = leaves_of(organization)
    assert len(leaves) == SIZE
    assert frontier_of(organization).root() == merkle.root_of(leaves)
    assert nodes_of(organization) == complete_nodes(leaves)


def test_two_organizations_have_logs_of_their_own(organization: Organization) -> None:
    other = organization_with(3, "eastgate")
    assert nodes_of(other) == complete_nodes(leaves_of(other))
    assert nodes_of(organization) == complete_nodes(leaves_of(organization))


def test_a_decision_that_fails_leaves_no_leaf_and_no_node(organization: Organization) -> None:
    nodes, frontier = nodes_of(organization), frontier_of(organization)
    with transaction.atomic():
        for _ in range(3):
            append(command_actor(organization), record())
        assert len(nodes_of(organization)) > len(nodes)
        transaction.set_rollback(True)
    assert (nodes_of(organization), frontier_of(organization)) == (nodes, frontier)


def test_a_log_that_does_not_fit_its_chain_takes_no_receipt(organization: Organization) -> None:
    ChainHead.objects.filter(organization=organization).update(frontier=b"")
    with pytest.raises(ValueError, match="a tree of 21 leaves has 3 peaks, not 0"):
        append(command_actor(organization), record())


def last_anchors(organization: Organization) -> list[str | None]:
    """What each receipt says of the anchor before it, as signed."""
    payloads = Receipt.objects.filter(organization=organization).order_by("seq").values_list("payload", flat=True)
    return [json.loads(bytes(payload))["predicate"]["chain"]["last_anchor"] for payload in payloads]


def test_receipts_name_the_newest_anchor_before_them() -> None:
    organization, other = factories.organization(), factories.organization("eastgate")
    actor = command_actor(organization)
    events = (Event.TOKEN_CHANGED, Event.ANCHOR_MADE, Event.TOKEN_CHANGED, Event.ANCHOR_MADE, Event.TOKEN_CHANGED)
    hashes = [append(actor, record(event)).receipt_hash for event in events]
    assert last_anchors(organization) == [None, None, None, hashes[1], hashes[1], hashes[3]]
    assert ChainHead.objects.get(organization=organization).last_anchor == hashes[3]
    append(command_actor(other), record())
    assert last_anchors(other) == [None, None]


COPY = """
INSERT INTO audit_receipt SELECT (jsonb_populate_record(receipt, %s::jsonb)).*
FROM audit_receipt AS receipt WHERE organization_id = %s AND seq = %s
"""


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"seq": 99, "receipt_hash": "f" * 64}, "receipt_no_fork"),
        ({"prev": "f" * 64, "receipt_hash": "f" * 64}, "receipt_seq_once"),
        ({"seq": 99, "prev": "f" * 64}, "audit_receipt_receipt_hash_key"),
        ({"seq": 0, "prev": "f" * 64, "receipt_hash": "f" * 64}, "receipt_seq_from_one"),
    ],
)
def test_the_database_refuses_a_fork(organization: Organization, changes: dict[str, object], constraint: str) -> None:
    fresh = json.dumps(changes | {"id": "rcp_" + "0" * 26})
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COPY, [fresh, organization.pk, SIZE - 1])


def test_the_database_refuses_a_second_node_in_the_same_place(organization: Organization) -> None:
    with (
        pytest.raises(IntegrityError, match="log_node_once"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            'INSERT INTO audit_lognode (organization_id, level, "index", hash) VALUES (%s, 1, 0, %s)',
            [organization.pk, b"x" * 32],
        )


def change_as(role: str, statement: str) -> None:
    """Try it as `rc_app`, as the owner, or as the owner pretending to replicate, which only a superuser may."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if role != "rc_app":
            cursor.execute("SET LOCAL ROLE NONE")
        if role == "replica":
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)


@pytest.mark.parametrize("role", ["rc_app", "owner", "replica"])
@pytest.mark.parametrize(
    "statement", ["UPDATE audit_lognode SET level = 2", "DELETE FROM audit_lognode", "TRUNCATE audit_lognode"]
)
def test_no_role_changes_nodes_of_the_log(organization: Organization, role: str, statement: str) -> None:
    before = nodes_of(organization)
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
        change_as(role, statement)
    assert nodes_of(organization) == before


def test_the_triggers_of_nodes_fire_always_and_the_application_may_only_add() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'audit_lognode'::regclass AND NOT tgisinternal"
        )
        assert dict(cursor.fetchall()) == {"audit_lognode_no_change": "A", "audit_lognode_no_truncate": "A"}
        cursor.execute(
            "SELECT privilege FROM unnest(ARRAY['INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege"
            " WHERE has_table_privilege('rc_app', 'audit_lognode', privilege)"
        )
        assert [right for (right,) in cursor.fetchall()] == ["INSERT", "SELECT"]
