"""Who grades what: different raters, even loads, orders of their own, and the same again from the same seed."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.panels.assigning import Assigned, assign

SEEDS = st.integers(min_value=0, max_value=2**63 - 1)


def _names(letter: str, count: int) -> list[str]:
    return [f"{letter}{number}" for number in range(count)]


@st.composite
def _orders(draw: st.DrawFn) -> tuple[list[str], list[str], int, int]:
    raters = draw(st.integers(1, 8))
    return _names("a", draw(st.integers(0, 40))), _names("r", raters), draw(st.integers(1, raters)), draw(SEEDS)


@given(_orders())
def test_every_answer_gets_exactly_so_many_different_raters(order: tuple[list[str], list[str], int, int]) -> None:
    items, raters, per_item, seed = order
    found = assign(items, raters, per_item, seed)
    by_item: dict[str, set[str]] = {item: set() for item in items}
    for each in found:
        by_item[each.item].add(each.rater)
    assert {item: len(own) for item, own in by_item.items()} == dict.fromkeys(items, per_item)
    assert len(found) == len(items) * per_item


@given(_orders())
def test_nobody_gets_more_than_one_answer_more_than_somebody_else(order: tuple[list[str], list[str], int, int]) -> None:
    items, raters, per_item, seed = order
    loads = Counter(dict.fromkeys(raters, 0))
    loads.update(each.rater for each in assign(items, raters, per_item, seed))
    assert max(loads.values()) - min(loads.values()) <= 1


@given(_orders())
def test_places_count_from_one_in_every_raters_own_order(order: tuple[list[str], list[str], int, int]) -> None:
    places: dict[str, list[int]] = {}
    for each in assign(*order):
        places.setdefault(each.rater, []).append(each.place)
    assert all(own == list(range(1, len(own) + 1)) for own in places.values())


@given(_orders(), st.randoms(use_true_random=False))
def test_the_order_in_which_answers_and_raters_come_changes_nothing(
    order: tuple[list[str], list[str], int, int], chance: object
) -> None:
    items, raters, per_item, seed = order
    mixed = sorted(items, key=lambda _: chance.random()), sorted(raters, key=lambda _: chance.random())  # type: ignore[attr-defined]  # Hypothesis's own
    assert set(assign(*mixed, per_item, seed)) == set(assign(items, raters, per_item, seed))


def test_two_raters_of_the_same_answers_go_through_them_in_different_orders() -> None:
    found = assign(_names("a", 20), _names("r", 2), 2, 7)
    first, second = ([each.item for each in found if each.rater == rater] for rater in ("r0", "r1"))
    assert first != second
    assert sorted(first) == sorted(second)


def test_another_seed_assigns_otherwise_and_the_same_seed_the_same() -> None:
    items, raters = _names("a", 20), _names("r", 4)
    assert assign(items, raters, 2, 1) == assign(items, raters, 2, 1) != assign(items, raters, 2, 2)


def test_all_pairs_of_raters_meet_so_that_each_can_be_compared_with_the_others() -> None:
    raters = _names("r", 4)
    found = assign(_names("a", 60), raters, 2, 3)
    by_item: dict[str, set[str]] = {}
    for each in found:
        by_item.setdefault(each.item, set()).add(each.rater)
    assert {tuple(sorted(pair)) for pair in by_item.values()} == set(combinations(raters, 2))


def test_the_seed_decides_for_good() -> None:
    # What open panels were assigned by must not change with the code: the places would no longer be explained by it.
    assert assign(["a", "b", "c"], ["x", "y"], 1, 1) == [
        Assigned("b", "x", 1),
        Assigned("c", "x", 2),
        Assigned("a", "y", 1),
    ]


def test_more_raters_for_an_answer_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="3 different raters"):
        assign(["a"], ["x", "y", "x"], 3, 1)
