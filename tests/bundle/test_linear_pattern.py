"""The pattern language: the same matches as a backtracking matcher, in linear time, and clear refusals."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcontrol.bundle.patterns.linear_pattern import LinearPattern, compile_pattern
from relcontrol.bundle.patterns.program import assemble
from relcontrol.bundle.patterns.syntax import parse
from tests.bundle.problems import refused

ATOMS = st.sampled_from(
    ["a", "b", "c", ".", "[ab]", "[^a]", "[a-c1]", r"\d", r"\w", r"\W", r"\s", r"[^\W1]", r"[\S-]", "é", r"\."]
)
QUANTIFIERS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,3}", "{1,}", "{2,}", "*?", "+?", "??", "{1,2}?"])
TEXTS = st.text(st.sampled_from("abc1 -.é_\n"), max_size=14)


def solid(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Patterns around `inner` that need at least one character (as the language demands of what is repeated)."""
    group = st.one_of(inner, st.lists(inner, min_size=2, max_size=3).map("|".join)).map(lambda p: f"({p})")
    piece = st.one_of(ATOMS, group)
    repeated = st.builds(lambda p, q: p + q, piece, QUANTIFIERS)
    loose = st.lists(st.one_of(piece, repeated, st.sampled_from(["", r"\b", r"\B", "^", "$"])), max_size=2).map("".join)
    return st.builds(lambda before, needed, after: before + needed + after, loose, piece, loose)


PATTERNS = st.recursive(ATOMS, solid, max_leaves=8)


@settings(max_examples=150)
@given(PATTERNS, TEXTS)
def test_the_matches_are_those_of_a_backtracking_matcher(pattern: str, text: str) -> None:
    reference = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert compile_pattern(pattern).scan(text).spans == tuple(match.span() for match in reference.finditer(text))


@settings(max_examples=80)
@given(PATTERNS, TEXTS)
def test_replacing_equals_a_backtracking_matcher_with_a_literal_replacement(pattern: str, text: str) -> None:
    reference = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    assert compile_pattern(pattern).replace(text, r"\1<x>") == reference.sub(lambda _: r"\1<x>", text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a*)*b",
        "(a|a)*b",
        "(a|aa)+c",
        "(.*)(.*)(.*)x",
        "a*b|a",
        "a(.*b)?",
        "(a?){30}a{30}",
        "((a+)+)+$",
        r"(\ba|a\B)*c",
    ],
)
def test_twice_the_text_takes_at_most_about_twice_the_steps(pattern: str) -> None:
    steps = [LinearPattern(assemble(parse(pattern))).scan("a" * length).steps for length in (2_000, 4_000)]
    assert steps[1] <= 2.1 * steps[0]
    assert steps[1] <= 300 * 4_000


def test_steps_stay_bounded_when_nothing_can_be_remembered() -> None:
    text = "".join(chr(0x4E00 + number) for number in range(3_000))
    assert compile_pattern("(.*)(.*)x").scan(text).steps <= 30 * len(text)


@pytest.mark.parametrize("pattern", ["b(|a)*", "b(|a)+", "b(a*)*", "b(a?|c)*?c", "b(a*)+c"])
def test_a_loop_ends_after_an_empty_round_as_in_a_backtracking_matcher(pattern: str) -> None:
    expected = tuple(match.span() for match in re.finditer(pattern, "baaac"))
    assert compile_pattern(pattern).scan("baaac").spans == expected


def test_an_alternative_is_preferred_in_the_written_order() -> None:
    assert compile_pattern("a|ab").scan("ab").spans == ((0, 1),)
    assert compile_pattern("ab|a").scan("ab").spans == ((0, 2),)


@pytest.mark.parametrize(
    ("pattern", "spans"),
    [("^a", ((0, 1),)), ("a$", ((4, 5),)), (r"\ba", ((0, 1), (3, 4))), (r"\Ba", ((1, 2), (4, 5))), ("^a$", ())],
)
def test_an_anchor_holds_at_its_place_only(pattern: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert compile_pattern(pattern).scan("aa aa").spans == spans


def test_the_dollar_sign_is_the_very_end_and_not_the_last_line_feed() -> None:
    assert compile_pattern("a$").scan("a\n").spans == ()


def test_characters_may_be_written_by_their_numbers() -> None:
    assert compile_pattern(r"[\x41-\u0043]\t").scan("zB\t").spans == ((1, 3),)


def test_a_card_number_is_redacted() -> None:
    pattern = compile_pattern(r"\b(?:\d[ -]?){13,16}\b")
    assert pattern.replace("card 4111 1111 1111 1111, thanks", "[card]") == "card [card], thanks"


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        (r"(a)\1", "character 5"),
        ("(?=a)b", "character 2"),
        ("(?P<n>a)", "character 2"),
        ("(?i)a", "character 2"),
        ("a)", "character 2"),
        ("(a", "character 3"),
        ("[a", "character 3"),
        ("[]", "character 3"),
        ("[b-a]", "character 5"),
        ("*a", "character 1"),
        ("a**", "character 3"),
        ("a*+", "character 3"),
        ("a{2,1}", "character 2"),
        ("a{x}", "character 2"),
        ("a{999}", "character 2"),
        ("^*a", "character 3"),
        ("a\\", "character 3"),
        (r"\q", "character 2"),
        (r"\x4", "character 3"),
        ("(" * 60 + "a" + ")" * 60, "character 42"),
        ("a" * 501, "character 501"),
        ("(a{200}){200}", "more than 500 steps"),
        ("a*", "empty text"),
        ("^|a", "empty text"),
    ],
)
def test_what_is_not_in_the_language_is_refused_with_its_place(pattern: str, place: str) -> None:
    with pytest.raises(ValueError, match=place):
        compile_pattern(pattern)
    assert refused(compile_pattern, pattern) == {("pattern", "pattern")}


@given(st.text(st.sampled_from(r"ab()[]{}|*+?\^$.-1,dxu"), max_size=14), TEXTS)
def test_any_pattern_is_compiled_or_refused_and_never_crashes(pattern: str, text: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except ValueError:
        return
    assert all(low < high for low, high in compiled.scan(text).spans)
