"""Inclusion proofs of the receipts of a partial export, in batches: the nodes of a batch come in one query."""

from collections.abc import Iterator
from heapq import merge

from django.db.models import Max, Min

from audit.exporting.choosing import Chosen, Covers, last_covered
from audit.exporting.document import Entry
from audit.exporting.scopes import is_whole, receipts_in
from audit.log import merkle
from audit.log.nodes import node_source
from audit.log.tlog_proofs import proof_text
from audit.models import Export, Receipt

BATCH = 500
Leaf = tuple[int, str]  # number and hash of a receipt


def proofs_for(export: Export, found: Chosen, notes: dict[int, str]) -> Iterator[Entry]:
    """Each proven receipt in order of number, against the checkpoint that counts for it.

    An export of the whole chain needs none: its roots are computed anew. Of a stretch of the chain, whose receipts are
    linked to each other, only the last that each checkpoint covers is proven.
    """
    if not notes or is_whole(export):
        return
    covers = Covers.of(found.anchors)
    for batch in _batches(_leaves(export, found)):
        sizes = {seq: covers.size_for(seq) for seq, _ in batch}
        covered = [(seq, digest, size) for seq, digest in batch if (size := sizes[seq]) is not None]
        wanted = {node for seq, _, size in covered for node in merkle.nodes_for_inclusion(seq - 1, size)}
        node = node_source(export.organization, wanted)
        for seq, digest, size in covered:
            hashes = merkle.inclusion_proof(seq - 1, size, node)
            yield {"receipt_hash": digest, "proof": proof_text(seq - 1, hashes, notes[size])}


def _leaves(export: Export, found: Chosen) -> Iterator[Leaf]:
    rows = receipts_in(export).order_by("seq")
    if export.scope.get("organization"):
        ends = rows.aggregate(first=Min("seq"), last=Max("seq"))
        rows = rows.filter(seq__in=last_covered(found.sizes, **ends) if ends["first"] else [])
    asides = Receipt.objects.filter(organization=export.organization_id, seq__in=found.asides).order_by("seq")
    columns = ("seq", "receipt_hash")
    return merge(rows.values_list(*columns).iterator(), asides.values_list(*columns).iterator())


def _batches(leaves: Iterator[Leaf]) -> Iterator[list[Leaf]]:
    batch: list[Leaf] = []
    for leaf in leaves:
        batch.append(leaf)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
