"""Upstream errors of the candidate against stable: the verdict (rules R11, R11a, R12; R13 at 100 %)."""

import math
from dataclasses import dataclass, replace

from gates.statistics.arrays import Floats
from gates.statistics.limits import meets, shown_beside, shown_limit
from gates.statistics.policies import Evidence
from releases.monitors.arms import ArmSums
from releases.monitors.error_sums import ErrorSums
from releases.monitors.evidence import BASE_ALARM, Alarm, value_of
from releases.monitors.frozen import (
    FEWEST_REQUESTS,
    OLDEST_HOURS,
    Events,
    garwood_lower,
    garwood_upper,
    log_above,
    log_below,
    unusable_sentence,
)
from releases.monitors.rate_ratio import Pair, RatioLikelihood
from releases.monitors.subjects import FEWEST_SUBJECTS, but_the_worst, learned_dispersion, ratio_dispersion
from releases.monitors.verdict import MonitorVerdict, Reading, Weighed
from releases.monitors.wording import counted, evidence_sentence, missing_sentences, percent

MONITOR = "errors"
LIMIT = 1.5
FEWEST_ERRORS = 3
FEWEST_CANDIDATE_REQUESTS = 100
OUTAGE_SHARE = 0.30
OTHERS_SHARE = OUTAGE_SHARE / 2  # of all subjects but the one that fails most


@dataclass(frozen=True, slots=True)
class ErrorBaseline:
    """The stable arm as it was when the candidate took all traffic, and how long ago that was."""

    arm: ArmSums
    age_hours: float

    @property
    def usable(self) -> bool:
        """Whether evidence against it may breach; else it only holds."""
        return self.arm.requests >= FEWEST_REQUESTS and meets(OLDEST_HOURS, self.age_hours)


@dataclass(frozen=True, slots=True)
class _Look:
    """Both arms at a look, ``subjects`` distinct ones on the candidate, and what was weighed."""

    candidate: ArmSums
    stable: ArmSums
    subjects: int
    limit: float
    alarm: Alarm

    @property
    def ratio(self) -> float | None:
        if not self.stable.errors or self.candidate.rate is None:
            return None
        return self.candidate.rate / _rate(self.stable)

    @property
    def within(self) -> bool | None:
        if self.candidate.rate is None or self.stable.rate is None:
            return None
        return meets(self.limit, self.ratio) if self.ratio is not None else not self.candidate.errors

    @property
    def enough(self) -> bool:
        return self.candidate.requests >= FEWEST_CANDIDATE_REQUESTS

    @property
    def enough_to_breach(self) -> bool:
        return self.enough and self.candidate.errors >= FEWEST_ERRORS and self.subjects >= FEWEST_SUBJECTS

    @property
    def rest(self) -> tuple[Floats, Floats]:
        """Errors and requests of the candidate without those of the group that failed most."""
        return but_the_worst(*self.candidate.units())

    @property
    def outage_rate(self) -> bool:
        """Whether so many fail, and where there are other subjects than the one that fails most, many of theirs too."""
        events, exposures = self.rest
        others = float(events.sum() / exposures.sum()) if len(exposures) else _rate(self.candidate)
        return self.enough and meets(_rate(self.candidate), OUTAGE_SHARE) and meets(others, OTHERS_SHARE)

    def alarms(self, log_evidence: float) -> bool:
        """Whether evidence reaches what breaches."""
        return meets(value_of(log_evidence), self.alarm.value)


def judge_errors(sums: ErrorSums, *, subjects: int, alarm: Alarm, limit: float = LIMIT) -> MonitorVerdict:
    """Judge the candidate's errors against the concurrent stable arm.

    ``subjects`` is the number of distinct candidate subjects since the checkpoint was entered.
    """
    look = _Look(sums.candidate, sums.stable, subjects, limit, alarm)
    dispersion = ratio_dispersion(sums.candidate.units(), sums.stable.units())
    found = sums.likelihood.evidence(limit, dispersion)
    to_breach = look.enough_to_breach and look.alarms(_log_above_of_rest(look))
    weighed = Weighed(found.log_above, found.log_below, alarm, look.within, look.enough, to_breach)
    verdict = _verdict(look, weighed, dispersion, outage=_is_outage(look))
    low, high = sums.likelihood.interval(BASE_ALARM, dispersion)
    return replace(verdict, low=low, high=high)


