"""Reading closed JSON objects: each field by its rule, every problem collected, strings in NFC.

A `Reader` answers with a value that fits the type even where it found a problem, so that the caller goes on and the
person gets all problems at once; `close` raises them.
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from relcontrol.bundle.canonical import nfc, problems_of
from relcontrol.bundle.errors import BundleError, Problem, under

T = TypeVar("T")


class Reader:
    """Collects the problems of one input."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def close(self) -> None:
        """Raise what was found, if anything was."""
        if self.problems:
            raise BundleError(self.problems)

    def refuse(self, field: str, message: str, code: str = "invalid") -> None:
        """Note one problem."""
        self.problems.append(Problem(field, message, code))

    def attempt(self, read: Callable[[Any, str], T], value: object, field: str, otherwise: T) -> T:
        """What `read` makes of a value; where it raises, its problems are noted and `otherwise` stands in."""
        try:
            return read(value, field)
        except BundleError as error:
            self.problems.extend(error.problems)
            return otherwise

    def mapping(self, value: object, field: str) -> dict[str, Any]:
        """A JSON object."""
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        self.refuse(field, 'Must be a JSON object, such as {"name": "value"}.', "wrong_type")
        return {}

    def closed(self, value: object, field: str, allowed: Collection[str]) -> dict[str, Any]:
        """A JSON object with no other keys than `allowed`."""
        entries = self.mapping(value, field)
        for key in entries:
            if key not in allowed:
                message = f"Unknown field {key!r}; known here: {', '.join(allowed)}."
                self.refuse(under(field, key), message, "unknown_field")
        return entries

    def items(self, value: object, field: str, *, at_most: int) -> list[Any]:
        """A JSON list of bounded length."""
        if not isinstance(value, list | tuple):
            self.refuse(field, "Must be a list.", "wrong_type")
            return []
        if len(value) > at_most:
            self.refuse(field, f"Has {len(value)} entries; at most {at_most} are taken.", "too_many")
            return []
        return list(value)

    def text(self, value: object, field: str, *, at_most: int, empty: bool = False) -> str:
        """A string in NFC, not longer than `at_most` code points."""
        if not isinstance(value, str):
            self.refuse(field, "Must be a string.", "required" if value is None else "wrong_type")
            return ""
        problems = problems_of(value, field)
        self.problems.extend(problems)
        if len(value) > at_most:
            self.refuse(field, f"Has {len(value):,} characters; at most {at_most:,} are taken.", "too_long")
        elif not value and not empty:
            self.refuse(field, "Must not be empty.", "required")
        return "" if problems else str(nfc(value))

    def choice(self, value: object, field: str, choices: Collection[str]) -> str:
        """One of a few words."""
        if isinstance(value, str) and value in choices:
            return value
        self.refuse(field, f"Must be one of {', '.join(choices)}.", "unknown_choice")
        return ""

    def integer(self, value: object, field: str, *, low: int, high: int) -> int:
        """A whole number in a range; true and false are no numbers."""
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.refuse(field, f"Must be a whole number from {low:,} to {high:,}.", "out_of_range")
        return low

    def json(self, value: object, field: str) -> Any:
        """Any JSON value that has canonical bytes, strings in NFC."""
        problems = problems_of(value, field)
        self.problems.extend(problems)
        return None if problems else self.attempt(nfc, value, field, None)
