"""The appendix of the report: the requirement map, with how many receipts of this export bear on each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from audit.report.texts import counted
from audit.requirements import NOTE, requirements

__all__ = ["NOTE", "Mapped", "appendix_of"]


@dataclass(frozen=True, slots=True)
class Mapped:
    """One requirement beside what is here."""

    clause: str
    asks: str
    shows: str
    not_shown: str
    here: str


def appendix_of(events: Mapping[str, int]) -> list[tuple[str, list[Mapped]]]:
    """Frame by frame. `events`: how many receipts of each event the export holds."""
    frames: dict[str, list[Mapped]] = {}
    for one in requirements():
        here = sum(events.get(event.value, 0) for event in one.events)
        told = counted(here, "receipt") if here else "none" if one.events else ""
        mapped = Mapped(one.clause, one.asks, one.shows, one.not_shown, told)
        frames.setdefault(one.frame, []).append(mapped)
    return list(frames.items())