def judge_errors_frozen(
    candidate: ArmSums, baseline: ErrorBaseline, *, subjects: int, alarm: Alarm, limit: float = LIMIT
) -> MonitorVerdict:
    """Judge the candidate's errors at 100 % against a frozen baseline; one too old or too small only holds.

    An outage breaches also where the baseline may not be used: users are failing.
    """
    look, usable = _Look(candidate, baseline.arm, subjects, limit, alarm), baseline.usable
    dispersion, others = max(1.0, learned_dispersion(*candidate.units())), _scaled(baseline.arm)
    own, level = Events(candidate.event_count / dispersion, candidate.exposure / dispersion), 1 / (2 * alarm.value)
    most = limit * garwood_upper(others, level)
    of_rest = log_above(_events_of(*look.rest), most) - math.log(2)
    weighed = Weighed(
        log_above=log_above(own, most) - math.log(2),
        log_below=log_below(own, limit * garwood_lower(others, level)) - math.log(2),
        alarm=alarm,
        within=look.within if usable else None,
        enough=look.enough,
        enough_to_breach=look.enough_to_breach and usable and look.alarms(of_rest),
    )
    outage = look.outage_rate and not (usable and look.within)
    note = () if usable else (unusable_sentence(baseline.arm.requests, baseline.age_hours),)
    return _verdict(look, weighed, dispersion, outage=outage, notes=note)


def _log_above_of_rest(look: _Look) -> float:
    """The evidence against the candidate without the group that failed most, over all chunks at once."""
    events, exposures = look.rest
    dispersion = ratio_dispersion((events, exposures), look.stable.units())
    pair = Pair(float(events.sum()), look.stable.event_count, float(exposures.sum()), look.stable.exposure)
    return RatioLikelihood.of(pair).evidence(look.limit, dispersion).log_above


def _scaled(arm: ArmSums) -> Events:
    return _events_of(*arm.units())


def _events_of(events: Floats, exposures: Floats) -> Events:
    dispersion = max(1.0, learned_dispersion(events, exposures))
    return Events(float(events.sum()) / dispersion, float(exposures.sum()) / dispersion)


def _rate(arm: ArmSums) -> float:
    return arm.rate or 0.0


def _is_outage(look: _Look) -> bool:
    """Say whether the candidate is down and stable is not, from plain counts: no subject is too few for that."""
    if not look.outage_rate:
        return False
    own, other = look.candidate, look.stable
    evidence = RatioLikelihood.of(Pair(own.errors, other.errors, own.requests, other.requests)).evidence(look.limit)
    return not other.requests or meets(value_of(evidence.log_above), look.alarm.value)


def _verdict(
    look: _Look, weighed: Weighed, dispersion: float, *, outage: bool, notes: tuple[str, ...] = ()
) -> MonitorVerdict:
    reading, evidence = (Reading.BREACH, Evidence.PROVEN) if outage else weighed.decide()
    said = (*_missing(look, weighed), *notes)
    reasons = (OUTAGE_SENTENCE,) if outage else (*(said or _of_one(weighed)), evidence_sentence(weighed))
    return MonitorVerdict(
        monitor=MONITOR,
        reading=reading,
        evidence=evidence,
        n=look.candidate.requests,
        estimate=look.ratio,
        limit=look.limit,
        e_above=value_of(weighed.log_above),
        e_below=value_of(weighed.log_below),
        alarm=weighed.alarm.value,
        reasons=(_position(look), *reasons),
        dispersion=dispersion,
    )


ONE_SUBJECT = "Most of these errors are of one subject: without it there is too little evidence to halt."
OUTAGE_SENTENCE = (
    f"This is an outage ({percent(OUTAGE_SHARE)} errors or more over {FEWEST_CANDIDATE_REQUESTS} requests or more): it "
    "needs no number of subjects."
)


def _missing(look: _Look, weighed: Weighed) -> tuple[str, ...]:
    needs = [(look.candidate.requests, FEWEST_CANDIDATE_REQUESTS, "candidate request")]
    if weighed.alarming:
        needs.append((look.candidate.errors, FEWEST_ERRORS, "candidate error"))
        needs.append((look.subjects, FEWEST_SUBJECTS, "distinct candidate subject"))
    return missing_sentences(needs)


def _of_one(weighed: Weighed) -> tuple[str, ...]:
    """What is said where nothing else keeps such evidence from breaching."""
    return (ONE_SUBJECT,) if weighed.alarming and not weighed.enough_to_breach else ()


def _position(look: _Look) -> str:
    own, other = look.candidate, look.stable
    if own.rate is None:
        return "The candidate has answered no request since this checkpoint began."
    failed = f"{own.errors:,} of {counted(own.requests, 'candidate request')} failed ({percent(own.rate)})"
    if other.rate is None:
        return f"{failed}; stable has no requests to compare with."
    both = f"{failed}, on stable {other.errors:,} of {other.requests:,} ({percent(other.rate)})"
    if look.ratio is None:
        return f"{both}: {'neither fails' if look.within else 'there is no ratio to a rate of nothing'}."
    side, shown = "within" if look.within else "over", shown_beside(look.ratio, look.limit)
    return f"{both}: {shown} times the rate of stable, {side} the limit of {shown_limit(look.limit, look.ratio)}."
