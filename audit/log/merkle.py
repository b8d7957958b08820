"""Merkle trees as RFC 6962 (section 2.1) has them: roots, growth leaf by leaf, proofs and their verification.

Every hash is 32 raw bytes, and a leaf is given as its hash (`leaf_hash`), never as its data. A node is named by
(level, index): the root of the 2^level leaves from index × 2^level on. Only nodes whose leaves are all there are
stored, and they never change; what a proof needs beyond them is folded from them. Pure: who fetches nodes is not known
here.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()

Node = tuple[int, int]
NodeHash = Callable[[int, int], bytes]


class ProofError(ValueError):
    """A proof that does not show what it should; the message says why."""


def leaf_hash(data: bytes) -> bytes:
    """The leaf of this data: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The node above two: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """What a growing tree must remember: its size and the roots of its complete subtrees, the largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has {self.size.bit_count()} peaks, not {len(self.peaks)}")
        if any(len(peak) != HASH_BYTES for peak in self.peaks):
            raise ValueError(f"a peak of a tree is {HASH_BYTES} bytes")

    @classmethod
    def of(cls, size: int, joined: bytes) -> "Frontier":
        """From its stored form. Raises `ValueError` if the bytes are not those of a tree of this size."""
        return cls(size, tuple(joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)))

    def joined(self) -> bytes:
        """The stored form: the peaks, one after the other."""
        return b"".join(self.peaks)

    def append(self, leaf: bytes) -> tuple["Frontier", list[tuple[int, int, bytes]]]:
        """The tree with one more leaf, and the nodes above the leaves that became complete: (level, index, hash)."""
        peaks, top, made = list(self.peaks), leaf, []
        for level in range(1, (~self.size & (self.size + 1)).bit_length()):
            top = node_hash(peaks.pop(), top)
            made.append((level, self.size >> level, top))
        return Frontier(self.size + 1, (*peaks, top)), made

    def root(self) -> bytes:
        """The tree's root; `EMPTY` without leaves."""
        return _folded(self.peaks) if self.peaks else EMPTY


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes; `EMPTY` for none."""
    row = list(leaves)
    while len(row) > 1:
        above = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = above + row[len(above) * 2 :]
    return row[0] if row else EMPTY


def nodes_over(leaves: Sequence[bytes]) -> NodeHash:
    """The nodes of a tree that is in memory, for the proofs below."""
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def nodes_for_root(size: int) -> list[Node]:
    """The complete nodes from which the root at this size is folded."""
    return _cover(0, size)


def nodes_for_inclusion(index: int, size: int) -> list[Node]:
    """Every node that `inclusion_proof` asks for. Raises `ValueError` for a leaf that is not in the tree."""
    return [node for start, end in _inclusion_parts(index, size) for node in _cover(start, end)]


def nodes_for_consistency(old: int, size: int) -> list[Node]:
    """Every node that `consistency_proof` asks for. Raises `ValueError` where the old tree is the larger one."""
    return [node for start, end in _consistency_parts(old, size) for node in _cover(start, end)]


def root_at(size: int, node: NodeHash) -> bytes:
    """The root that the tree had at this size."""
    return _hash_of(0, size, node) if size else EMPTY


def inclusion_proof(index: int, size: int, node: NodeHash) -> list[bytes]:
    """The hashes from the sibling of leaf `index` up to the root's child, in a tree of this size."""
    return [_hash_of(start, end, node) for start, end in _inclusion_parts(index, size)]


def consistency_proof(old: int, size: int, node: NodeHash) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of the tree of `size`: none for equal sizes and the empty tree."""
    return [_hash_of(start, end, node) for start, end in _consistency_parts(old, size)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `ProofError` unless the proof leads from this leaf hash at `index` to the root of `size` leaves."""
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    top = leaf
    for sibling, is_left in _climb(index, size - 1, proof):
        top = node_hash(sibling, top) if is_left else node_hash(top, sibling)
    if top != root:
        raise ProofError(f"the proof of leaf {index} of {size} leads to {top.hex()}, not to the root {root.hex()}")


def verify_consistency(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `ProofError` unless the proof shows that the old tree is the beginning of the new one."""
    if not 0 <= old_size <= size:
        raise ProofError(f"a tree of {old_size} leaves is not the beginning of one of {size}")
    if old_size in {0, size}:
        _verify_without_proof(old_size, old_root, root, proof)
        return
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    if not path:
        raise ProofError(f"the proof from {old_size} to {size} is empty")
    levels = (~(old_size - 1) & old_size).bit_length() - 1
    old = new = path[0]
    for sibling, is_left in _climb((old_size - 1) >> levels, (size - 1) >> levels, path[1:]):
        if is_left:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if (old, new) != (old_root, root):
        raise ProofError(f"the tree of {size} leaves does not begin with the tree of {old_size}")


def _verify_without_proof(old_size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofError("between equal trees, and from the empty one, there is nothing to prove")
    if old_root != (root if old_size else EMPTY):
        raise ProofError(f"two trees of {old_size} leaves have different roots, or the empty one has a wrong one")


def _climb(at: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The proof with the side of each hash, from node `at` in a row that ends with `last` to the root exactly."""
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_BYTES:
            raise ProofError("the proof is too long" if last == 0 else f"a hash of a proof is {HASH_BYTES} bytes")
        is_left = bool(at & 1) or at == last
        while is_left and at and not at & 1:  # the end of a row has no sibling: it goes up as it is
            at, last = at >> 1, last >> 1
        yield sibling, is_left
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")


def _inclusion_parts(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees beside the path (RFC 6962, section 2.1.1) as ranges of leaves, from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    parts, start, end = [], 0, size
    while end - start > 1:
        middle = start + _largest_power_below(end - start)
        if index < middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((start, middle))
            start = middle
    return parts[::-1]


def _consistency_parts(old: int, size: int) -> list[tuple[int, int]]:
    """The subtrees of a consistency proof (RFC 6962, section 2.1.2) as ranges of leaves, in its order."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} leaves is not the beginning of one of {size}")
    if old in {0, size}:
        return []
    parts, start, end = [], 0, size
    while end != old:
        middle = start + _largest_power_below(end - start)
        if old <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((start, middle))
            start = middle
    if start:
        parts.append((start, end))
    return parts[::-1]


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _cover(start: int, end: int) -> list[Node]:
    """The complete nodes of the subtree over these leaves, the largest first. `start` is where such a one begins."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def _hash_of(start: int, end: int, node: NodeHash) -> bytes:
    return _folded([node(level, index) for level, index in _cover(start, end)])


def _folded(peaks: Sequence[bytes]) -> bytes:
    """The root above complete subtrees, which grows from the smallest, the last one."""
    top = peaks[-1]
    for peak in reversed(peaks[:-1]):
        top = node_hash(peak, top)
    return top
