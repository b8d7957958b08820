"""Patterns whose matching time grows with the text and never explodes (domain.md: "a linear-time pattern language").

The pattern becomes a Thompson automaton (Thompson 1968), kept as one bit per instruction. A first pass goes backwards
over the text and notes at each place the *live* instructions: those from which the pattern can still end in a match.
A second pass goes forwards; at each choice it takes the first live alternative in the written order. That is the match
which a backtracking matcher prefers, found without ever taking a step back: a live choice cannot fail. Both passes do
at most a fixed number of steps for each character. Where only the truth is needed, one pass forwards is enough
(`lazy_automaton`).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from relcontrol.bundle.errors import one_problem
from relcontrol.bundle.patterns.lazy_automaton import LazyAutomaton
from relcontrol.bundle.patterns.places import (
    AT_BOUNDARY,
    AT_END,
    AT_START,
    WORD,
    looks_around,
    reachable,
    takers,
    targets,
    ways,
)
from relcontrol.bundle.patterns.program import Instruction, Take, TooLargeError, assemble
from relcontrol.bundle.patterns.syntax import PatternSyntaxError, nullable, parse

MAX_REMEMBERED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Scan:
    """The matches of one text, left to right, and the steps that finding them took."""

    spans: tuple[tuple[int, int], ...]
    steps: int


@lru_cache(maxsize=256)
def compile_pattern(pattern: str, field: str = "pattern") -> "LinearPattern":
    """A pattern ready to scan with; `BundleError` where it is not in the language or matches the empty text."""
    try:
        tree = parse(pattern)
        if nullable(tree):
            raise one_problem(field, "The pattern matches the empty text; make one character needed.", "pattern")
        return LinearPattern(assemble(tree))
    except (PatternSyntaxError, TooLargeError) as error:
        raise one_problem(field, f"{error}.", "pattern") from error


class LinearPattern:
    """A compiled pattern. What it remembers between texts only saves time and is bounded."""

    def __init__(self, program: list[Instruction]) -> None:
        self._program = program
        self._accept = 1 << len(program)
        self._looks_around = looks_around(program)
        self._automaton = LazyAutomaton(program)
        self._takers: dict[str, int] = {}
        self._ancestors: dict[int, list[int]] = {}
        self._remembered: dict[tuple[int, str, int], int] = {}

    def replace(self, text: str, replacement: str) -> str:
        """`text` with each match replaced by `replacement` as it stands."""
        pieces: list[str] = []
        end = 0
        for low, high in self.scan(text).spans:
            pieces += (text[end:low], replacement)
            end = high
        return "".join((*pieces, text[end:]))

    def found(self, text: str) -> bool:
        """Whether there is any match: the truth of `scan(text).spans`, at about a tenth of the time or less."""
        return self._automaton.found(text)

    def scan(self, text: str) -> Scan:
        """Every match, leftmost first, none overlapping."""
        live, steps = self._live(text)
        spans: list[tuple[int, int]] = []
        position = 0
        while position < len(text):
            steps += 1
            if live[position] & 1:
                end, taken = self._follow(live, position)
                spans.append((position, end))
                position, steps = end, steps + taken
            else:
                position += 1
        return Scan(tuple(spans), steps)

    def _live(self, text: str) -> tuple[list[int], int]:
        """For each place of the text, the instructions from which a match can be completed, as bits."""
        live = [0] * (len(text) + 1)
        flags = self._flags(text, len(text))
        live[-1], steps = self._with_ancestors(self._accept, flags)
        for position in range(len(text) - 1, -1, -1):
            key = (live[position + 1], text[position], self._flags(text, position))
            known = self._remembered.get(key)
            if known is None:
                known, added = self._step_back(*key)
                steps += added
            live[position] = known
            steps += 1
        return live, steps

    def _step_back(self, after: int, character: str, flags: int) -> tuple[int, int]:
        taking = self._taking(character) & (after >> 1)
        live, steps = self._with_ancestors(taking | self._accept, flags)
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[(after, character, flags)] = live
        return live, steps

    def _flags(self, text: str, position: int) -> int:
        if not self._looks_around:
            return 0
        before = position > 0 and text[position - 1] in WORD
        behind = position < len(text) and text[position] in WORD
        return (
            (AT_START if position == 0 else 0)
            | (AT_END if position == len(text) else 0)
            | (AT_BOUNDARY if before != behind else 0)
        )

    def _taking(self, character: str) -> int:
        """The instructions that take a character."""
        known = self._takers.get(character)
        if known is None:
            if len(self._takers) >= MAX_REMEMBERED:
                self._takers.clear()
            known = self._takers[character] = takers(self._program, character)
        return known

    def _with_ancestors(self, seeds: int, flags: int) -> tuple[int, int]:
        """The seeds and all that reach one of them without taking a character; and the steps it took."""
        table = self._ancestors.get(flags) or self._ancestors.setdefault(flags, self._ancestor_table(flags))
        result = steps = 0
        while seeds:
            lowest = seeds & -seeds
            result |= table[lowest.bit_length() - 1]
            seeds ^= lowest
            steps += 1
        return result, steps

    def _ancestor_table(self, flags: int) -> list[int]:
        parents: list[list[int]] = [[] for _ in range(len(self._program) + 1)]
        for number, instruction in enumerate(self._program):
            for target in targets(instruction, number, flags):
                parents[target].append(number)
        return [reachable(parents, number) for number in range(len(parents))]

    def _follow(self, live: list[int], start: int) -> tuple[int, int]:
        """The end of the preferred match that begins at `start`, where instruction 0 is live."""
        position, instruction, steps = start, 0, 0
        while True:
            instruction, taken = self._choose(instruction, live[position])
            steps += taken
            if instruction == len(self._program):
                return position, steps
            instruction, position = instruction + 1, position + 1

    def _choose(self, instruction: int, live: int) -> tuple[int, int]:
        """The first live instruction, in the written order, that takes a character or accepts."""
        waiting, seen = [instruction], 0
        steps = 0
        while waiting:
            steps += 1
            number = waiting.pop()
            bit = 1 << number
            if not live & bit or seen & bit:
                continue
            seen |= bit
            if number == len(self._program) or isinstance(self._program[number], Take):
                return number, steps
            waiting += reversed(ways(self._program[number], number))
        raise AssertionError("a live instruction leads to a match")
