"""The statements of an append: one takes the lock, one stores everything (receipts.md "Append").

Two and not one, because what is stored is signed, and what is signed names the heads that the lock protects. The log's
nodes that a receipt completes, one of them on average, are stored with it, and its frontier with the head. The head
of a release is read by a statement of its own after the lock: a statement that waited for a lock sees the locked row
as it is by then, but every other table as it was before the wait. SQL by hand, as an organization's decisions wait for
each other here, and the mapper's statements cost more than the writing itself.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from audit import chain
from audit.events import Event
from audit.log import merkle
from audit.models import ChainHead, Receipt
from audit.statement import Disclosure
from relcontrol.accounts.models import Organization

LOCK = """
SELECT seq, receipt_hash, keyid, issued_at, last_anchor, frontier
FROM audit_chainhead WHERE organization_id = %s FOR UPDATE
"""
RELEASE_HEAD = "SELECT seq, receipt_hash FROM audit_releasehead WHERE organization_id = %s AND manifest_sha256 = %s"
NODES = """node AS (
    INSERT INTO audit_lognode (organization_id, level, "index", hash)
    SELECT %(organization_id)s::varchar, level, number, hash
    FROM unnest(%(levels)s::smallint[], %(indexes)s::bigint[], %(hashes)s::bytea[]) AS made (level, number, hash)
), """
STORE = """
WITH receipt AS (
    INSERT INTO audit_receipt (
        id, organization_id, seq, receipt_hash, prev, manifest_sha256, release_seq, release_prev, release, application,
        event, subject, outcome, actor, issued_at, payload, signature, keyid
    ) VALUES (
        %(id)s, %(organization_id)s, %(seq)s, %(receipt_hash)s, %(prev)s, %(manifest_sha256)s, %(release_seq)s,
        %(release_prev)s, %(release)s, %(application)s, %(event)s, %(subject)s, %(outcome)s, %(actor)s, %(issued_at)s,
        %(payload)s, %(signature)s, %(keyid)s
    )
), opening AS (
    INSERT INTO audit_opening (receipt_id, field, salt, value)
    SELECT %(id)s::varchar, entry ->> 'field', entry ->> 'salt', entry -> 'value'
    FROM jsonb_array_elements(%(openings)s::jsonb) AS entry
), {nodes}release_head AS (
    INSERT INTO audit_releasehead (organization_id, manifest_sha256, seq, receipt_hash)
    SELECT
        %(organization_id)s::varchar, %(manifest_sha256)s::varchar, %(release_seq)s::bigint, %(receipt_hash)s::varchar
    WHERE %(manifest_sha256)s::varchar IS NOT NULL
    ON CONFLICT (organization_id, manifest_sha256)
    DO UPDATE SET seq = excluded.seq, receipt_hash = excluded.receipt_hash
)
UPDATE audit_chainhead
SET seq = %(seq)s, receipt_hash = %(receipt_hash)s, issued_at = %(issued_at)s, keyid = %(keyid)s,
    last_anchor = %(last_anchor)s, frontier = %(frontier)s
WHERE organization_id = %(organization_id)s
"""
STORE_ALONE = STORE.format(nodes="")
STORE_WITH_NODES = STORE.format(nodes=NODES)  # every second receipt completes a node or more
COLUMNS = tuple(str(field.attname) for field in Receipt._meta.concrete_fields)


@dataclass(frozen=True, slots=True)
class LockedHead:
    """The end of an organization's chain, locked to the end of this transaction."""

    seq: int
    receipt_hash: str
    keyid: str
    issued_at: datetime | None
    last_anchor: str | None
    frontier: merkle.Frontier

    def as_head(self) -> chain.Head | None:
        """`None` where the chain has not begun."""
        return chain.Head(self.seq, self.receipt_hash, chain.timestamp(self.issued_at)) if self.issued_at else None


def locked_head(organization: Organization) -> LockedHead:
    """Wait for the organization's chain and hold it."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [organization.pk])
        row = cursor.fetchone()
    if row is None:
        raise ChainHead.DoesNotExist(f"{organization.slug} has no chain")
    seq, receipt_hash, keyid, issued_at, last_anchor, frontier = row
    return LockedHead(seq, receipt_hash, keyid, issued_at, last_anchor, merkle.Frontier.of(seq, bytes(frontier)))


def release_head(organization: Organization, manifest_sha256: str) -> chain.ReleaseHead | None:
    """The end of a release's chain; call it under the lock."""
    with connection.cursor() as cursor:
        cursor.execute(RELEASE_HEAD, [organization.pk, manifest_sha256])
        row = cursor.fetchone()
    return chain.ReleaseHead(*row) if row and row[1] else None


def store(receipt: Receipt, openings: Sequence[Disclosure], after: LockedHead) -> Receipt:
    """Insert the receipt with its openings and nodes of the log, and move the heads on from `after`, which is locked.

    Returns it as stored.
    """
    opened = [{"field": one.field, "salt": one.salt, "value": one.value} for one in openings]
    frontier, made = after.frontier.append(chain.leaf_of(receipt.receipt_hash))
    moved = {
        "last_anchor": receipt.receipt_hash if receipt.event == Event.ANCHOR_MADE else after.last_anchor,
        "frontier": frontier.joined(),
        "levels": [level for level, _, _ in made],
        "indexes": [index for _, index, _ in made],
        "hashes": [node for _, _, node in made],
    }
    values = {name: getattr(receipt, name) for name in COLUMNS}
    with connection.cursor() as cursor:
        cursor.execute(STORE_WITH_NODES if made else STORE_ALONE, {**values, **moved, "openings": json.dumps(opened)})
    stored = Receipt.from_db(connection.alias, COLUMNS, values.values())
    stored.organization = receipt.organization
    return stored
