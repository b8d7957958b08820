"""From a pattern's tree to a Thompson program: a list in which taking a character always leads to the next number.

`Take` takes one character, `Branch` goes on at one of its targets (the preferred first), `Check` passes where its
assertion holds. Reaching the number after the last instruction is the match.
"""

from dataclasses import dataclass
from typing import Final

from relcontrol.bundle.patterns.syntax import Alternatives, Assertion, Characters, Node, Repeat, Sequence, nullable

MAX_INSTRUCTIONS: Final = 500


class TooLargeError(ValueError):
    """The written-out pattern has too many instructions."""


@dataclass(frozen=True, slots=True)
class Take:
    """Take one character of the class and go on."""

    characters: Characters


@dataclass(slots=True)
class Branch:
    """Go on at the first target that leads to a match; targets are filled in while assembling."""

    targets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Go on where the assertion holds."""

    kind: str


Instruction = Take | Branch | Check


def assemble(tree: Node) -> list[Instruction]:
    """The program of a tree; `TooLargeError` when repetitions blow it up."""
    program: list[Instruction] = []
    _emit(tree, program)
    return program


def _add(instruction: Instruction, program: list[Instruction]) -> None:
    if len(program) >= MAX_INSTRUCTIONS:
        raise TooLargeError(f"Written out, the pattern has more than {MAX_INSTRUCTIONS} steps; use smaller counts")
    program.append(instruction)


def _branch(program: list[Instruction]) -> Branch:
    branch = Branch()
    _add(branch, program)
    return branch


def _emit(node: Node, program: list[Instruction]) -> None:
    match node:
        case Characters():
            _add(Take(node), program)
        case Assertion(kind):
            _add(Check(kind), program)
        case Sequence(parts):
            for part in parts:
                _emit(part, program)
        case Alternatives(branches):
            _emit_alternatives(branches, program)
        case Repeat():
            _emit_repeat(node, program)


def _emit_alternatives(branches: tuple[Node, ...], program: list[Instruction]) -> None:
    choice = _branch(program)
    exits: list[Branch] = []
    starts: list[int] = []
    for branch in branches:
        starts.append(len(program))
        _emit(branch, program)
        exits.append(_branch(program))
    choice.targets = tuple(starts)
    for leave in exits:
        leave.targets = (len(program),)


def _emit_repeat(node: Repeat, program: list[Instruction]) -> None:
    copies = node.low if node.high is not None else max(node.low - 1, 0)
    for _ in range(copies):
        _emit(node.body, program)
    if node.high is not None:
        _emit_optional(node, node.high - node.low, program)
    elif node.low > 0:
        _emit_plus(node, program)
    else:
        _emit_star(node, program)


def _emit_optional(node: Repeat, times: int, program: list[Instruction]) -> None:
    choices: list[tuple[Branch, int]] = []
    for _ in range(times):
        choice = _branch(program)
        choices.append((choice, len(program)))
        _emit(node.body, program)
    for choice, inside in choices:
        choice.targets = _preferred(inside, len(program), node)


def _emit_plus(node: Repeat, program: list[Instruction]) -> None:
    inside = len(program)
    _emit(node.body, program)
    choice = _branch(program)
    choice.targets = _preferred(inside, len(program), node)


def _emit_star(node: Repeat, program: list[Instruction]) -> None:
    choice = _branch(program)
    inside = len(program)
    if nullable(node.body):
        # (x+)? and not a plain loop: an empty round must leave the loop, as it does in backtracking matchers.
        _emit_plus(node, program)
    else:
        _emit(node.body, program)
        _branch(program).targets = (inside - 1,)
    choice.targets = _preferred(inside, len(program), node)


def _preferred(inside: int, outside: int, node: Repeat) -> tuple[int, ...]:
    return (outside, inside) if node.lazy else (inside, outside)
