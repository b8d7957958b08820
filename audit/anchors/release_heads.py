"""The heads of all releases at one size of the log, under one root: so an export of one release cannot drop its tail.

A leaf is the RFC 8785 form of `[manifest_sha256, release_seq, receipt_hash]`; leaves stand in ascending order of the
manifest, and the root is that of RFC 6962. Every `anchor.made` signs this root (receipts.md "Anchors").
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from audit.log import merkle
from relcontrol.accounts.models import Organization
from relcontrol.bundle.canonical import canonical_bytes

# The newest receipt of each release that the log of this size holds, from the end of the release's own chain.
HEADS = """
SELECT head.manifest_sha256, newest.release_seq, newest.receipt_hash
FROM audit_releasehead AS head
CROSS JOIN LATERAL (
    SELECT release_seq, receipt_hash FROM audit_receipt
    WHERE organization_id = head.organization_id AND manifest_sha256 = head.manifest_sha256 AND seq <= %s
    ORDER BY release_seq DESC LIMIT 1
) AS newest
WHERE head.organization_id = %s
"""


@dataclass(frozen=True, slots=True, order=True)
class Head:
    """The newest receipt of one release, by its manifest."""

    manifest_sha256: str
    release_seq: int
    receipt_hash: str

    def leaf(self) -> bytes:
        """Its leaf hash, 32 bytes."""
        return merkle.leaf_hash(canonical_bytes([self.manifest_sha256, self.release_seq, self.receipt_hash]))


@dataclass(frozen=True, slots=True)
class Membership:
    """That one head is leaf `index` of `count`; `proof` is the inclusion proof to their root, 32 bytes each."""

    index: int
    count: int
    head: Head
    proof: tuple[bytes, ...]


def heads_at(organization: Organization, size: int) -> list[Head]:
    """The heads of all releases with a receipt among the first `size`, in the order of their leaves."""
    with connection.cursor() as cursor:
        cursor.execute(HEADS, [size, organization.pk])
        return sorted(Head(*row) for row in cursor.fetchall())


def root(heads: Sequence[Head]) -> bytes:
    """The root over heads in the order of their leaves; that of the empty tree where there is no release."""
    return merkle.root_of([head.leaf() for head in heads])


def membership_among(heads: Sequence[Head], manifest_sha256: str) -> Membership | None:
    """The proof for one release among these heads; None where it has none."""
    index = next((at for at, head in enumerate(heads) if head.manifest_sha256 == manifest_sha256), None)
    if index is None:
        return None
    leaves = [head.leaf() for head in heads]
    proof = merkle.inclusion_proof(index, len(leaves), merkle.nodes_over(leaves))
    return Membership(index, len(leaves), heads[index], tuple(proof))


def membership(organization: Organization, size: int, manifest_sha256: str) -> Membership | None:
    """The same, at a size of the organization's log. For many releases call `heads_at` once."""
    return membership_among(heads_at(organization, size), manifest_sha256)
