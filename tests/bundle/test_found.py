"""Whether a text holds a match: the same truth as the matches themselves, for one look at each character."""

import re

import pytest
from hypothesis import HealthCheck, given, settings

from relcontrol.bundle.patterns import lazy_automaton
from relcontrol.bundle.patterns.lazy_automaton import LazyAutomaton, State
from relcontrol.bundle.patterns.linear_pattern import LinearPattern, compile_pattern
from relcontrol.bundle.patterns.program import assemble
from relcontrol.bundle.patterns.syntax import parse
from tests.bundle.test_linear_pattern import PATTERNS, TEXTS

SLOW = "(a|b)*a(a|b){12}c"  # as a complete automaton it would have some 8,000 states


class Counted(LazyAutomaton):
    """Counts how often something had to be worked out."""

    steps = 0

    def step(self, state: State, character: str) -> State:
        self.steps += 1
        return super().step(state, character)


def counted(pattern: str) -> Counted:
    return Counted(assemble(parse(pattern)))


def mixed(length: int) -> str:
    """A text of a and b that does not repeat itself soon."""
    return "".join("ab"[number * number % 97 % 2] + "ab"[number * 31 % 101 % 2] for number in range(length // 2))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(PATTERNS, TEXTS, TEXTS)
def test_it_is_true_where_there_is_a_match(pattern: str, text: str, other: str) -> None:
    reference = re.compile(pattern.replace("$", r"\Z"), re.ASCII)
    compiled = LinearPattern(assemble(parse(pattern)))
    for each in (text, other, text + other):
        assert compiled.found(each) is bool(reference.search(each)) is bool(compiled.scan(each).spans)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(PATTERNS, TEXTS)
def test_it_is_true_where_replacing_changes_something(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.found(text) is (compiled.replace(text, "<gone>") != text)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(PATTERNS, TEXTS, TEXTS)
def test_forgetting_at_every_step_changes_nothing(pattern: str, text: str, other: str) -> None:
    compiled = LinearPattern(assemble(parse(pattern)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lazy_automaton, "MAX_TRANSITIONS", 1)
        patch.setattr(lazy_automaton, "MAX_STATES", 1)
        assert [compiled.found(each) for each in (text, other)] == [bool(compiled.scan(t).spans) for t in (text, other)]


@pytest.mark.parametrize(
    ("pattern", "holds", "lacks"),
    [
        ("^ab", "abc", "cab"),
        ("ab$", "cab", "ab\n"),
        (r"\bab\b", "an ab", "cab"),
        (r"\Bab", "cab", "ab"),
        ("^a$", "a", "aa"),
        (r"a\b", "a", "ab"),
    ],
)
def test_anchors_hold_at_their_place_only(pattern: str, holds: str, lacks: str) -> None:
    compiled = compile_pattern(pattern)
    assert (compiled.found(holds), compiled.found(lacks), compiled.found("")) == (True, False, False)


def test_nothing_is_read_after_the_first_match() -> None:
    automaton = counted("ab")
    assert automaton.found("xxabc" + "defghijklmnopqrstuvw")
    assert automaton.steps <= 5


def test_a_text_is_worked_out_once() -> None:
    automaton = counted(r"\blicen[cs]e|royalt(y|ies)\b")
    text = "May our affiliates use the software? " * 5
    automaton.found(text)
    first = automaton.steps
    automaton.found(text)
    assert (automaton.steps, first < 60) == (first, True)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_automaton, "MAX_STATES", 100)
    automaton = counted(SLOW)
    assert not automaton.found(mixed(5_000))
    assert len(automaton._states) <= 102


def test_characters_that_are_all_different_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_automaton, "MAX_TRANSITIONS", 100)
    automaton = counted("(.*)x")
    automaton.found("".join(chr(0x4E00 + number) for number in range(1_000)))
    assert sum(map(len, automaton._states.values())) <= 101
    assert len(automaton._takers) <= 101


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+c", "(.*)(.*)(.*)x", "(a?){30}a{30}c", SLOW, r"(\ba|a\B)*c"])
def test_a_character_is_worked_out_at_most_once_for_each_time_it_stands_there(pattern: str) -> None:
    automaton = counted(pattern)
    automaton.found(mixed(4_000))
    assert automaton.steps <= 4_000
