"""What the ticker does with a rollout: one look, at most one move (domain.md "Roll", contracts.md "States").

In order of precedence: the route was rolled back (aborted), halt, hold for review, promotion. The end of a checkpoint
is the first moment at which its dwell is over and its requests are there; a checkpoint that is not ready then gets
one more dwell, three times at most. A dwell that ends without its requests counts as an extension too, so that no
checkpoint waits for ever; when they come, the checkpoint is judged at once.
"""

from datetime import datetime

from releases.monitors.verdict import Reading
from releases.rollouts.decisions import Act, Decision
from releases.rollouts.evidence import Action, Facts, MonitorVerdicts, PolicyVerdict
from releases.rollouts.states import HARD_CLOCK, MAX_EXTENSIONS, Rollout, State
from releases.rollouts.transitions import advanced, ended, extended, held, unchanged
from releases.rollouts.wording import counted, reading, share, span


def decide(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Decision:
    """What one tick does; `Act.NOTHING` where it is only waited."""
    if rollout.over:
        return unchanged(rollout)
    if stronger := overriding(rollout, now, measured, facts):
        return stronger
    if rollout.held:
        return unchanged(rollout)
    return (_shadow if rollout.state is State.SHADOWING else _checkpoint)(rollout, now, measured, facts)


def overriding(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Decision | None:
    """What ends a rollout whatever a person asks for at the same moment: its route changed, a halt, the hard clock."""
    if facts.stable != rollout.previous:
        return ended(rollout, now, Act.ABORTED, (changed_underneath(rollout, facts),))
    if reasons := (*facts.integrity, *measured.breaches()):
        return ended(rollout, now, Act.HALTED, reasons)
    if rollout.held and rollout.halts_at is not None and now >= rollout.halts_at:
        late = f"Nobody decided within {span(HARD_CLOCK)} of the first hold at this checkpoint, so it halts."
        return ended(rollout, now, Act.HALTED, (late,))
    return None


def changed_underneath(rollout: Rollout, facts: Facts) -> str:
    """Say what the route serves in place of the release that this rollout is compared with."""
    names = [f"release {sha[:12]}" if sha else "no release" for sha in (facts.stable, rollout.previous)]
    return f"The route now serves {names[0]} beside the candidate, not {names[1]}, which it began with."


def alarms(measured: MonitorVerdicts, facts: Facts) -> tuple[str, ...]:
    """What holds a checkpoint at once, as sentences: subjects split wrongly, answers of another bundle or weights."""
    foreign = [f"Answers carry the fingerprint {one[:12]}, which is not this release's." for one in facts.foreign]
    return (*((measured.sample_ratio,) if measured.sample_ratio else ()), *foreign, *facts.weights)


def to_review(rollout: Rollout, measured: MonitorVerdicts) -> tuple[PolicyVerdict, ...]:
    """The violated policies that ask for a person and that none has reviewed at this checkpoint."""
    violated = measured.violated(Action.PAUSE_FOR_REVIEW)
    return tuple(policy for policy in violated if policy.name not in rollout.reviewed)


def complete(rollout: Rollout, measured: MonitorVerdicts) -> bool:
    """All requests of the present step are there, counted since it was entered."""
    return measured.since == rollout.entered_at and measured.requests >= rollout.step.requests


def missing(rollout: Rollout, measured: MonitorVerdicts) -> tuple[str, ...]:
    """What the present step lacks but its dwell, as sentences; nothing where it may go on."""
    reasons = [] if complete(rollout, measured) else [lacking_requests(rollout, measured)]
    for _, monitor in measured.monitors:
        if monitor.reading is not Reading.OK and not monitor.dry:
            reasons.extend(monitor.headlines)
    return tuple(reasons)


def lacking_requests(rollout: Rollout, measured: MonitorVerdicts) -> str:
    """Say how many requests are missing."""
    have = measured.requests if measured.since == rollout.entered_at else 0
    lack, wanted = max(0, rollout.step.requests - have), rollout.step.requests
    return f"{counted(lack, 'request')} {'is' if lack == 1 else 'are'} missing: {have:,} of {wanted:,}."


def _shadow(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Decision:
    """Nobody sees a shadow's answers, so it waits for its evidence as long as that takes."""
    lacks = (*alarms(measured, facts), *missing(rollout, measured))
    if rollout.dwelt(now) < rollout.due or lacks:
        return unchanged(rollout, lacks)
    return advanced(rollout, now, _by_rule(rollout, now, measured))


def _checkpoint(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Decision:
    if reasons := _asking_for_a_person(rollout, measured, facts):
        return held(rollout, now, Act.WAITING_REVIEW, reasons)
    if not judgement_due(rollout, now, measured):
        return unchanged(rollout)
    lacks = missing(rollout, measured)
    if not lacks:
        return advanced(rollout, now, _by_rule(rollout, now, measured))
    if rollout.extensions >= MAX_EXTENSIONS:
        used = f"All {MAX_EXTENSIONS} extensions are used, so a person decides."
        return held(rollout, now, Act.WAITING_REVIEW, (used, *lacks))
    more = f"Extended by {span(rollout.dwell)}, {rollout.extensions + 1} of {MAX_EXTENSIONS}."
    return extended(rollout, now, (more, *lacks), judged=complete(rollout, measured))


def _asking_for_a_person(rollout: Rollout, measured: MonitorVerdicts, facts: Facts) -> tuple[str, ...]:
    reviews = (reason for policy in to_review(rollout, measured) for reason in policy.reasons)
    return (*alarms(measured, facts), *reviews)


def judgement_due(rollout: Rollout, now: datetime, measured: MonitorVerdicts) -> bool:
    """The checkpoint's end has come: its dwell is over, and so is its extension unless the requests came in it."""
    clock = rollout.dwelt(now)
    first_complete = not rollout.judged and complete(rollout, measured)
    return clock >= rollout.due or (first_complete and clock >= rollout.dwell)


def _by_rule(rollout: Rollout, now: datetime, measured: MonitorVerdicts) -> tuple[str, ...]:
    clock, step = reading(rollout.dwelt(now)), rollout.step
    where = f"at {share(step.percent)}" if rollout.checkpoint else "in shadow"
    rule = f"By rule: dwell {clock} {where}, {counted(measured.requests, 'request')}, three monitors ok."
    return (rule, *(reason for _, monitor in measured.monitors for reason in monitor.headlines))
