"""A release in words: its verdict, its four stages, the one next action, what it changed. Pure.

Standing is what quality says of the manifest, delivery where it stands on its route (contracts.md "States").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.bundle.components import TITLES

ROLLED_BACK: Final = frozenset({"rollback.auto", "rollback.manual"})
_DELIVERY: Final = {
    "registered": "is registered",
    "rolling": "is rolling out",
    "stable": "serves its route",
    "superseded": "was replaced by a later release",
    "halted": "was halted",
    "rolled_back": "was rolled back",
    "archived": "is archived",
}
_STANDING: Final = {
    "none": "no gate run has judged it yet",
    "running": "its gate run is still running",
    "pass": "it passed its gate",
    "hold": "its gate holds it",
    "fail": "it failed its gate",
    "overridden": "its gate was overridden with a written reason",
}
# standing -> (status of the design, its word)
STANDING_STATUS: Final = {
    "none": ("skip", "No gate run"),
    "running": ("running", "Gate running"),
    "pass": ("pass", "Passed"),
    "hold": ("hold", "Held"),
    "fail": ("fail", "Failed"),
    "overridden": ("override", "Overridden"),
}
# delivery -> (status of the design, its word)
DELIVERY_STATUS: Final = {
    "registered": ("skip", "Not yet"),
    "rolling": ("running", "Rolling"),
    "stable": ("pass", "Done"),
    "superseded": ("pass", "Done"),
    "halted": ("fail", "Halted"),
    "rolled_back": ("fail", "Rolled back"),
    "archived": ("skip", "Archived"),
}
_NEXT: Final = {
    "none": "Next: its gate run. It rolls out only after a gate pass or an approved override.",
    "running": "Next: wait for the verdict of its gate run.",
    "pass": "Next: start its rollout.",
    "hold": "Next: bring the evidence that its gate misses, or ask for an override.",
    "fail": "Next: register a release that mends what failed, or ask for an override.",
    "overridden": "Next: start its rollout before the override expires.",
}
_AFTERWARDS: Final = {
    "rolling": "Next: nothing, unless a monitor breaches or somebody holds it.",
    "stable": "Next: nothing. It serves until another release replaces it.",
    "superseded": "Next: nothing. It can come back by a rollback.",
    "halted": "Next: find out why it was halted; it needs a newer pass or override to roll again.",
    "rolled_back": "Next: find out why it was rolled back; it needs a newer pass or override to roll again.",
    "archived": "Next: nothing. Archived is final.",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the four stages as a step: a status with its word, and a sentence."""

    title: str
    kind: str
    word: str
    sentence: str
    current: bool = False


def verdict(name: str, *, standing: str, delivery: str) -> str:
    """Standing and delivery in one sentence."""
    return f"{name} {_DELIVERY[delivery]}; {_STANDING[standing]}."


def next_action(*, standing: str, delivery: str) -> str:
    """What has to happen next, and what it depends on."""
    return _AFTERWARDS.get(delivery) or _NEXT[standing]


def stages(
    *, standing: str, delivery: str, registered_by: str, found: str = "", observed: Stage | None = None
) -> list[Stage]:
    """Register, Gate, Roll, Observe, and where the release is now.

    `found` is what its gate run found, `observed` the fourth stage of one that was watched.
    """
    gate_kind, gate_word = STANDING_STATUS[standing]
    roll_kind, roll_word = DELIVERY_STATUS[delivery]
    waits = delivery == "registered"
    at_gate = waits and standing not in ("pass", "overridden")
    return [
        Stage("Register", "pass", "Done", f"Registered by {registered_by}."),
        Stage("Gate", gate_kind, gate_word, f"{_capital(_STANDING[standing])}. {found}".strip(), current=at_gate),
        Stage("Roll", roll_kind, roll_word, _roll_sentence(delivery, at_gate=at_gate), current=waits and not at_gate),
        observed or Stage("Observe", "skip", "Not yet", "Begins when a release answers all traffic of its route."),
    ]


def _roll_sentence(delivery: str, *, at_gate: bool) -> str:
    if delivery != "registered":
        return f"It {_DELIVERY[delivery]}."
    return "Waits for the gate." if at_gate else "May start now: 5 %, 25 %, 100 %."


def changed(changes: Sequence[Mapping[str, Any]], refs: Mapping[str, str], *, cold_start: bool) -> str:
    """What a release changes, short enough for a list: `prompt template v15`, `model and routing`."""
    if cold_start:
        return "first on its route"
    serving = [change["component"] for change in changes if change["kind"] == "serving"]
    if not serving:
        return "nothing that serves"
    if len(serving) == 1:
        version = refs.get(serving[0], "").rpartition("@")[2]
        return f"{TITLES[serving[0]]} {version}" if version and ":" not in version else TITLES[serving[0]]
    return spoken([TITLES[component] for component in serving])


def spoken(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def event_words(event: str) -> str:
    """`release.registered` as a person says it; who rolled back stands beside it."""
    return "Rolled back" if event in ROLLED_BACK else _capital(event.replace(".", " ").replace("_", " "))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
