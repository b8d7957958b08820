"""A rollout in words: its title, its lede, its moves. Pure; the reasons themselves are the state machine's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from releases.rollouts.states import Rollout, State
from releases.rollouts.wording import share

# state -> (status of the design, its word)
STATE_STATUS: Final = {
    State.SHADOWING: ("running", "Answering in shadow"),
    State.CHECKPOINT: ("running", "Canary running"),
    State.PAUSED: ("hold", "Paused"),
    State.WAITING_REVIEW: ("hold", "Waiting for a review"),
    State.COMPLETED: ("pass", "Completed"),
    State.HALTED: ("fail", "Halted"),
    State.ABORTED: ("skip", "Aborted"),
}
# act -> (status of the design, what happened; {share} is where)
ACTS: Final = {
    "started": ("running", "Rollout started"),
    "extended": ("hold", "One more dwell at {share}"),
    "promoted": ("pass", "Promoted to {share}"),
    "completed": ("pass", "Completed: it answers everything"),
    "waiting_review": ("hold", "Left for a review at {share}"),
    "paused": ("hold", "Paused at {share}"),
    "resumed": ("running", "Resumed at {share}"),
    "halted": ("fail", "Halted at {share}"),
    "aborted": ("skip", "Aborted at {share}"),
}
SHADOW: Final = "0 %, in shadow"
BY_NOW: Final = "That was when it was held: by now all monitors are within their limits."


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the candidate, what it is compared with (empty on a cold start), and the traffic.

    `serves`: whether the candidate is what its route serves now, which a completed rollout does not say for ever.
    """

    candidate: str
    stable: str
    traffic: str
    serves: bool = False


def title(rollout: Rollout, names: Names, ended_at: datetime | None) -> str:
    """What answers now; of a rollout that is over, what became of the traffic."""
    where = share(rollout.step.percent)
    match rollout.state:
        case State.SHADOWING:
            return f"{names.candidate} answers copies of {names.traffic}, unseen."
        case State.CHECKPOINT:
            return f"{names.candidate} answers {where} of {names.traffic}."
        case State.PAUSED:
            return f"{names.candidate} is paused at {where} of {names.traffic}."
        case State.WAITING_REVIEW:
            return f"{names.candidate} waits for a person at {where} of {names.traffic}."
        case State.COMPLETED if not names.serves:
            return (
                f"The rollout of {names.candidate} was completed at {clock(ended_at)}. It no longer serves its route."
            )
        case State.COMPLETED:
            return f"{names.candidate} answers all of {names.traffic} since {clock(ended_at)}."
        case State.HALTED:
            return f"{names.candidate} was halted at {clock(ended_at)}. {went_back(names)}"
        case State.ABORTED:
            return f"The rollout of {names.candidate} was aborted at {clock(ended_at)}. It answers nothing any more."


def went_back(names: Names) -> str:
    """Where the traffic is after a halt."""
    if not names.stable:
        return f"Nothing answers {names.traffic}: gateways say 503."
    return f"All traffic went back to {names.stable}."


def outlook(rollout: Rollout, eta: datetime | None, halts_at: datetime | None, now: datetime) -> str:
    """What comes next and when; nothing of a rollout that is over."""
    if rollout.over:
        return ""
    if rollout.held:
        return f"It halts {moment(halts_at, now)} unless somebody decides." if halts_at else ""
    following = "Complete" if rollout.last else share(rollout.plan[rollout.checkpoint].percent)
    if eta is None:
        return f"{following} when what is missing is there: see below."
    return f"{following} {moment(eta, now)} if nothing changes."


def moment(at: datetime, now: datetime) -> str:
    """At 14:08:42 UTC; with its date on another day."""
    utc = at.astimezone(UTC)
    day = "" if utc.date() == now.astimezone(UTC).date() else f"on {utc.day} {utc:%b} "
    return f"{day}at {utc:%H:%M:%S} UTC"


def short_moment(at: datetime, now: datetime) -> str:
    """14:08:42, or 22 Nov 14:08 on another day."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S}" if utc.date() == now.astimezone(UTC).date() else f"{utc.day} {utc:%b %H:%M}"


def clock(at: datetime | None) -> str:
    """14:08:42 on the page of the same day, with its date in the title of the time beside it."""
    return "an unknown time" if at is None else f"{at.astimezone(UTC):%H:%M:%S} UTC"


def act_words(act: str, percent: int, checkpoint: int) -> tuple[str, str]:
    """The status and the words of a move."""
    kind, words = ACTS.get(act, ("skip", act.replace("_", " ").capitalize()))
    return kind, words.format(share=share(percent) if checkpoint else SHADOW)


def said_of(end: str, reasons: Sequence[str]) -> str:
    """Why a step was made; where all was well, without the readings, which its receipt has."""
    return " ".join(reasons[:1] if end in ("promoted", "completed") else reasons)


def lede(rollout: Rollout, names: Names, monitors: Sequence[tuple[str, str]]) -> str:
    """Why it stands where it does; of one that moves, how its monitors read. `monitors`: title and reading of each."""
    bad = [_inside(word) for word, reading in monitors if reading != "ok"]
    if rollout.held or rollout.over:
        by_now = rollout.state is State.WAITING_REVIEW and monitors and not bad
        return said_of(rollout.state, rollout.reasons) + (f" {BY_NOW}" if by_now else "")
    back = f"traffic returns to {names.stable}" if names.stable else "it stops answering"
    watch = f"If one of them breaches, {back} at once, with nobody acting."
    if not monitors:
        return f"Nothing has been measured yet. {watch.replace('one of them', 'a monitor')}"
    if not bad:
        return f"All monitors are within their limits so far. {watch}"
    if len(bad) == len(monitors):
        return f"No monitor is settled yet. {watch}"
    named = " and ".join([", ".join(bad[:-1]), bad[-1]] if len(bad) > 1 else bad)
    verb = "are" if len(bad) > 1 else "is"
    return f"{named[:1].upper()}{named[1:]} {verb} not settled yet; all else is within its limit. {watch}"


def _inside(word: str) -> str:
    """A title as it reads within a sentence."""
    return word[:1].lower() + word[1:]
