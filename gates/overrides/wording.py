"""An override in words: its state, what it asks, what follows from approving it. Pure but for the row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gates.overrides.findings import Finding, names_of
from gates.overrides.rules import state_at
from gates.run_models import GateRun, Override

STATUS: Final = {
    "pending_approval": ("override", "Override asked for"),
    "active": ("override", "Override active"),
    "used": ("override", "Override used"),
    "expired": ("skip", "Override expired"),
    "rejected": ("fail", "Override rejected"),
    "withdrawn": ("skip", "Override withdrawn"),
}
LEDE: Final = {
    "pending_approval": "One other release manager decides. Both names are recorded, either way.",
    "active": "It was approved and lets this manifest into one rollout.",
    "used": "It was approved and has been used; it covered one rollout.",
    "expired": "It was not used in time and lets nothing through.",
    "rejected": "It was rejected: the gate's verdict stands.",
    "withdrawn": "Whoever asked for it took it back: the gate's verdict stands.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline of approvals."""

    kind: str
    title: str
    said: str
    at: datetime | None


def question(run: GateRun, findings: Sequence[Finding]) -> str:
    """The title: what the approver is asked."""
    said = "failed" if run.verdict == GateRun.Verdict.FAIL else "is held"
    if len(findings) > 1 and said == "is held":
        said = "are held"
    return f"May {run.release_name} ship although {names_of(findings)} {said}?"


def knowing(who: str, findings: Sequence[Finding]) -> str:
    """What the receipt will say of the approver."""
    found = "; ".join(finding.headline for finding in findings[:3]) or "its gate stops it"
    more = f"; and {len(findings) - 3:,} more" if len(findings) > 3 else ""
    return f"{who} approved, knowing that {found}{more}."


def consequences(row: Override, findings: Sequence[Finding]) -> Iterator[str]:
    """What follows from an approval, in sentences."""
    name = row.run.release_name
    yield f"{name} may start one rollout in checkpoints. No monitor is switched off, and a breach still halts it."
    covered = ", ".join(finding.name for finding in findings) or "what stops this gate run"
    yield f"Covered: {covered}; only for this manifest and this gate run, and only once."
    names = {finding.slug: finding.name for finding in findings}
    yield from (_level(names.get(slug, slug), level) for slug, level in sorted(row.accepted_levels.items()))
    if row.cold_start:
        yield "It is the first release of its route: 24 h of shadow come first, and this can be done once for a route."


def _level(name: str, level: str | None) -> str:
    if level is None:
        return f"{name}: no quality was measured, so the plain tolerance holds and the observer does not arm there."
    return f"{name}: quality of {level} is accepted; the canary's tolerance and the observer's floor start from it."


def timeline(row: Override, at: datetime, *, yours: bool) -> list[Step]:
    """Who asked, who decided, what became of it."""
    state = state_at(row.state, row.expires_at, at)
    steps = [Step("override", f"{row.requested_by_label} asked", "Whoever asks does not approve.", row.requested_at)]
    if row.decided_at is not None:
        steps.append(_decided(row, state))
    if state == "pending_approval":
        waits = Step("running", "You decide", "You are the second person.", None)
        other = Step("running", "A release manager decides", "Another person than the one who asked.", None)
        steps.append(waits if yours else other)
    if state == "expired":
        steps.append(Step("skip", "It expired", "Nothing rolls because of it.", row.expires_at))
    if row.used_at is not None:
        steps.append(Step("override", "It was used", "It covered one rollout.", row.used_at))
    return steps


def _decided(row: Override, state: str) -> Step:
    words = {"rejected": ("fail", "rejected it"), "withdrawn": ("skip", "withdrew it")}
    kind, said = words.get(state, ("pass", "approved"))
    who = row.decided_by_label or "The gate policy"
    return Step(kind, f"{who} {said}", row.comment or "It asks for no second person.", row.decided_at)
