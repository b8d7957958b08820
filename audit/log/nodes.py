"""Nodes of an organization's log as they are stored: those above the leaves are rows, the leaves are its receipts."""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from audit.log import merkle
from relcontrol.accounts.models import Organization

FETCH = """
SELECT node.level, node."index", node.hash
FROM unnest(%(levels)s::smallint[], %(indexes)s::bigint[]) AS wanted (level, number)
JOIN audit_lognode AS node
    ON node.organization_id = %(organization)s AND node.level = wanted.level AND node."index" = wanted.number
UNION ALL
SELECT 0, seq - 1, decode(receipt_hash, 'hex')
FROM audit_receipt WHERE organization_id = %(organization)s AND seq = ANY(%(leaves)s::bigint[])
"""


class MissingNodeError(LookupError):
    """A node that follows from the receipts is not stored, or a leaf's receipt is gone: the message names it."""


def stored_nodes(organization: Organization, wanted: Iterable[merkle.Node]) -> dict[merkle.Node, bytes]:
    """Those of these (level, index) that are there, as hashes of 32 bytes, in one query."""
    nodes = set(wanted)
    above = sorted(node for node in nodes if node[0])
    asked: dict[str, Any] = {
        "organization": organization.pk,
        "levels": [level for level, _ in above],
        "indexes": [index for _, index in above],
        "leaves": [index + 1 for level, index in nodes if not level],
    }
    with connection.cursor() as cursor:
        cursor.execute(FETCH, asked)
        rows = cursor.fetchall()
    return {(level, at): bytes(found) if level else merkle.leaf_hash(bytes(found)) for level, at, found in rows}


def node_source(organization: Organization, wanted: Iterable[merkle.Node]) -> merkle.NodeHash:
    """What `merkle` asks nodes of: all of these, fetched at once. Raises `MissingNodeError` for one not there."""
    found = stored_nodes(organization, wanted)

    def node(level: int, index: int) -> bytes:
        if (level, index) not in found:
            raise MissingNodeError(f"the log of {organization.slug} has no node {index} of level {level}")
        return found[level, index]

    return node


def frontier_at(organization: Organization, size: int) -> merkle.Frontier:
    """The frontier that the log had at this size, from which it can be grown again."""
    wanted = merkle.nodes_for_root(size)
    node = node_source(organization, wanted)
    return merkle.Frontier(size, tuple(node(level, index) for level, index in wanted))
