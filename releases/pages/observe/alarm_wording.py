"""Alarms in words: what each kind is about, what a person may decide, and what follows."""

from collections.abc import Mapping
from typing import Any, Final

from releases.observing.drift import KEEP, REBASE, ROLLED_BACK

# cause -> (word of the status, what it says; {subject} is a slice or a policy)
CAUSES: Final = {
    "drift": ("Drifts", "Quality of {subject} of {release} drifts."),
    "breach": ("Below floor", "{subject} of {release} is below its floor, and nothing took it back."),
    "agreement": ("Judge", "The judge of {subject} has left the experts."),
    "policy": ("Violated", "{release} violates the policy {subject}."),
}
KEPT: Final = {
    "drift": "Kept as it is, the alarm comes again if quality stays where it is; with a new usual one, if it falls.",
    "breach": "Kept, the alarm comes again when three further windows in a row are below the floor.",
    "agreement": "Kept, the alarm comes again a day later if the judge still ranks otherwise than the experts.",
    "policy": "Kept, this policy raises no alarm for 24 hours.",
}
DECIDED: Final = {
    KEEP: "Kept: it goes on serving",
    REBASE: "Kept, with a new usual quality",
    ROLLED_BACK: "It serves no longer",
}
NUMBERS: Final = {
    "value": "Evidence",
    "alarm": "Alarms at",
    "limit": "Limit",
    "level": "Looked for below",
    "mean": "Quality then",
    "n": "Answers",
}
OF_POLICY: Final = {"value": "Value"}
OF_BREACH: Final = {"level": "Floor"}
LARGE: Final = 100


def cause_of(kind: str, facts: Mapping[str, Any]) -> str:
    """Which of `CAUSES` an alarm is of."""
    return "policy" if kind == "policy" else cause if (cause := facts.get("cause", "")) in CAUSES else "drift"


def about(cause: str, *, subject: str, release: str) -> tuple[str, str]:
    """The word of its status, and a sentence."""
    word, says = CAUSES[cause]
    return word, says.format(subject=subject, release=release)


def choices(cause: str, *, release: str, serves: bool) -> list[tuple[str, str]]:
    """What may be decided now. That it was taken back can be said once that is so."""
    if not serves:
        return [(ROLLED_BACK, f"{release} serves no longer: close the alarm.")]
    found = [(KEEP, f"Keep {release}. What is looked for stays as it is, and is counted from the beginning.")]
    if cause == "drift":
        found.append(
            (REBASE, f"Keep {release}, and take the quality of the last half hour for the usual one from now on.")
        )
    return found


def numbers_of(cause: str, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The numbers that an alarm rests on, as they were when it was raised."""
    words = {**NUMBERS, **({"drift": {}, "breach": OF_BREACH}.get(cause, OF_POLICY))}
    known = [(key, facts[key]) for key in words if isinstance(facts.get(key), (int, float))]
    return [(words[key], _written(value)) for key, value in known]


def _written(value: float) -> str:
    return f"{value:,.0f}" if isinstance(value, int) or abs(value) >= LARGE else f"{value:.2f}"
