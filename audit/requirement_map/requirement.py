"""One requirement of the map: what it asks, what of ours is evidence for it, and what that does not show. Pure."""

from dataclasses import dataclass
from typing import Any

from audit.events import Event


@dataclass(frozen=True, slots=True)
class Requirement:
    """`asks`, `shows` and `not_shown` are sentences. `fields` are paths in a receipt; `pages` label and URL name."""

    id: str
    frame: str
    clause: str
    asks: str
    events: tuple[Event, ...]
    fields: tuple[str, ...]
    pages: tuple[tuple[str, str], ...]
    shows: str
    not_shown: str

    def as_json(self) -> dict[str, Any]:
        """For the API: events by name, pages by label."""
        return {
            "id": self.id,
            "frame": self.frame,
            "clause": self.clause,
            "asks": self.asks,
            "events": [event.value for event in self.events],
            "fields": list(self.fields),
            "pages": [label for label, _ in self.pages],
            "shows": self.shows,
            "does_not_show": self.not_shown,
        }
