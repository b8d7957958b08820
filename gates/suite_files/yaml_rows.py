"""The items of a YAML list, one by one, built from parser events (no objects, no expansion, little memory).

Pure. The YAML 1.2 core schema without its power: plain scalars are null, true, false, numbers or text (so `no` is the
text "no"); tags, anchors and aliases are refused, which leaves nothing to explode; nesting is bounded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

MAX_DEPTH: Final = 16

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class YamlStopError(Exception):
    """Nothing more can be read from the file; says why."""


@dataclass(frozen=True, slots=True)
class YamlItem:
    """One item: the line it ends on (from 1), its value, and why it cannot be taken, if so."""

    line: int
    value: Any
    fault: str


@dataclass(slots=True)
class _Open:
    """A list or mapping that is being read; a mapping remembers the key whose value comes next."""

    container: list[Any] | dict[str, Any]
    key: str | None = None

    def add(self, value: Any) -> str:
        """Put a value in; returns what is wrong with it, or ""."""
        if isinstance(self.container, list):
            self.container.append(value)
            return ""
        if self.key is not None:
            self.container[self.key], self.key = value, None
            return ""
        self.key = value if isinstance(value, str) else repr(value)
        if not isinstance(value, str):
            return f"The key {self.key} is no text; put it in quotes."
        return f"The key {value!r} stands twice; keep one." if value in self.container else ""


@dataclass(slots=True)
class _Items:
    """What has been read of the document so far."""

    opened: list[_Open] = field(default_factory=list)
    fault: str = ""

    def note(self, fault: str) -> None:
        """Keep the first fault of the present item."""
        self.fault = self.fault or fault

    def place(self, value: Any, line: int) -> Iterator[YamlItem]:
        """Put a finished value where it belongs: into its parent, or out as an item of the outermost list."""
        if not self.opened:
            raise YamlStopError("The file must be a list of cases: every case starts with '- '.")
        if len(self.opened) > 1:
            self.note(self.opened[-1].add(value))
            return
        yield YamlItem(line, value, self.fault)
        self.fault = ""


def yaml_items(text: str) -> Iterator[YamlItem]:
    """The items of the list that `text` is; `YamlStopError` where reading cannot go on."""
    items = _Items()
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if documents > 1:
                raise YamlStopError("The file holds a second document after '---'; put all cases into one list.")
            yield from _taken(items, event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise YamlStopError(f"Not YAML: {getattr(error, 'problem', None) or error}{place}.") from error


def _taken(items: _Items, event: yaml.Event) -> Iterator[YamlItem]:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent):
        items.note(f"The alias *{event.anchor} cannot be used here; write the value out.")
        yield from items.place(None, line)
    elif isinstance(event, yaml.ScalarEvent):
        _refuse_powers(items, event)
        yield from items.place(_scalar(event), line)
    elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
        _refuse_powers(items, event)
        _open(items, event)
    elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
        closed = items.opened.pop().container
        if items.opened:
            yield from items.place(closed, line)


def _open(items: _Items, event: yaml.CollectionStartEvent) -> None:
    is_list = isinstance(event, yaml.SequenceStartEvent)
    if not items.opened and not is_list:
        raise YamlStopError("The file must be a list of cases: every case starts with '- '.")
    if len(items.opened) >= MAX_DEPTH:
        raise YamlStopError(f"Nested deeper than {MAX_DEPTH} levels in line {_line(event)}; flatten it.")
    items.opened.append(_Open([] if is_list else {}))


def _refuse_powers(items: _Items, event: yaml.NodeEvent) -> None:
    if event.anchor:
        items.note(f"The anchor &{event.anchor} cannot be used here; leave it out.")
    if tag := getattr(event, "tag", None):
        items.note(f"The tag {tag} cannot be used here; leave it out.")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
