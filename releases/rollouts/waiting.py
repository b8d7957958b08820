"""Why is it not moving? Every condition as a sentence with live numbers and an ETA (domain.md "Roll").

One structure for page, API and CI. The conditions are those that `deciding` decides by; an ETA says when one will hold
at the present rate, None that no clock or rate will make it hold.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from relcontrol.web.words import iso_time
from releases.monitors.verdict import Reading
from releases.rollouts.deciding import alarms, changed_underneath, complete, lacking_requests, to_review
from releases.rollouts.evidence import Action, Facts, Monitor, MonitorVerdicts
from releases.rollouts.states import MAX_EXTENSIONS, Rollout, State
from releases.rollouts.wording import reading, share, span


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that the next step needs; `key` is stable for programs."""

    key: str
    met: bool
    sentence: str
    eta: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """As the API and CI get it."""
        return {"key": self.key, "met": self.met, "sentence": self.sentence, "eta": _iso(self.eta)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """What comes next, when if nothing changes, and on what it waits, unmet conditions first."""

    next_step: str | None
    eta: datetime | None
    halts_at: datetime | None
    conditions: tuple[Condition, ...]

    @property
    def unmet(self) -> tuple[Condition, ...]:
        """What it waits for."""
        return tuple(condition for condition in self.conditions if not condition.met)

    def as_json(self) -> dict[str, Any]:
        """As the API and CI get it."""
        return {
            "next": self.next_step,
            "eta": _iso(self.eta),
            "halts_at": _iso(self.halts_at),
            "conditions": [condition.as_json() for condition in self.conditions],
        }


def waiting_for(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Waiting:
    """What the next promotion waits for; nothing of a rollout that is over."""
    if rollout.over:
        return Waiting(None, None, None, ())
    conditions = sorted(_conditions(rollout, now, measured, facts), key=lambda condition: condition.met)
    halts_at = rollout.halts_at if rollout.held else None
    return Waiting(_next_step(rollout), _eta(conditions, now), halts_at, tuple(conditions))


def _next_step(rollout: Rollout) -> str:
    if rollout.last:
        return "completed"
    return share(rollout.plan[rollout.checkpoint].percent)


def _eta(conditions: list[Condition], now: datetime) -> datetime | None:
    """When the last unmet condition will hold; None where one of them does not know."""
    etas = [condition.eta for condition in conditions if not condition.met]
    known = [eta for eta in etas if eta is not None]
    return max([now, *known]) if len(known) == len(etas) else None


def _conditions(rollout: Rollout, now: datetime, measured: MonitorVerdicts, facts: Facts) -> Iterator[Condition]:
    yield _dwell(rollout, now)
    yield _requests(rollout, now, measured)
    for name, monitor in measured.monitors:
        yield from _monitor(name, monitor)
    yield from _policies(rollout, measured)
    yield from _alarms(measured, facts)
    yield _route(rollout, facts)
    yield _person(rollout, now)


def _dwell(rollout: Rollout, now: datetime) -> Condition:
    clock = rollout.dwelt(now)
    needed = rollout.due if rollout.judged else rollout.dwell  # an extension for missing requests ends with them
    of = f"{reading(clock)} of {reading(needed)} {_where(rollout)}"
    if rollout.extensions:
        of += f", extended {rollout.extensions} of {MAX_EXTENSIONS} times"
    left = needed - clock
    if left <= timedelta(0):
        return Condition("dwell", met=True, sentence=f"The dwell is over: {of}.")
    if rollout.held:
        return Condition("dwell", met=False, sentence=f"The dwell stands still: {of}, {span(left)} to go.")
    return Condition("dwell", met=False, sentence=f"The dwell has {span(left)} to go: {of}.", eta=now + left)


def _where(rollout: Rollout) -> str:
    return f"at {share(rollout.step.percent)}" if rollout.checkpoint else "in shadow"


def _requests(rollout: Rollout, now: datetime, measured: MonitorVerdicts) -> Condition:
    if complete(rollout, measured):
        have = f"{measured.requests:,} of {rollout.step.requests:,}"
        return Condition("requests", met=True, sentence=f"The requests are there: {have}.")
    lack, rate = lacking_requests(rollout, measured), measured.requests_per_second
    if measured.since != rollout.entered_at or rate is None:
        return Condition("requests", met=False, sentence=lack)
    if rate <= 0:
        return Condition("requests", met=False, sentence=f"{lack} None are coming in at present.")
    eta = now + timedelta(seconds=(rollout.step.requests - measured.requests) / rate)
    return Condition("requests", met=False, sentence=f"{lack[:-1]}, at {rate:,.1f} a second.", eta=eta)


def _monitor(name: str, monitor: Monitor) -> Iterator[Condition]:
    """One condition if it is within its limits, else one for each verdict that is not."""
    if monitor.dry:
        yield Condition(name, met=True, sentence=f"{monitor.headlines[0]} It runs dry, without effect.")
    elif monitor.reading is Reading.OK:
        yield Condition(name, met=True, sentence=monitor.headlines[0])
    else:
        yield from (Condition(name, met=False, sentence=each, eta=monitor.eta) for each in monitor.headlines)


def _policies(rollout: Rollout, measured: MonitorVerdicts) -> Iterator[Condition]:
    for policy in measured.violated(Action.ROLLBACK):
        yield Condition(policy.name, met=False, sentence=" ".join(policy.reasons))
    waiting = to_review(rollout, measured)
    for policy in measured.violated(Action.PAUSE_FOR_REVIEW):
        reviewed = "" if policy in waiting else " A person has reviewed it at this checkpoint."
        yield Condition(policy.name, met=bool(reviewed), sentence=" ".join(policy.reasons) + reviewed)


def _alarms(measured: MonitorVerdicts, facts: Facts) -> Iterator[Condition]:
    standing = (*facts.integrity, *alarms(measured, facts))
    if not standing:
        sound = "Subjects are split as assigned, and every answer is this release's own."
        yield Condition("integrity", met=True, sentence=sound)
    for sentence in standing:
        yield Condition("integrity", met=False, sentence=sentence)


def _route(rollout: Rollout, facts: Facts) -> Condition:
    if facts.stable != rollout.previous:
        return Condition("stable", met=False, sentence=changed_underneath(rollout, facts))
    return Condition("stable", met=True, sentence="The route serves what it served when the rollout began.")


def _person(rollout: Rollout, now: datetime) -> Condition:
    if not rollout.held:
        return Condition("person", met=True, sentence="Nobody has paused it, and promotion is automatic.")
    why = "It is paused" if rollout.state is State.PAUSED else "It waits for a person's review"
    left = f" Without a decision it halts in {span(rollout.halts_at - now)}." if rollout.halts_at else ""
    return Condition("person", met=False, sentence=f"{why}. {' '.join(rollout.reasons)}{left}")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso_time(at)
