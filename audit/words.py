"""A receipt in one sentence for people: who did what to which thing (ui.md "Words"). Pure.

An event whose name ends in `changed` says in its outcome how; of most others the name is the verb. Where not the actor
but the thing is what happened, the phrase is written here.
"""

from collections.abc import Mapping
from typing import Any

from audit.events import Event
from audit.statement import PERSONAL, STATE

PHRASES = {
    Event.GATE_PASSED: "{thing} passed its gate",
    Event.GATE_FAILED: "{thing} failed its gate",
    Event.GATE_HELD: "{thing} was held at its gate",
    Event.GATE_OVERRIDDEN: "the gate of {thing} was overridden",
    Event.GATE_CARRIED: "a gate that was passed before was carried over to {thing}",
    Event.GATE_SIGNED_OFF: "{who} signed off the gate of {thing}",
    Event.OVERRIDE_REQUESTED: "{who} requested an override for {thing}",
    Event.OVERRIDE_REJECTED: "{who} rejected the override for {thing}",
    Event.OVERRIDE_WITHDRAWN: "{who} withdrew the override for {thing}",
    Event.OVERRIDE_EXPIRED: "the override for {thing} expired",
    Event.ROLLOUT_STARTED: "{who} started the rollout of {thing}",
    Event.ROLLOUT_PAUSED: "{who} paused the rollout of {thing}",
    Event.ROLLOUT_RESUMED: "{who} resumed the rollout of {thing}",
    Event.ROLLOUT_HALTED: "the rollout of {thing} was halted",
    Event.ROLLOUT_ABORTED: "{who} aborted the rollout of {thing}",
    Event.ROLLOUT_COMPLETED: "the rollout of {thing} was completed",
    Event.CHECKPOINT_PROMOTED: "{thing} was promoted to its next checkpoint",
    Event.CHECKPOINT_HELD: "{thing} was held at its checkpoint",
    Event.CHECKPOINT_WAITING_REVIEW: "{thing} waits at its checkpoint for a review",
    Event.ROLLBACK_AUTO: "{thing} was rolled back automatically",
    Event.ROLLBACK_MANUAL: "{who} rolled {thing} back",
    Event.ROLLBACK_REHEARSED: "{who} rehearsed the rollback of {thing}",
    Event.OBSERVER_ARMED: "the observer of {thing} was armed",
    Event.OBSERVER_REFUSED: "the observer of {thing} was refused",
    Event.DRIFT_ALARMED: "drift of {thing} raised an alarm",
    Event.DESIRED_STATE_RECONCILED: "the desired state of {thing} was reconciled",
    Event.RATINGS_ADDED: "{who} added ratings to {thing}",
    Event.WEIGHTS_OBSERVED: "the weights of {thing} were observed",
    Event.WEIGHTS_DRIFTED: "the weights of {thing} are not those that were registered",
    Event.BREAKGLASS_USED: "{who} broke the glass for {thing}",
    Event.ANCHOR_MADE: "the chain was anchored by {thing}",
    Event.DISCLOSURE_ERASED: "{who} erased {thing} with its key and every copy",
    Event.RETENTION_EXPIRED: "the retention of {thing} expired",
}
OUR_WORDS = ("the ", "a ", "drift ")
KINDS = ("application", "organization", "endpoint", "suite", "slice", "export")


def sentence(*, event: str, outcome: str, who: str, thing: str) -> str:
    """A sentence such as: Mara Lindqvist registered legal-assistant r128."""
    word = event.partition(".")[2]
    verb = (outcome if word == "changed" else word).replace("_", " ")
    phrase = PHRASES.get(Event(event), "{who} {verb} {thing}")
    said = phrase.format(who=who, verb=verb, thing=thing)
    ours = said.startswith(OUR_WORDS)  # a name keeps the case that its bearer gave it
    return f"{said[0].upper() if ours else said[0]}{said[1:]}."


def opened_state(openings: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the openings of one receipt (field → value) tell together: the state, and what is personal beside it."""
    state = openings.get(STATE)
    known = dict(state) if isinstance(state, dict) else {}
    personal = {name.removeprefix(PERSONAL): value for name, value in openings.items() if name.startswith(PERSONAL)}
    return known | personal or None


def thing_of(subject: str, application: str, state: Mapping[str, Any] | None) -> str:
    """What a receipt is about. `state` is what is opened; after an erasure ids stand where names stood."""
    kind, _, name = subject.partition(":")
    shown = str((state or {}).get("name") or name)
    if kind == "release":
        return f"{application} {name}".strip()
    if kind == "route":
        return f"the route {shown} of {application}"
    if kind == "token":
        return f"the token {shown}"
    if kind == "person":
        return _member(shown, state)
    return f"the {kind} {name}" if kind in KINDS else f"the {kind.replace('_', ' ')} {shown}"


def _member(name: str, state: Mapping[str, Any] | None) -> str:
    roles = ", ".join(str(role).replace("-", " ") for role in (state or {}).get("roles", ()))
    return f"{name} as {roles}" if roles else name


def weights_in_words(weights: Mapping[str, Any]) -> str:
    """What a receipt claims about the model's weights, no more than it does."""
    if weights["provenance"] == "not-claimed":
        if weights["reason"] == "no-weights-digest":
            return f"not claimed: no digest of the open weights of {weights['model']} was given"
        return f"not claimed: {weights['model']} is behind the closed API of {weights['provider']}"
    if weights["provenance"] == "attested":
        seen = {
            "declared": "declared, seen by nobody",
            "files-at-load": "files seen when they were loaded",
            "files-sampled": "files seen when they were loaded and sampled since",
        }
        return f"open weights, {seen[weights['assurance']]}"
    return "no release, so no claim"


def delivery_in_words(delivery: Mapping[str, Any]) -> str:
    """The delivery state before and after."""
    after = str(delivery["to"]).replace("_", " ")
    return f"from {str(delivery['from']).replace('_', ' ')} to {after}" if delivery["from"] else after
