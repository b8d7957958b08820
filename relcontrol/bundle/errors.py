"""What the bundle core says when an input breaks a rule: values with the field's path, all of them at once.

Paths are written as in API answers: `components.git_commit`, `steps[2].op`; the empty path is the whole input.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field; `message` is a sentence that says what to do, `code` is stable."""

    field: str
    message: str
    code: str


class BundleError(ValueError):
    """An input that cannot become part of a bundle; `problems` is never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.field}: {p.message}" if p.field else p.message for p in self.problems))


def one_problem(field: str, message: str, code: str) -> BundleError:
    """The common case of a single problem."""
    return BundleError((Problem(field, message, code),))


def under(parent: str, key: str) -> str:
    """The path of a key below `parent`."""
    return f"{parent}.{key}" if parent else key


def item(parent: str, index: int) -> str:
    """The path of a list's item below `parent`."""
    return f"{parent}[{index}]"
