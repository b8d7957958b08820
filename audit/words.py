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
    Event.OBSERVER_ARMED: "the automatic rollback of {thing} was armed",
    Event.OBSERVER_REFUSED: "the automatic rollback of {thing} was not armed",
    Event.DRIFT_ALARMED: "drift of {thing} raised an alarm",
    Event.DESIRED_STATE_RECONCILED: "the desired state of {thing} was reconciled",
    Event.RATINGS_ADDED: "{who} added ratings to {thing}",
    Event.WEIGHTS_OBSERVED: "the weights of {thing} were observed",
    Event.WEIGHTS_DRIFTED: "the weights of {thing} are not those that were registered",
    Event.BREAKGLASS_USED: "{who} broke the glass for {thing}",
    Event.KEY_ROTATED: "{who} let a new key sign in place of {thing}",
    Event.KEY_REVOKED: "{who} revoked {thing}: what it signs is believed no more",
    Event.ANCHOR_MADE: "the chain was anchored by {thing}",
    Event.DISCLOSURE_ERASED: "{who} erased {thing} with its key and every copy",
    Event.RETENTION_EXPIRED: "the retention of {thing} expired",
}
DISCLAIMERS = {
    "closed-api": "The model runs behind its provider's API. Nobody outside can see which weights answer, and the "
    "provider may change them behind the same name: relcontrol claims nothing about them.",
    "no-weights-digest": "The weights are open, but no digest was given, so nobody could compare what served.",
    "declared": "The digest was declared. Nobody has seen the files: the claim is no more than that.",
    "files-at-load": "An observer beside the model server read all files and found the registered ones. That is what "
    "was mounted there at that time, by the observer's clock; not that the server had loaded it, nor what came later.",
    "files-sampled": "An observer beside the model server read all files, and a random part of them again since, and "
    "found the registered ones. A change of files that were not drawn would not show, nor that the server loaded them.",
    "drifted": "An observer beside the model server read all files and found others than the registered ones. It does "
    "not say who changed them, nor which of them the server had loaded.",
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
    if kind == "anchor":
        return shown
    if kind == "anchor_schedule":
        return "the anchor schedule"
    if kind == "key":
        return f"the {(state or {}).get('purpose', '')} key {name[:12]}".replace("  ", " ")
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
        if is_drift(weights):
            return "open weights, but other files than the registered ones were seen"
        seen = {
            "declared": "declared, seen by nobody",
            "files-at-load": "files seen when they were loaded",
            "files-sampled": "files seen when they were loaded and sampled since",
        }
        return f"open weights, {seen[weights['assurance']]}"
    return "no release, so no claim"


def is_drift(weights: Mapping[str, Any]) -> bool:
    """Whether a claim tells of other weights than were registered."""
    observed = weights.get("observed_manifest_sha256")
    return observed is not None and observed != weights.get("manifest_sha256")


def weights_disclaimer(weights: Mapping[str, Any]) -> str:
    """What such a claim does not prove, as sentences; empty for one that this version does not know."""
    known = "drifted" if is_drift(weights) else str(weights.get("reason") or weights.get("assurance"))
    return DISCLAIMERS.get(known, "")


def delivery_in_words(delivery: Mapping[str, Any]) -> str:
    """The delivery state before and after."""
    after = str(delivery["to"]).replace("_", " ")
    return f"from {str(delivery['from']).replace('_', ' ')} to {after}" if delivery["from"] else after
