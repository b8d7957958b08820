"""How a monitor's numbers are written, and the sentences that all monitors share.

Page, API, CI and receipt render these very sentences; a written number stands on the side of its limit (rule R1).
"""

import math

from gates.statistics.limits import TOLERANCE, meets, shown
from releases.monitors.evidence import PROVEN_WITHIN, value_of
from releases.monitors.verdict import Weighed

LARGEST_WRITTEN = 1_000_000


def shown_evidence(value: float) -> str:
    """Write evidence rounded down, so that what is short of a limit never reads as having reached it."""
    if value >= LARGEST_WRITTEN:
        return "over 1,000,000"
    if value >= 10:
        return f"{math.floor(value + TOLERANCE):,}"
    return f"{math.floor(value * 10 + TOLERANCE) / 10:.1f}"


def percent(share: float) -> str:
    """Write a share in percent: two decimals, more where two would read as nothing."""
    decimals = 2
    while decimals < 6 and 0 < share * 100 < 0.5 * 10**-decimals:
        decimals += 1
    return f"{shown(share * 100, decimals)} %"


def counted(number: int, noun: str) -> str:
    """Return "1 request" or "1,200 requests"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def evidence_sentence(weighed: Weighed) -> str:
    """Say how strong the evidence against the release is, what it takes, and what that means."""
    scope = "this rollout" if weighed.alarm.whole_rollout else "this monitor"
    value, alarm = shown_evidence(value_of(weighed.log_above)), shown_evidence(weighed.alarm.value)
    return f"Evidence {value} ({scope} breaches at {alarm}): {_meaning(weighed)}."


def _meaning(weighed: Weighed) -> str:
    if weighed.alarming:
        return (
            "if the release were within its limit, evidence this strong would appear in at most 1 release in 20, "
            "however often we look"
        )
    if weighed.within is None:
        return "nothing is proven"
    if not weighed.within:
        return "over the limit, but this can still be chance"
    below = f"evidence {shown_evidence(value_of(weighed.log_below))} of {shown_evidence(PROVEN_WITHIN)}"
    return f"within the limit, {'and proven to be' if weighed.proven_within else 'not yet proven to stay'} so ({below})"


def missing_sentences(needs: list[tuple[int, int, str]]) -> tuple[str, ...]:
    """Say what is still missing: each need is what is there, what it takes, and what it is."""
    return tuple(
        f"{counted(there, noun)} since this checkpoint began: {counted(needed, noun)} are needed."
        for there, needed, noun in needs
        if not meets(there, needed)
    )


def milliseconds(value: float) -> str:
    """Write a latency in milliseconds, from ten seconds on in seconds."""
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2f} ms"
