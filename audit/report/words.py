"""What a receipt says, in one sentence and with names, from the export alone. Pure."""

from audit.report.people import People
from audit.report.reading import Opened
from audit.report.texts import line
from audit.words import sentence, thing_of

SHORT = 12
PAGE_WORDS = {
    "gate_pass": ("pass", "Gate passed"),
    "gate_fail": ("fail", "Gate failed"),
    "gate_hold": ("hold", "Gate held"),
    "passed": ("pass", "Gate passed"),
    "failed": ("fail", "Gate failed"),
    "held": ("hold", "Gate held"),
    "pass": ("pass", "Pass"),
    "fail": ("fail", "Fail"),
    "review": ("hold", "Review"),
    "insufficient": ("hold", "Insufficient"),
    "not_measured": ("skip", "Not measured"),
}
UNKNOWN = ("skip", "Not told")


def status(verdict: object) -> tuple[str, str]:
    """Shape and word of a verdict."""
    return PAGE_WORDS.get(str(verdict), UNKNOWN)


def release_of(receipt: Opened) -> str:
    """What people call the release; its manifest where nothing tells."""
    name = receipt.told("release") or (receipt.told("name") if receipt.event == "release.registered" else None)
    if isinstance(name, str) and name:
        return line(name, 120)
    manifest = receipt.manifest_sha256
    return f"the release {manifest[:SHORT]}" if manifest else "no release"


def told(receipt: Opened, people: People, releases: dict[str, str]) -> str:
    """Who did what to which thing."""
    who = people.of(receipt.actor)
    outcome = line(receipt.decision.get("outcome"), 120)
    try:
        return line(sentence(event=receipt.event, outcome=outcome, who=who, thing=_thing(receipt, releases)))
    except ValueError:
        return line(f"{receipt.event}: {outcome}, by {who}")


def _thing(receipt: Opened, releases: dict[str, str]) -> str:
    application = str(receipt.predicate.get("application") or "")
    if receipt.manifest_sha256:
        name = releases.get(receipt.manifest_sha256) or f"release {receipt.manifest_sha256[:SHORT]}"
        return f"{application} {name}".strip()
    state = dict(receipt.state) | {key: value for key in ("name", "roles") if (value := receipt.told(key)) is not None}
    return line(thing_of(receipt.subject, application or "its application", _usable(state)))


def _usable(state: dict[str, object]) -> dict[str, object]:
    """Without roles that are no list, which an opening may hold as anything."""
    return {key: value for key, value in state.items() if key != "roles" or isinstance(value, list)}
