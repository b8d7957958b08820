"""What an instruction leads to without taking a character, given what is known of the place in the text.

A place lies between two characters: at the start, at the end, at the boundary of a word, or at none of them.
"""

from collections.abc import Sequence
from typing import Final

from relcontrol.bundle.patterns.program import Branch, Check, Instruction, Take

AT_START: Final = 1
AT_END: Final = 2
AT_BOUNDARY: Final = 4

WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def looks_around(program: Sequence[Instruction]) -> bool:
    """Whether the place matters at all."""
    return any(isinstance(instruction, Check) for instruction in program)


def ways(instruction: Instruction, number: int) -> tuple[int, ...]:
    """Where an instruction goes on, the preferred way first."""
    return instruction.targets if isinstance(instruction, Branch) else (number + 1,)


def targets(instruction: Instruction, number: int, flags: int) -> tuple[int, ...]:
    """Where it goes on at such a place without taking a character."""
    if isinstance(instruction, Take) or (isinstance(instruction, Check) and not _holds(instruction.kind, flags)):
        return ()
    return ways(instruction, number)


def takers(program: Sequence[Instruction], character: str) -> int:
    """The instructions that take a character, as bits."""
    numbered = enumerate(program)
    return sum(1 << n for n, each in numbered if isinstance(each, Take) and each.characters.contains(character))


def reachable(edges: Sequence[Sequence[int]], number: int) -> int:
    """All that can be reached from a number, itself too, as bits."""
    found, waiting = 0, [number]
    while waiting:
        current = waiting.pop()
        if not found >> current & 1:
            found |= 1 << current
            waiting += edges[current]
    return found


def _holds(kind: str, flags: int) -> bool:
    match kind:
        case "start":
            return bool(flags & AT_START)
        case "end":
            return bool(flags & AT_END)
    return bool(flags & AT_BOUNDARY) == (kind == "boundary")
