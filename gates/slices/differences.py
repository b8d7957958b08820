"""What changed between two revisions of a slice, field by field, in words (ui.md screen 6)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

TITLES: Final[Mapping[str, str]] = {
    "name": "Name",
    "description": "Description",
    "application": "Application",
    "parent": "Below",
    "owner": "Owner",
    "judge": "Judge",
    "threshold": "Agreement at least",
    "quality_floor": "Quality at least",
    "policy": "Policy",
    "n_min": "Fewest cases",
    "match": "Live traces",
}
NOTHING: Final[Mapping[str, str]] = {"application": "every application", "parent": "nothing", "owner": "nobody"}
SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that changed."""

    field: str
    title: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.title}: {self.before} → {self.after}"


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], people: Mapping[str, str] | None = None
) -> tuple[Difference, ...]:
    """What `after` says otherwise than `before`: definitions as they are stored. `people` names owners by id."""
    known = people or {}
    return tuple(
        Difference(name, title, _words(name, before.get(name), known), _words(name, after.get(name), known))
        for name, title in TITLES.items()
        if before.get(name) != after.get(name)
    )


def _words(field: str, value: Any, people: Mapping[str, str]) -> str:
    if value is None or value == "":
        return NOTHING.get(field, "not set")
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, Mapping) else str(value)
    text = people.get(text, text) if field == "owner" else text
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
