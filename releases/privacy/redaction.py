"""Redaction of live requests before they are stored (domain.md "Lineage and privacy"). Pure.

A redaction is `{"pattern", "with"}` in the linear-time pattern language of preprocessing steps. They run in their
order, each over what the one before has left, on every text that is sealed: of input, output, metadata and settings,
however deeply nested. Names of fields and numbers stay as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.patterns.linear_pattern import LinearPattern, compile_pattern

SEALED: Final = ("input", "output", "metadata", "client_settings")


class Redactor:
    """The redactions of one organization, compiled. Raises `BundleError` where a pattern is not in the language."""

    def __init__(self, redactions: Sequence[Mapping[str, str]]) -> None:
        self._steps = [(compile_pattern(one["pattern"]), one["with"]) for one in redactions]
        self._any = _any_of([one["pattern"] for one in redactions])

    def text(self, given: str) -> str:
        """One text, redacted. Whether there is a match at all costs a tenth of finding out where."""
        if self._any is not None and not self._any.found(given):
            return given
        for pattern, replacement in self._steps:
            if pattern.found(given):
                given = pattern.replace(given, replacement)
        return given

    def value(self, given: Any) -> Any:
        """A JSON value with every text in it redacted: a copy, made without recursion, so that no depth is too deep."""
        top = [given]
        copy = [given]
        waiting: list[tuple[Any, Any]] = [(top, copy)]
        while waiting:
            source, target = waiting.pop()
            for place, entry in source.items() if isinstance(source, dict) else enumerate(source):
                if isinstance(entry, str):
                    target[place] = self.text(entry)
                elif isinstance(entry, dict | list | tuple):
                    inner: Any = dict(entry) if isinstance(entry, dict) else list(entry)
                    target[place] = inner
                    waiting.append((entry, inner))
        return copy[0]

    def row(self, row: Any) -> Any:
        """A row of traces with what is to be sealed redacted; what is no row is left to whoever refuses it."""
        if not isinstance(row, Mapping):
            return row
        return {**row, **{name: self.value(row[name]) for name in SEALED if row.get(name) is not None}}


def _any_of(patterns: Sequence[str]) -> LinearPattern | None:
    """All of them in one, so that most texts are read once; None where that is too large, or there is but one."""
    if len(patterns) < 2:
        return None
    try:
        return compile_pattern("|".join(f"(?:{pattern})" for pattern in patterns))
    except BundleError:
        return None
