"""The answers that are graded are spread over what the judge says of them."""

from hypothesis import given
from hypothesis import strategies as st

from gates.panels.stratifying import Choice, chosen

CHOICES = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=60).map(
    lambda scores: [Choice(f"a{number}", score) for number, score in enumerate(scores)]
)


@given(CHOICES, st.integers(1, 40), st.integers(0, 2**32))
def test_so_many_different_answers_are_chosen_or_all_that_there_are(
    choices: list[Choice], count: int, seed: int
) -> None:
    found = chosen(choices, count, seed)
    assert len(found) == len(set(found)) == min(count, len(choices))


@given(CHOICES, st.integers(1, 40), st.integers(0, 2**32))
def test_the_order_in_which_they_come_changes_nothing(choices: list[Choice], count: int, seed: int) -> None:
    assert chosen(choices[::-1], count, seed) == chosen(choices, count, seed)


@given(st.integers(0, 2**32))
def test_every_tenth_of_the_scores_is_there_once(seed: int) -> None:
    choices = [Choice(f"a{number:03}", float(number)) for number in range(100)]
    assert [int(key[1:]) // 10 for key in chosen(choices, 10, seed)] == list(range(10))


def test_a_few_high_scores_among_many_equal_ones_are_not_left_out() -> None:
    scores = [0.0] * 80 + [0.9, 0.95, 1.0] * 4
    choices = [Choice(f"a{number:03}", score) for number, score in enumerate(scores)]
    assert sum(int(key[1:]) >= 80 for key in chosen(choices, 23, 1)) == 3


def test_another_seed_chooses_others() -> None:
    choices = [Choice(f"a{number:03}", float(number)) for number in range(100)]
    assert chosen(choices, 10, 1) != chosen(choices, 10, 2)
