"""The heads of all releases under one root: pure over heads, and read from the chain at any size."""

import pytest

from audit.anchors import release_heads
from audit.anchors.release_heads import Head, membership_among
from audit.log import merkle
from audit.models import Receipt
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.anchors.factory import receipts
from tests.factories import organization

HEADS = [Head(f"{number:064x}", number + 1, f"{number * 7:064x}") for number in range(9)]


def test_a_leaf_is_that_of_the_canonical_triple() -> None:
    triple = canonical_bytes([HEADS[3].manifest_sha256, 4, HEADS[3].receipt_hash])
    assert triple == f'["{3:064x}",4,"{21:064x}"]'.encode()
    assert HEADS[3].leaf() == merkle.leaf_hash(triple)
    assert release_heads.root([]) == merkle.EMPTY
    assert release_heads.root(HEADS[:1]) == HEADS[0].leaf()


def test_every_membership_leads_to_the_root_and_to_no_other() -> None:
    for count in range(1, len(HEADS) + 1):
        heads = HEADS[:count]
        root = release_heads.root(heads)
        for at, head in enumerate(heads):
            found = membership_among(heads, head.manifest_sha256)
            assert found is not None
            assert (found.index, found.count, found.head) == (at, count, head)
            merkle.verify_inclusion(head.leaf(), found.index, found.count, found.proof, root)
            shorter = Head(head.manifest_sha256, head.release_seq - 1, head.receipt_hash)
            with pytest.raises(merkle.ProofError):
                merkle.verify_inclusion(shorter.leaf(), found.index, found.count, found.proof, root)
    assert membership_among(HEADS, "f" * 64) is None


@pytest.mark.django_db
def test_the_heads_at_a_size_are_those_that_the_first_receipts_leave() -> None:
    owner = organization()
    for manifest in ("b" * 64, "a" * 64, None, "b" * 64, "b" * 64, "c" * 64):
        receipts(owner, manifest=manifest)
    rows = list(Receipt.objects.filter(organization=owner).order_by("seq"))
    for size in range(len(rows) + 1):
        wanted: dict[str, Head] = {}
        for row in rows[:size]:
            if row.manifest_sha256 and row.release_seq:
                wanted[row.manifest_sha256] = Head(row.manifest_sha256, row.release_seq, row.receipt_hash)
        assert release_heads.heads_at(owner, size) == sorted(wanted.values())
    found = release_heads.membership(owner, len(rows), "b" * 64)
    assert found is not None
    assert (found.index, found.count, found.head.release_seq) == (1, 3, 3)
    assert release_heads.membership(owner, len(rows) - 1, "c" * 64) is None
