"""The tree of the log: the known answers of RFC 6962's first implementation, and every proof of every small tree."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import leaf_of
from audit.log import merkle
from audit.log.merkle import Frontier, ProofError

# github.com/google/certificate-transparency, merkletree tests
DATA = "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
KNOWN = [merkle.leaf_hash(bytes.fromhex(data)) for data in DATA]
MOST = 130
LEAVES = [merkle.leaf_hash(str(number).encode()) for number in range(MOST)]


def grown(leaves: list[bytes]) -> tuple[list[bytes], dict[tuple[int, int], bytes]]:
    """Roots after 0, 1, 2 … leaves, and every complete node, as a growing tree made them."""
    frontier, roots = Frontier(), [Frontier().root()]
    nodes = {(0, index): leaf for index, leaf in enumerate(leaves)}
    for leaf in leaves:
        frontier, made = frontier.append(leaf)
        assert not nodes.keys() & {(level, index) for level, index, _ in made}
        nodes |= {(level, index): top for level, index, top in made}
        roots.append(frontier.root())
    return roots, nodes


GROWN_ROOTS, NODES = grown(LEAVES)


def asked_for(proof: Callable[..., list[bytes]], *place: int) -> tuple[list[bytes], list[tuple[int, int]]]:
    """The proof, and which nodes it needed, of those that are complete."""
    asked: list[tuple[int, int]] = []

    def node(level: int, index: int) -> bytes:
        asked.append((level, index))
        return NODES[level, index]

    return proof(*place, node), asked


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert merkle.root_of(KNOWN[:size]).hex() == ROOTS[size]
    assert grown(KNOWN[:size])[0][-1].hex() == ROOTS[size]


@pytest.mark.parametrize("place", INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(place: tuple[int, int]) -> None:
    proof = merkle.inclusion_proof(*place, merkle.nodes_over(KNOWN))
    assert [one.hex() for one in proof] == INCLUSION[place]
    merkle.verify_inclusion(KNOWN[place[0]], *place, proof, bytes.fromhex(ROOTS[place[1]]))


@pytest.mark.parametrize("sizes", CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(sizes: tuple[int, int]) -> None:
    proof = merkle.consistency_proof(*sizes, merkle.nodes_over(KNOWN))
    assert [one.hex() for one in proof] == CONSISTENCY[sizes]
    old, new = (bytes.fromhex(ROOTS[size]) for size in sizes)
    merkle.verify_consistency(sizes[0], old, sizes[1], new, proof)


def test_a_growing_tree_has_the_root_of_all_its_leaves_and_keeps_all_complete_nodes() -> None:
    assert [merkle.root_of(LEAVES[:size]) for size in range(MOST + 1)] == GROWN_ROOTS
    over = merkle.nodes_over(LEAVES)
    complete = {(level, index) for level in range(8) for index in range(MOST >> level)}
    assert {place: over(*place) for place in complete} == NODES
    assert [merkle.root_at(size, lambda level, index: NODES[level, index]) for size in range(MOST + 1)] == GROWN_ROOTS


def test_every_leaf_of_every_tree_is_proved_with_the_nodes_that_were_announced() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            proof, asked = asked_for(merkle.inclusion_proof, index, size)
            assert asked == merkle.nodes_for_inclusion(index, size)
            merkle.verify_inclusion(LEAVES[index], index, size, proof, GROWN_ROOTS[size])


def test_every_tree_is_proved_to_begin_with_every_smaller_one() -> None:
    for size in range(MOST + 1):
        for old in range(size + 1):
            proof, asked = asked_for(merkle.consistency_proof, old, size)
            assert asked == merkle.nodes_for_consistency(old, size)
            assert len(proof) <= 63
            merkle.verify_consistency(old, GROWN_ROOTS[old], size, GROWN_ROOTS[size], proof)


def flipped(content: bytes, bit: int) -> bytes:
    """With one bit the other way."""
    return (int.from_bytes(content) ^ (1 << bit)).to_bytes(len(content))


@given(st.data())
def test_a_changed_bit_anywhere_in_an_inclusion_proof_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MOST))
    index, bit = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, 255))
    proof, _ = asked_for(merkle.inclusion_proof, index, size)
    root, leaf = GROWN_ROOTS[size], LEAVES[index]
    parts = [leaf, *proof, root]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = flipped(parts[at], bit)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(parts[0], index, size, parts[1:-1], parts[-1])
    for wrong in (proof[:-1] if proof else [root], [*proof, root], [*proof[:-1], b""]):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, index, size, wrong, root)
    other = data.draw(st.integers(-1, size).filter(lambda one: one != index))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf, other, size, proof, root)


@given(st.data())
def test_a_changed_bit_anywhere_in_a_consistency_proof_fails(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, MOST))
    old, bit = data.draw(st.integers(1, size - 1)), data.draw(st.integers(0, 255))
    proof, _ = asked_for(merkle.consistency_proof, old, size)
    parts = [GROWN_ROOTS[old], *proof, GROWN_ROOTS[size]]
    at = data.draw(st.integers(0, len(parts) - 1))
    parts[at] = flipped(parts[at], bit)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, parts[0], size, parts[-1], parts[1:-1])
    for wrong in ([], proof[:-1], [*proof, GROWN_ROOTS[old]]):
        with pytest.raises(ProofError):
            merkle.verify_consistency(old, GROWN_ROOTS[old], size, GROWN_ROOTS[size], wrong)


def test_a_tree_that_was_made_anew_is_not_the_old_one_grown() -> None:
    other = [merkle.leaf_hash(b"another first receipt"), *LEAVES[1:9]]
    proof = merkle.consistency_proof(4, 9, merkle.nodes_over(other))
    with pytest.raises(ProofError, match="does not begin with the tree of 4"):
        merkle.verify_consistency(4, GROWN_ROOTS[4], 9, merkle.root_of(other), proof)


@pytest.mark.parametrize(
    ("old", "old_root", "proof"), [(0, merkle.EMPTY, [b"x" * 32]), (0, b"x" * 32, []), (5, b"x" * 32, []), (6, b"", [])]
)
def test_where_nothing_is_to_prove_nothing_is_accepted_either(old: int, old_root: bytes, proof: list[bytes]) -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, old_root, 5, GROWN_ROOTS[5], proof)


def test_a_frontier_is_stored_and_read_again() -> None:
    frontier = Frontier()
    for leaf in LEAVES[:11]:
        frontier, _ = frontier.append(leaf)
    assert Frontier.of(11, frontier.joined()) == frontier
    assert len(frontier.joined()) == 3 * 32


@pytest.mark.parametrize(("size", "joined"), [(3, b"x" * 32), (2, b"x" * 31), (0, b"x" * 32), (-1, b""), (1, b"")])
def test_a_frontier_of_another_size_is_refused(size: int, joined: bytes) -> None:
    with pytest.raises(ValueError, match="peak"):
        Frontier.of(size, joined)


@pytest.mark.parametrize(
    ("ask", "place"),
    [
        (merkle.nodes_for_inclusion, (3, 3)),
        (merkle.nodes_for_inclusion, (-1, 3)),
        (merkle.nodes_for_consistency, (4, 3)),
    ],
)
def test_what_is_not_in_the_tree_has_no_proof(ask: Callable[..., Any], place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"there is no leaf|is not the beginning"):
        ask(*place)


def test_the_leaf_of_a_receipt_is_its_hash() -> None:
    assert leaf_of("ab" * 32) == merkle.leaf_hash(b"\xab" * 32)
