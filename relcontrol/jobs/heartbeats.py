"""Heartbeats of the background processes, and what readiness makes of them."""

from datetime import datetime, timedelta

from relcontrol.jobs.models import ProcessHeartbeat

LATE = timedelta(seconds=60)
PROCESSES = ("ticker", "worker", "replayer")


def beat(name: str, now: datetime) -> None:
    """Note that the process is at work."""
    ProcessHeartbeat.objects.update_or_create(name=name, defaults={"at": now})


def late_processes(now: datetime) -> list[str]:
    """Those that have not been seen for a minute, each as a sentence."""
    seen = dict(ProcessHeartbeat.objects.values_list("name", "at"))
    return [_sentence(name, seen.get(name), now) for name in PROCESSES if not _fresh(seen.get(name), now)]


def _fresh(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at <= LATE


def _sentence(name: str, at: datetime | None, now: datetime) -> str:
    if at is None:
        return f"The {name} has not been seen yet."
    return f"The {name} was last seen {int((now - at).total_seconds())} s ago."
