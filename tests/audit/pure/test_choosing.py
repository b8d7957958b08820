"""Which anchors belong to an export, and which receipt is proven against which checkpoint."""

import pytest

from audit.exporting.choosing import Chosen, Covers, Made, chosen, chosen_from_beginning, last_covered, told_size

STAMP3 = Made("a", 3, "rfc3161", 4)
WITNESS6 = Made("b", 6, "witness", 7)
FILE6 = Made("c", 6, "file", 8)
STAMP10 = Made("d", 10, "rfc3161", 11)
FILE13 = Made("e", 13, "file", 14)
ALL = [STAMP3, WITNESS6, FILE6, STAMP10, FILE13]


@pytest.mark.parametrize(("seq", "size"), [(1, 3), (3, 3), (4, 10), (10, 10), (11, 13), (13, 13), (14, None)])
def test_the_first_time_stamp_after_a_receipt_counts_else_the_newest_checkpoint(seq: int, size: int | None) -> None:
    assert Covers.of(ALL).size_for(seq) == size


def test_without_anchors_nothing_covers_a_receipt() -> None:
    assert Covers.of([]).size_for(1) is None
    assert chosen([], [1, 2]).anchors == []


def test_the_beginning_of_the_chain_comes_with_every_anchor_up_to_those_that_cover_its_end() -> None:
    found = chosen_from_beginning(ALL, 5)
    assert (found.anchors, found.asides) == ([STAMP3, WITNESS6, FILE6, STAMP10], [7, 8, 11])
    assert (found.sizes, found.newest) == ([3, 6, 10], 10)
    assert chosen_from_beginning(ALL, 12).asides == [14]
    assert chosen_from_beginning(ALL, 20) == Chosen(ALL)


def test_a_part_comes_with_the_anchors_around_its_receipts_and_the_newest() -> None:
    found = chosen(ALL, [5])
    assert found.anchors == [STAMP3, STAMP10, FILE13]
    assert found.asides == [4, 11, 14]


def test_a_part_after_the_last_anchor_comes_with_that_one_and_the_one_that_it_covers_the_receipt_of() -> None:
    found = chosen(ALL, [15, 16])
    assert found.anchors == [STAMP10, FILE13]
    assert found.asides == [11, 14]
    assert told_size(ALL) == 10
    assert told_size([FILE13]) is None


def test_a_receipt_of_an_anchor_that_is_in_scope_is_no_aside() -> None:
    found = chosen(ALL, range(5, 9))
    assert found.anchors == [STAMP3, WITNESS6, FILE6, STAMP10, FILE13]
    assert found.asides == [4, 11, 14]


def test_of_a_stretch_each_checkpoint_is_shown_to_hold_the_last_receipt_that_it_covers() -> None:
    assert last_covered([3, 6, 10, 13], 5, 9) == [6, 9]
    assert last_covered([3], 5, 9) == []
