"""Line differences."""

from hypothesis import assume, given
from hypothesis import strategies as st

from relcontrol.web.differences import line_differences

TEXTS = st.lists(st.sampled_from(["one", "two", "three", ""]), max_size=30).map("\n".join)


@given(TEXTS, TEXTS)
def test_what_is_kept_gone_and_new_gives_both_texts(before: str, after: str) -> None:
    assume(before.splitlines() != after.splitlines())
    lines = line_differences(before, after, context=100)
    assert [line.text for line in lines if line.kind in {"same", "gone"}] == before.splitlines()
    assert [line.text for line in lines if line.kind in {"same", "new"}] == after.splitlines()


@given(TEXTS, TEXTS)
def test_folding_hides_equal_lines_and_counts_them(before: str, after: str) -> None:
    assume(before.splitlines() != after.splitlines())
    folded = line_differences(before, after, context=1)
    whole = line_differences(before, after, context=100)
    assert sum(line.folded or 1 for line in folded) == len(whole)
    assert [line for line in folded if line.kind in {"gone", "new"}] == [
        line for line in whole if line.kind in {"gone", "new"}
    ]


def test_lines_next_to_a_change_stay_in_sight() -> None:
    before = "\n".join(f"line {n}" for n in range(20))
    kinds = [line.kind for line in line_differences(before, before + "\nlast", context=3)]
    assert kinds == ["folded", "same", "same", "same", "new"]


def test_each_line_has_its_numbers_on_both_sides() -> None:
    gone, new, same = line_differences("a\nb", "x\nb")
    assert (gone.before, gone.after) == (1, None)
    assert (new.before, new.after) == (None, 1)
    assert (same.before, same.after) == (2, 2)


def test_two_texts_of_the_same_lines_are_one_fold() -> None:
    assert [line.folded for line in line_differences("a\nb\nc", "a\nb\nc")] == [3]
