"""What follows from what a slice's windows say: the route goes back, or a person is asked (domain.md "Observe").

Everything is decided by rows: the streak, the detector, what was done already. So it does not matter whether the
process that closed a window lives to act on it, nor how many act at once: a rollback happens once for an observer, an
alarm once for a breach. Where automatic rollback is not armed, may not act now, or rests on a judge that has left the
experts, a person decides.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from gates.statistics.limits import shown, shown_beside, shown_limit
from relcontrol.web.words import iso_time
from releases.observer_models import DriftAlarm, ObservedSlice, QualityWindow
from releases.observing.anchors import Agreement, agreement_of
from releases.observing.detectors import Found, found
from releases.observing.drift import mean_of_late, raise_alarm
from releases.observing.watch import BREACH
from releases.rolling.rolling_back import roll_back_automatically
from releases.rollout_models import Rollback

AGREEMENT: Final = "agreement"
REST: Final = timedelta(hours=24)


def act(observed: ObservedSlice, now: datetime, *, closed: Sequence[QualityWindow] = ()) -> Rollback | None:
    """Do what is due for a slice; the rollback where it came to one. `closed` are the windows of this tick."""
    observed.refresh_from_db()
    agreement = agreement_of(observed, now) if closed or observed.streak >= BREACH else Agreement(None, 0)
    if observed.streak >= BREACH and (row := _breached(observed, agreement, now)):
        return row
    if observed.streak == 0 and (drift := found(observed.detector)) is not None:  # else the floor decides
        _drifting(observed, drift, now)
    if agreement.is_below:
        _disagreeing(observed, agreement, now)
    return None


def _breached(observed: ObservedSlice, agreement: Agreement, now: datetime) -> Rollback | None:
    """Three windows or more in a row are below the floor: back, where that is armed; a person is asked otherwise."""
    windows = _below(observed)
    reason = _reason(observed, windows)
    if observed.armed and not agreement.is_below:
        row = roll_back_automatically(
            observer=observed.observer,
            trigger=Rollback.Trigger.WINDOWS,
            facts={"slice": observed.slice, "windows": [_as_json(window) for window in windows]},
            triggered_at=windows[0].started_at,
            reason=f"By rule: {reason}",
            now=now,
        )
        if row is not None:
            return row
    asked = DriftAlarm.objects.filter(observer=observed.observer_id, kind=DriftAlarm.Kind.DRIFT, subject=observed.slice)
    if not asked.filter(raised_at__gte=observed.breached_since or windows[0].started_at).exists():
        _ask(observed, "breach", f"{reason} {_why_not(observed, agreement)}", _of_breach(observed, windows), now)
    return None


def _below(observed: ObservedSlice) -> list[QualityWindow]:
    """The last three windows below the floor, oldest first; without data none stands between them."""
    rows = QualityWindow.objects.filter(observed=observed, verdict=QualityWindow.Verdict.BELOW)
    return list(rows.order_by("-started_at")[:BREACH])[::-1]


def _reason(observed: ObservedSlice, windows: Sequence[QualityWindow]) -> str:
    floor = observed.floor or 0.0
    means = ", ".join(shown_beside(window.mean or 0.0, floor) for window in windows)
    limit = shown_limit(floor, max(window.mean or 0.0 for window in windows))
    return f"three quality windows of {observed.slice} in a row ({means}) lie below the floor of {limit}."


def _why_not(observed: ObservedSlice, agreement: Agreement) -> str:
    if not observed.armed:
        return observed.why
    if agreement.is_below:
        return "Its judge has left the experts, so its scores take nothing back."
    return "The route cannot be rolled back automatically now: it cools down, or there is nothing to go back to."


def _of_breach(observed: ObservedSlice, windows: Sequence[QualityWindow]) -> dict[str, Any]:
    last = windows[-1]
    numbers = {"mean": last.mean, "level": observed.floor, "n": last.n}
    return {**numbers, "windows": [_as_json(window) for window in windows]}


def _as_json(window: QualityWindow) -> dict[str, Any]:
    return {
        "started_at": iso_time(window.started_at),
        "ended_at": iso_time(window.ended_at),
        "mean": window.mean,
        "sd": window.sd,
        "floor": window.floor,
        "n": window.n,
        "verdict": str(window.verdict),
    }


def _drifting(observed: ObservedSlice, drift: Found, now: datetime) -> None:
    mean = mean_of_late(observed, now)
    facts = {"value": drift.value, "alarm": drift.alarm, "level": drift.level, "mean": mean, "n": drift.n}
    late = f"score {shown(mean)} of late" if mean is not None else "score lower of late"
    usual = f"{shown(observed.healthy_mean)} was usual" if observed.healthy_mean is not None else "more was usual"
    floor = "" if observed.floor is None else f" The floor of {shown_limit(observed.floor, mean)} may never be reached."
    _ask(observed, "drift", f"answers of {observed.slice} {late}, where {usual}.{floor}", facts, now)


def _disagreeing(observed: ObservedSlice, agreement: Agreement, now: datetime) -> None:
    """Asked once a day at most."""
    asked = DriftAlarm.objects.filter(observer=observed.observer_id, facts__cause=AGREEMENT, subject=observed.slice)
    limit = observed.rho_floor
    if agreement.rho is None or limit is None or asked.filter(raised_at__gt=now - REST).exists():
        return
    facts = {"metric": AGREEMENT, "value": agreement.rho, "limit": limit, "n": agreement.n}
    said = f"the judge of {observed.slice} agrees with the experts by {shown_beside(agreement.rho, limit)} of late"
    under = f"under the floor of {shown_limit(limit, agreement.rho)}: its scores say little."
    _ask(observed, AGREEMENT, f"{said}, {under}", facts, now)


def _ask(observed: ObservedSlice, cause: str, reason: str, facts: dict[str, Any], now: datetime) -> None:
    said = reason[:1].upper() + reason[1:]
    raise_alarm(observed.observer, subject=observed.slice, facts={"cause": cause, **facts}, reason=said, now=now)
