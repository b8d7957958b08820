"""The log of receipts from before there was one: nodes and frontier of a chain, made from its receipts alone."""

from collections.abc import Iterator
from typing import Any

from audit.chain import leaf_of
from audit.log.merkle import Frontier

BATCH = 5000
CHAINS = "SELECT organization_id, seq FROM audit_chainhead WHERE seq > 0 AND frontier = '' ORDER BY 1 FOR UPDATE"
RECEIPTS = """
SELECT seq, receipt_hash FROM audit_receipt WHERE organization_id = %s AND seq > %s ORDER BY seq LIMIT %s
"""
NODES = """
INSERT INTO audit_lognode (organization_id, level, "index", hash)
SELECT %s, level, number, hash
FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[]) AS made (level, number, hash)
"""
MOVE = "UPDATE audit_chainhead SET frontier = %s WHERE organization_id = %s"


def make_missing_logs(connection: Any) -> None:
    """Every chain that has receipts and no frontier gets its log; a transaction, and the owner's rights, are needed.

    Raises `ValueError` where receipts are missing, as a log over what is left would say that they never were.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHAINS)
        for organization, size in cursor.fetchall():
            frontier = Frontier()
            for batch in _batches(cursor, organization):
                frontier = _grown(cursor, organization, frontier, batch)
            if frontier.size != size:
                raise ValueError(f"the chain of {organization} has {frontier.size} receipts, and its head is #{size}")
            cursor.execute(MOVE, [frontier.joined(), organization])


def _batches(cursor: Any, organization: str) -> Iterator[list[tuple[int, str]]]:
    last = 0
    while True:
        cursor.execute(RECEIPTS, [organization, last, BATCH])
        rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _grown(cursor: Any, organization: str, frontier: Frontier, receipts: list[tuple[int, str]]) -> Frontier:
    nodes: list[tuple[int, int, bytes]] = []
    for seq, receipt_hash in receipts:
        if seq != frontier.size + 1:
            raise ValueError(f"the chain of {organization} has no receipt #{frontier.size + 1}")
        frontier, made = frontier.append(leaf_of(receipt_hash))
        nodes += made
    if nodes:
        cursor.execute(NODES, [organization, *(list(column) for column in zip(*nodes, strict=True))])
    return frontier
