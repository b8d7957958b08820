"""What a decision about a rollout is made from: readings of the monitors, and facts of the route (domain.md "Roll").

Readings are three-valued (statistics.md R11). A *breach* is proven and acts at any look; *ok* and *hold* say what
the end of a checkpoint would say now. Only samples since the checkpoint was entered count: `since` names the entry
that they belong to, and readings of another one promote nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from releases.monitors.verdict import MonitorVerdict, Reading, worst_of

NOTHING_READ: Final = "Nothing has been measured yet."


class Action(StrEnum):
    """What a further policy does when it is violated: objective ones roll back, noisy ones ask a person."""

    ROLLBACK = "rollback"
    PAUSE_FOR_REVIEW = "pause_for_review"


@dataclass(frozen=True, slots=True)
class Monitor:
    """One of the three monitors with its verdicts: p95 to the first token and in total, quality slice by slice.

    It reads as its worst verdict, and holds without any. A dry one is shown and has no effect. `eta` is when one that
    holds will have its evidence, as far as that is known.
    """

    verdicts: tuple[MonitorVerdict, ...]
    dry: bool = False
    eta: datetime | None = None

    @property
    def reading(self) -> Reading:
        """What it says."""
        return worst_of(self.verdicts)

    @property
    def worst(self) -> tuple[MonitorVerdict, ...]:
        """The verdicts that make it read so."""
        return tuple(verdict for verdict in self.verdicts if verdict.reading is self.reading)

    @property
    def headlines(self) -> tuple[str, ...]:
        """What each of those found; of one that holds also its second reason, why that is not enough."""
        said = 2 if self.reading is Reading.HOLD else 1
        return tuple(" ".join(verdict.reasons[:said]) for verdict in self.worst) or (NOTHING_READ,)


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    """A further policy such as groundedness over 15 minutes; without data it is not violated."""

    name: str
    action: Action
    violated: bool
    reasons: tuple[str, ...]
    dry: bool = False


@dataclass(frozen=True, slots=True)
class MonitorVerdicts:
    """All readings of one look: candidate requests since entry, the three monitors, the sample ratio, policies.

    `requests_per_second` is the candidate's present rate, None where it is not known. `sample_ratio` is None while
    the ratio of subjects is as assigned, else the sentence that says how it is not (R11b).
    """

    since: datetime
    requests: int
    requests_per_second: float | None
    errors: Monitor
    latency: Monitor
    quality: Monitor
    sample_ratio: str | None = None
    policies: tuple[PolicyVerdict, ...] = ()

    @property
    def monitors(self) -> tuple[tuple[str, Monitor], ...]:
        """The three by name, dry ones included."""
        return ("errors", self.errors), ("latency", self.latency), ("quality", self.quality)

    @property
    def all_ok(self) -> bool:
        """No monitor that has an effect breaches or holds."""
        return all(monitor.dry or monitor.reading is Reading.OK for _, monitor in self.monitors)

    def breaches(self) -> Iterator[str]:
        """Why traffic goes back at once: proven breaches and violated policies that roll back."""
        for _, monitor in self.monitors:
            if monitor.reading is Reading.BREACH and not monitor.dry:
                yield from (reason for verdict in monitor.worst for reason in verdict.reasons)
        for policy in self.violated(Action.ROLLBACK):
            yield from policy.reasons

    def violated(self, action: Action) -> tuple[PolicyVerdict, ...]:
        """The violated policies with this action."""
        return tuple(one for one in self.policies if one.violated and not one.dry and one.action is action)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is true of the route now.

    `stable` is the manifest that it serves beside the candidate, None for none. `integrity` are failures that end a
    rollout (a tampered manifest, a broken chain); `foreign` are fingerprints of the newest traces that are not the
    manifest's: when the gateways are right again, it is empty again. `weights` are sentences about other weights than
    registered, where those are to be reviewed; where they halt, they are among `integrity`.
    """

    stable: str | None
    integrity: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StartFacts:
    """What a start needs, as sentences why not; all empty means go (domain.md "Start needs").

    `why_not` is what deployability says, `fingerprint` what gateways report of the bundle, `target` the warm rollback
    target, `route` everything else of the route: another rollout, cool-down, a drift alarm.
    """

    stable: str | None
    why_not: tuple[str, ...] = ()
    fingerprint: str | None = None
    target: str | None = None
    route: tuple[str, ...] = ()
