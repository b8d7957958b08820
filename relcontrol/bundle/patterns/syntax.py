r"""The grammar of redaction patterns: what may be written, and the tree it becomes.

Literals, `.`, classes with ranges and negation, `\d \w \s` and their negations (ASCII, so that a pattern means the
same under every Unicode version), `\xHH` and `\uHHHH`, groups `( )` and `(?: )`, `|`, the anchors `^` and `$` (the
very beginning and end), `\b` and `\B`, and `* + ? {n} {m,} {m,n}`, each with an optional lazy `?`. Back-references
and look-around have no linear-time matcher and are refused.
"""

from dataclasses import dataclass
from typing import Final, NoReturn

MAX_PATTERN_LENGTH: Final = 500
MAX_REPEAT: Final = 255
MAX_COUNT_DIGITS: Final = 4
MAX_GROUP_DEPTH: Final = 40

Ranges = tuple[tuple[str, str], ...]

_DIGIT: Final[Ranges] = (("0", "9"),)
_WORD: Final[Ranges] = (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z"))
_SPACE: Final[Ranges] = (("\t", "\r"), (" ", " "))
_CLASSES: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v"}
_HEX_LENGTHS: Final = {"x": 2, "u": 4}
_QUANTIFIERS: Final = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_LAST: Final = "\U0010ffff"


class PatternSyntaxError(ValueError):
    """What is wrong with a pattern, and at which character (from 1)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (character {position + 1})")


@dataclass(frozen=True, slots=True)
class Characters:
    """One character inside (or, negated, outside) the ranges."""

    ranges: Ranges
    negated: bool = False

    def contains(self, character: str) -> bool:
        """Whether this class takes the character."""
        return any(low <= character <= high for low, high in self.ranges) != self.negated


@dataclass(frozen=True, slots=True)
class Assertion:
    """A place, not a character: start, end, boundary or inside (no boundary)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other; no parts match the empty text."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """The first branch that leads to a match, in the written order."""

    branches: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`body` from `low` to `high` times (None: without bound), as many as possible unless `lazy`."""

    body: "Node"
    low: int
    high: int | None
    lazy: bool


Node = Characters | Assertion | Sequence | Alternatives | Repeat


def nullable(node: Node) -> bool:
    """Whether a node can match without taking a character."""
    match node:
        case Characters():
            return False
        case Assertion():
            return True
        case Sequence(parts):
            return all(nullable(part) for part in parts)
        case Alternatives(branches):
            return any(nullable(branch) for branch in branches)
        case Repeat(body, low, _, _):
            return low == 0 or nullable(body)


def parse(pattern: str) -> Node:
    """The tree of a pattern; `PatternSyntaxError` says what to write instead."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        raise PatternSyntaxError(f"At most {MAX_PATTERN_LENGTH} characters are taken", MAX_PATTERN_LENGTH)
    parser = _Parser(pattern)
    node = parser.alternatives(0)
    if parser.position < len(pattern):
        parser.fail("This ')' closes nothing; write \\) for the character")
    return node


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def fail(self, message: str) -> NoReturn:
        raise PatternSyntaxError(message, self.position)

    def peek(self, length: int = 1) -> str:
        return self.pattern[self.position : self.position + length]

    def take(self, expected: str) -> bool:
        found = self.pattern.startswith(expected, self.position)
        if found:
            self.position += len(expected)
        return found

    def next(self, message: str) -> str:
        character = self.peek() or self.fail(message)
        self.position += 1
        return character

    def alternatives(self, depth: int) -> Node:
        if depth > MAX_GROUP_DEPTH:
            self.fail(f"Groups may be nested {MAX_GROUP_DEPTH} deep")
        branches = [self.sequence(depth)]
        while self.take("|"):
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Alternatives(tuple(branches))

    def sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.quantified(depth))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def quantified(self, depth: int) -> Node:
        node = self.atom(depth)
        bounds = self.quantifier()
        if bounds is None:
            return node
        if isinstance(node, Assertion):
            self.fail("An anchor cannot be repeated")
        repeat = Repeat(node, *bounds, lazy=self.take("?"))
        if self.peek() in _QUANTIFIERS or self.peek() == "{":
            self.fail("Two quantifiers in a row; put the first part into a group")
        return repeat

    def quantifier(self) -> tuple[int, int | None] | None:
        symbol = self.peek()
        if symbol in _QUANTIFIERS:
            self.position += 1
            return _QUANTIFIERS[symbol]
        return self.counted() if symbol == "{" else None

    def counted(self) -> tuple[int, int | None]:
        inside, closed, _ = self.pattern[self.position + 1 :].partition("}")
        low, comma, high = inside.partition(",")
        if not closed or not _is_count(low) or not (high == "" or _is_count(high)):
            self.fail("Write {n}, {m,} or {m,n}, or \\{ for the character")
        most = int(high) if high else (None if comma else int(low))
        if int(low) > MAX_REPEAT or (most or 0) > MAX_REPEAT or (most is not None and most < int(low)):
            self.fail(f"Counts go up to {MAX_REPEAT}, the smaller one first")
        self.position += len(inside) + 2
        return int(low), most

    def atom(self, depth: int) -> Node:
        character = self.next("Something is missing here")
        match character:
            case "(":
                return self.group(depth)
            case "[":
                return self.bracket()
            case "\\":
                return self.escape()
            case ".":
                return Characters((("\n", "\n"),), negated=True)
            case "^" | "$":
                return Assertion("start" if character == "^" else "end")
            case "*" | "+" | "?" | "{":
                self.position -= 1
                self.fail(f"Nothing stands before {character!r}; write \\{character} for the character")
        return Characters(((character, character),))

    def group(self, depth: int) -> Node:
        if self.peek() == "?" and not self.take("?:"):
            self.fail("Only plain groups ( ) and (?: ) exist here; no look-around, names or flags")
        node = self.alternatives(depth + 1)
        if not self.take(")"):
            self.fail("A group is not closed; add ')'")
        return node

    def escape(self) -> Node:
        character = self.peek()
        if character in ("b", "B"):
            self.position += 1
            return Assertion("boundary" if character == "b" else "inside")
        return self.escaped_characters()

    def escaped_characters(self) -> Characters:
        """What follows a backslash, inside and outside of brackets."""
        character = self.next("A backslash ends the pattern; write \\\\ for the character")
        if character.lower() in _CLASSES:
            return Characters(_CLASSES[character.lower()], negated=character.isupper())
        if character in _HEX_LENGTHS:
            character = self.hexadecimal(_HEX_LENGTHS[character])
        elif character in _CONTROLS:
            character = _CONTROLS[character]
        elif character.isalnum():
            self.position -= 1
            self.fail(f"\\{character} is not known here (back-references are not either)")
        return Characters(((character, character),))

    def hexadecimal(self, length: int) -> str:
        digits = self.peek(length)
        if len(digits) < length or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            self.fail(f"{length} hexadecimal digits must follow")
        self.position += length
        return chr(int(digits, 16))

    def bracket(self) -> Characters:
        negated = self.take("^")
        ranges: list[tuple[str, str]] = []
        first = True
        while first or self.peek() != "]":
            ranges.extend(self.bracket_item())
            first = False
        self.position += 1
        return Characters(tuple(ranges), negated)

    def bracket_item(self) -> Ranges:
        low = self.bracket_characters()
        if self.peek() != "-" or self.peek(2) in ("-]", "-"):
            return low.ranges if not low.negated else _complement(low.ranges)
        self.position += 1
        high = self.bracket_characters()
        if not _is_single(low) or not _is_single(high) or low.ranges[0][0] > high.ranges[0][0]:
            self.fail("A range goes from a smaller character to a larger one, such as a-z")
        return ((low.ranges[0][0], high.ranges[0][0]),)

    def bracket_characters(self) -> Characters:
        character = self.next("A class is not closed; add ']'")
        return self.escaped_characters() if character == "\\" else Characters(((character, character),))


def _is_count(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and len(digits) <= MAX_COUNT_DIGITS


def _is_single(characters: Characters) -> bool:
    return not characters.negated and len(characters.ranges) == 1 and len(set(characters.ranges[0])) == 1


def _complement(ranges: Ranges) -> Ranges:
    """The characters outside of sorted, disjoint ranges."""
    gaps: list[tuple[str, str]] = []
    begin = 0
    for low, high in ranges:
        if ord(low) > begin:
            gaps.append((chr(begin), chr(ord(low) - 1)))
        begin = ord(high) + 1
    return (*gaps, (chr(begin), _LAST))
