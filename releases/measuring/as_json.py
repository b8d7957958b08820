"""Readings for page, API, CI and receipts: the same numbers and the same sentences everywhere (domain.md "Roll").

JSON numbers are finite or null. Receipts carry no floats: an input holds decimal text, and as its evidence what led to
the verdict, so that a decision can be checked later (statistics.md R18).
"""

import math
from collections.abc import Iterator
from typing import Any, Final

from audit.statement import DecisionInput
from relcontrol.web.words import iso_time
from releases.monitors.verdict import MonitorVerdict
from releases.rollouts.evidence import Monitor, MonitorVerdicts, PolicyVerdict

QUALITY: Final = "quality"
DECIMALS: Final = 6
MOST_EVIDENCE: Final = 4000


def readings_as_json(measured: MonitorVerdicts) -> dict[str, Any]:
    """All readings of one look."""
    return {
        "since": iso_time(measured.since),
        "requests": measured.requests,
        "requests_per_second": finite(measured.requests_per_second),
        "monitors": {name: _monitor(monitor) for name, monitor in measured.monitors},
        "sample_ratio": measured.sample_ratio,
        "policies": [_policy(policy) for policy in measured.policies],
    }


def inputs_of(measured: MonitorVerdicts) -> list[DecisionInput]:
    """All readings of one look as the inputs of a decision; dry ones say so, as they had no part in it."""
    return list(_inputs(measured))


def finite(value: float | None) -> float | None:
    """The number, or null where it is none or has no end: JSON knows neither."""
    return value if value is not None and math.isfinite(value) else None


def decimal_of(value: float | None) -> str | None:
    """Six decimals at most, without exponent and trailing zeros."""
    if value is None or not math.isfinite(value):
        return None
    written = f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def _monitor(monitor: Monitor) -> dict[str, Any]:
    return {
        "reading": monitor.reading.value,
        "dry": monitor.dry,
        "eta": iso_time(monitor.eta) if monitor.eta else None,
        "headlines": list(monitor.headlines),
        "verdicts": [_verdict(verdict) for verdict in monitor.verdicts],
    }


def _verdict(verdict: MonitorVerdict) -> dict[str, Any]:
    metric, slug = _named(verdict)
    return {
        "metric": metric,
        "slice": slug,
        "reading": verdict.reading.value,
        "evidence": verdict.evidence.value,
        "n": verdict.n,
        "estimate": finite(verdict.estimate),
        "limit": finite(verdict.limit),
        "op": _op(metric),
        "low": finite(verdict.low),
        "high": finite(verdict.high),
        "e_above": finite(verdict.e_above),
        "e_below": finite(verdict.e_below),
        "alarm": finite(verdict.alarm),
        "dispersion": finite(verdict.dispersion),
        "p": finite(verdict.p),
        "reasons": list(verdict.reasons),
    }


def _policy(policy: PolicyVerdict) -> dict[str, Any]:
    return {
        "name": policy.name,
        "action": policy.action.value,
        "violated": policy.violated,
        "dry": policy.dry,
        "reasons": list(policy.reasons),
    }


def _named(verdict: MonitorVerdict) -> tuple[str, str | None]:
    """The metric, and the slice of a quality verdict."""
    metric, _, slug = verdict.monitor.partition("/")
    return metric, slug or None


def _op(metric: str) -> str:
    return ">=" if metric == QUALITY else "<="


def _inputs(measured: MonitorVerdicts) -> Iterator[DecisionInput]:
    for _, monitor in measured.monitors:
        for verdict in monitor.verdicts:
            yield _input(verdict, dry=monitor.dry)
    if measured.sample_ratio is not None:
        yield DecisionInput("sample_ratio", "failed", evidence=measured.sample_ratio[:MOST_EVIDENCE])
    for policy in measured.policies:
        said = "violated" if policy.violated else "met"
        evidence = " ".join(policy.reasons)[:MOST_EVIDENCE]
        yield DecisionInput(f"policy/{policy.name}", _word(said, dry=policy.dry), evidence=evidence)


def _input(verdict: MonitorVerdict, *, dry: bool) -> DecisionInput:
    metric, slug = _named(verdict)
    return DecisionInput(
        metric=metric,
        verdict=_word(verdict.reading.value, dry=dry),
        slice=slug,
        value=decimal_of(verdict.estimate),
        threshold=decimal_of(verdict.limit),
        op=_op(metric),
        evidence=_evidence(verdict)[:MOST_EVIDENCE],
        n=verdict.n,
    )


def _word(said: str, *, dry: bool) -> str:
    return f"dry:{said}" if dry else said


def _evidence(verdict: MonitorVerdict) -> str:
    numbers = {
        "e_above": verdict.e_above,
        "alarm": verdict.alarm,
        "e_below": verdict.e_below,
        "dispersion": verdict.dispersion,
        "p": verdict.p,
    }
    written = (f"{name}={value:.6g}" for name, value in numbers.items() if value is not None)
    return "; ".join((verdict.evidence.value, *written, " ".join(verdict.reasons)))
