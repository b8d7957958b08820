"""Whether a text holds any match at all: a deterministic automaton whose states are made when they are first needed.

Where only that is asked, neither the place nor the preferred way matters. Every match attempt is under way at once, as
the set of instructions that wait for the next character (Thompson 1968); such a set is a state, and where a character
leads from it is worked out once (Aho, Sethi and Ullman 1986, section 3.9). So a text costs one look-up for each
character up to the end of the first match. What is remembered is bounded; a text for which it is of no use takes at
most one step for each instruction and character.
"""

from collections.abc import Sequence
from typing import Final

from relcontrol.bundle.patterns.places import (
    AT_BOUNDARY,
    AT_END,
    AT_START,
    WORD,
    looks_around,
    reachable,
    takers,
    targets,
)
from relcontrol.bundle.patterns.program import Instruction

MAX_STATES: Final = 2_000
MAX_TRANSITIONS: Final = 20_000

# What stands before the place; the same for all where no instruction looks around.
OTHER, LETTER, START = 0, 1, 2


class State(dict[str, "State"]):
    """The instructions that wait for a character, as bits, and where each character has led from here so far."""

    __slots__ = ("_automaton", "before", "matched", "waiting")

    def __init__(self, automaton: "LazyAutomaton", waiting: int, before: int, *, matched: bool) -> None:
        super().__init__()
        self._automaton = automaton
        self.waiting, self.before, self.matched = waiting, before, matched

    def __missing__(self, character: str) -> "State":
        following = self[character] = self._automaton.step(self, character)
        return following


class LazyAutomaton:
    """Finds out for one pattern whether texts hold a match."""

    def __init__(self, program: Sequence[Instruction]) -> None:
        self._program = program
        self._accept = 1 << len(program)
        self._looks_around = looks_around(program)
        self._reached: dict[int, list[int]] = {}
        self._forget()

    def found(self, text: str) -> bool:
        """Whether anything in the text matches."""
        state = self._state(0, START if self._looks_around else OTHER)
        for character in text:
            state = state[character]
            if state.matched:
                return True
        return bool(self._open(state, "") & self._accept)

    def step(self, state: State, character: str) -> State:
        """Where a character leads. A match that ends before it is noticed here, as the place is known only now."""
        self._transitions += 1
        if self._transitions > MAX_TRANSITIONS or len(self._states) > MAX_STATES:
            self._forget()
        waiting = self._open(state, character)
        if waiting & self._accept:
            return self._matched
        taken = waiting & self._taking(character)
        return self._state(taken << 1, LETTER if self._looks_around and character in WORD else OTHER)

    def _forget(self) -> None:
        """States that are in use still lead on; the next one that is missing is a new one."""
        self._transitions = 0
        self._takers: dict[str, int] = {}
        self._states: dict[tuple[int, int], State] = {}
        self._matched = State(self, 0, OTHER, matched=True)

    def _state(self, waiting: int, before: int) -> State:
        known = self._states.get((waiting, before))
        if known is None:
            known = self._states[(waiting, before)] = State(self, waiting, before, matched=False)
        return known

    def _taking(self, character: str) -> int:
        known = self._takers.get(character)
        if known is None:
            known = self._takers[character] = takers(self._program, character)
        return known

    def _open(self, state: State, following: str) -> int:
        """The instructions under way at a place, before `following` (empty at the end); a match begins at each."""
        table = self._table(self._flags(state.before, following))
        result, seeds = table[0], state.waiting
        while seeds:
            lowest = seeds & -seeds
            result |= table[lowest.bit_length() - 1]
            seeds ^= lowest
        return result

    def _flags(self, before: int, following: str) -> int:
        if not self._looks_around:
            return 0
        boundary = (before == LETTER) != (following in WORD)
        return (
            (AT_START if before == START else 0) | (AT_END if not following else 0) | (AT_BOUNDARY if boundary else 0)
        )

    def _table(self, flags: int) -> list[int]:
        """For each instruction, those that it leads to without taking a character, as bits."""
        known = self._reached.get(flags)
        if known is None:
            edges = [targets(instruction, number, flags) for number, instruction in enumerate(self._program)]
            edges.append(())
            known = self._reached[flags] = [reachable(edges, number) for number in range(len(edges))]
        return known
