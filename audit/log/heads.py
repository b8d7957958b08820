"""The log of an organization: its signed head, and proofs that a receipt is in it and that it only ever grew.

A proof shows that the log with this root holds the receipt. It does not show that everybody was given the same root:
for that a witness must have cosigned it, or somebody must hold an earlier head.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.anchor_models import Anchor, AnchorSink, Checkpoint
from audit.chain import leaf_of
from audit.keys.keyring import signer
from audit.keys.signing import LOG
from audit.log import merkle
from audit.log.nodes import MissingNodeError, frontier_at, node_source
from audit.log.notes import checkpoint_text, parse_signature, sign_note
from audit.log.tlog_proofs import proof_text
from audit.models import ChainHead, Receipt
from relcontrol.accounts.models import Organization
from relcontrol.jobs.models import LeasedJob


@dataclass(frozen=True, slots=True)
class Head:
    """The log at one size. `root` is 32 raw bytes, `note` the signed checkpoint that says the same."""

    size: int
    root: bytes
    note: str


def signed_head(organization: Organization) -> Head:
    """The log as it is now, signed on demand by the log's key. Raises `MissingNodeError` where its end is damaged."""
    chain = ChainHead.objects.get(organization=organization)
    try:
        frontier = merkle.Frontier.of(chain.seq, bytes(chain.frontier))
    except ValueError as error:
        raise MissingNodeError(f"the end of the log of {organization.slug} is not stored: {error}") from error
    return _signed(organization, frontier)


def root_at(organization: Organization, size: int) -> bytes:
    """The root that the log had at this size. Raises `MissingNodeError` if it never was as large."""
    return frontier_at(organization, size).root()


def consistency(organization: Organization, old: int, new: int) -> list[bytes]:
    """The RFC 6962 proof that the log of `new` receipts begins with the log of `old`, as hashes of 32 bytes."""
    return merkle.consistency_proof(old, new, node_source(organization, merkle.nodes_for_consistency(old, new)))


def proof_of(receipt: Receipt, checkpoint: Checkpoint | None = None) -> str:
    """The receipt's proof as a C2SP tlog-proof.

    It leads to this checkpoint, which must cover the receipt, or else to the newest that an anchor was made of, with
    the lines of its witnesses; or to the present head, where no anchor covers the receipt yet. Raises
    `MissingNodeError` or `merkle.ProofError` where the stored log is not the signed one: no false proof is given out.
    """
    chosen = checkpoint or newest_anchored(receipt)
    if chosen:
        size, root, note = chosen.size, bytes.fromhex(chosen.root), chosen.note + "".join(cosignatures(chosen))
    else:
        head = signed_head(receipt.organization)
        size, root, note = head.size, head.root, head.note
    index = receipt.seq - 1
    node = node_source(receipt.organization, merkle.nodes_for_inclusion(index, size))
    proof = merkle.inclusion_proof(index, size, node)
    merkle.verify_inclusion(leaf_of(receipt.receipt_hash), index, size, proof, root)
    return proof_text(index, proof, note)


def newest_anchored(receipt: Receipt) -> Checkpoint | None:
    """The largest checkpoint over this receipt that somebody outside has taken."""
    made = Anchor.objects.filter(organization=receipt.organization_id, state=LeasedJob.State.DONE)
    rows = Checkpoint.objects.filter(organization=receipt.organization_id, size__gte=receipt.seq)
    return rows.filter(pk__in=made.values("checkpoint")).order_by("-size").first()


def cosignatures(checkpoint: Checkpoint) -> Iterator[str]:
    """The lines of the witnesses that cosigned this checkpoint; of each key the first, as a note holds no second."""
    made = Anchor.objects.filter(checkpoint=checkpoint, state=LeasedJob.State.DONE, sink__kind=AnchorSink.Kind.WITNESS)
    given = "".join(bytes(row.evidence or b"").decode() for row in made.order_by("pk"))
    seen = set()
    for line in given.splitlines(keepends=True):
        key = parse_signature(line.rstrip("\n"))[:2]
        if key not in seen:
            seen.add(key)
            yield line


def _signed(organization: Organization, frontier: merkle.Frontier) -> Head:
    root = frontier.root()
    text = checkpoint_text(organization.origin, frontier.size, root)
    return Head(frontier.size, root, sign_note(text, organization.origin, signer(LOG)))
