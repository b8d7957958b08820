"""Observers, slices, quality windows, alarms and worst answers as rows, without the days that they take in life.

`watched` is the usual scene: a route that serves, its observer, some slices with a history. `history` fills a week of
minutes for a slice in one statement, so that much of it costs a test a second and not a minute.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from audit.models import Receipt
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from releases.models import Release
from releases.observer_models import (
    DriftAlarm,
    ObservedAnswer,
    ObservedSlice,
    Observer,
    QualityWindow,
    WorstAnswer,
    WorstAnswers,
)
from releases.rollout_models import Rollback, Serving
from releases.traces.bodies import seal_body
from tests.releases.canary import serving
from tests.releases.scene import OTHER_PROMPT, Scene, stable

MINUTE: Final = timedelta(minutes=1)
SUBJECT: Final = b"s" * 16
WHY_ARMED: Final = "Armed: three windows in a row below 0.55 roll the route back."
SETTINGS: Final[dict[str, Any]] = {"share": 0.05, "per_window": 20, "policies": [], "slices": {}, "window_seconds": 60}

_HISTORY: Final = """
INSERT INTO releases_qualitywindow (observed_id, started_at, ended_at, closed_at, requests, asked, n, n_min, mean, sd,
                                    floor, agreement, agreement_n, verdict, streak, late)
SELECT %(observed)s, until - k * interval '1 minute', until - (k - 1) * interval '1 minute',
       until - (k - 1) * interval '1 minute' + interval '30 seconds', 360, 20, 18, 10,
       %(mean)s + 0.03 * sin(k / 7.0), 0.2, %(floor)s, NULL, 0, 'above', 0, 0
FROM generate_series(1, %(count)s) AS k, (SELECT %(until)s::timestamptz AS until) AS bounds
"""


def served(of: Scene) -> Release:
    """The release that the scene's route serves since yesterday, after one that it can go back to."""
    first = stable(of.registered()["release_id"])
    serving(first)
    fields = {"prompt_template_ref": OTHER_PROMPT, "previous_release": first.pk}
    second = stable(of.registered(**fields)["release_id"])
    serving(second)
    return Release.objects.select_related("organization", "application", "route").get(pk=second.pk)


def observer(release: Release, **columns: Any) -> Observer:
    """What watches a release since it began to serve, a moment ago looked at."""
    current = Serving.objects.get(route=release.route, until=None)
    at = now()
    usual: dict[str, Any] = {
        "organization": release.organization,
        "application": release.application,
        "route": release.route,
        "release": release,
        "serving": current,
        "settings": SETTINGS,
        "folded_to": 0,
        "folded_at": at - timedelta(seconds=2),
        "started_at": current.since,
    }
    return Observer.objects.create(**{**usual, **columns})


def observed(of: Observer, slug: str = "ip-licensing", *, armed: bool = True, **columns: Any) -> ObservedSlice:
    """One slice under an observer, by default armed with a floor of .55 and nothing the matter."""
    at = now()
    usual: dict[str, Any] = {
        "judge": "rules:default@1",
        "judge_sha256": "c" * 64,
        "floor": 0.55,
        "floor_source": "gate",
        "healthy_mean": 0.8,
        "spread": 0.2,
        "correlation": 0.1,
        "windows_known": 900,
        "n_min": 10,
        "why": WHY_ARMED if armed else "Not armed: no floor is known, since the gate measured no quality here.",
        "false_rollbacks_per_month": 0.01 if armed else None,
        "armed_at": at - timedelta(hours=20) if armed else None,
        "decided_at": at - timedelta(minutes=6),
        "receipt_hash": _newest_receipt(of.organization),
        "next_from": at.replace(second=0, microsecond=0),
    }
    return ObservedSlice.objects.create(observer=of, slice=slug, armed=armed, **{**usual, **columns})


def history(of: ObservedSlice, *, count: int, until: datetime | None = None, mean: float = 0.8) -> None:
    """So many closed minutes that end at `until`, all above the floor."""
    end = (until or now() - MINUTE).replace(second=0, microsecond=0)
    values: dict[str, Any] = {"observed": of.pk, "until": end, "count": count, "mean": mean, "floor": of.floor}
    with connection.cursor() as cursor:
        cursor.execute(_HISTORY, values)


def window(of: ObservedSlice, *, ago: timedelta = MINUTE, mean: float | None = 0.8, **columns: Any) -> QualityWindow:
    """One closed minute that ended so long ago, in place of what was there; below the floor it says so itself.

    Without a mean it has no data.
    """
    end = (now() - ago).replace(second=0, microsecond=0)
    verdict = "no_data" if mean is None else "below" if of.floor is not None and mean < of.floor else "above"
    usual: dict[str, Any] = {
        "ended_at": end,
        "closed_at": end + timedelta(seconds=30),
        "requests": 360,
        "asked": 20,
        "n": 4 if mean is None else 18,
        "n_min": of.n_min,
        "mean": mean,
        "sd": None if mean is None else 0.2,
        "floor": of.floor,
        "verdict": verdict,
    }
    row, _ = QualityWindow.objects.update_or_create(
        observed=of, started_at=columns.pop("started_at", end - MINUTE), defaults={**usual, **columns}
    )
    return row


def breached(of: ObservedSlice, *, means: tuple[float, ...] = (0.4, 0.3, 0.2)) -> list[QualityWindow]:
    """Windows below the floor in a row, the last of them a minute old, with the slice's streak at their number."""
    rows = [
        window(of, ago=MINUTE * (len(means) - place), mean=mean, streak=place + 1) for place, mean in enumerate(means)
    ]
    ObservedSlice.objects.filter(pk=of.pk).update(streak=len(means), breached_since=rows[0].started_at)
    of.refresh_from_db()
    return rows


def answer(of: ObservedSlice, number: int = 1, **columns: Any) -> ObservedAnswer:
    """A served answer with its score and the judge's sealed reason."""
    at, owner = now() - MINUTE, of.observer.organization
    usual: dict[str, Any] = {
        "kind": "served",
        "at": at,
        "request_id": f"req-{number}",
        "trace_id": f"{number:032x}",
        "trace_started_at": at,
        "subject": SUBJECT,
        "state": "scored",
        "raw": 4.2,
        "score": 0.8,
        "sealed": seal_body(owner.pk, SUBJECT, {"reason": "States the rule."}),
        "created_at": at,
        "scored_at": at,
    }
    return ObservedAnswer.objects.create(organization=owner, observed=of, **{**usual, **columns})


def alarm(of: Observer, subject: str = "ip-licensing", **columns: Any) -> DriftAlarm:
    """An alarm of drift that waits for a person."""
    facts = {"value": 900_000.0, "alarm": 432_000.0, "level": 0.75, "mean": 0.68, "n": 812}
    usual: dict[str, Any] = {
        "organization": of.organization,
        "route": of.route,
        "kind": "drift",
        "facts": facts,
        "reason": "Answers of ip-licensing score 0.68 of late, where 0.80 was usual; the floor of 0.55 is not reached.",
        "raised_at": now() - timedelta(minutes=9),
        "receipt_hash": _newest_receipt(of.organization),
    }
    return DriftAlarm.objects.create(observer=of, subject=subject, **{**usual, **columns})


def rollback(of: Observer, target: Release | None, **columns: Any) -> Rollback:
    """An automatic rollback of what an observer watched, a minute ago; its receipt is the newest one."""
    at = now() - MINUTE
    bad = [{"mean": 0.4, "floor": 0.55, "n": 18, "verdict": "below"}] * 3
    usual: dict[str, Any] = {
        "organization": of.organization,
        "route": of.route,
        "left": of.release,
        "target": target,
        "trigger": "windows",
        "facts": {"slice": "ip-licensing", "windows": bad},
        "triggered_at": at - timedelta(minutes=4),
        "reason": "By rule: three quality windows of ip-licensing in a row lie below the floor of 0.55.",
        "generation": 3,
        "decided_by": "internal",
        "decided_by_label": "relcontrol",
        "decided_at": at,
        "cool_down_until": at + timedelta(minutes=30),
        "receipt_hash": _newest_receipt(of.organization),
    }
    return Rollback.objects.create(observer=of, **{**usual, **columns})


def worst(event: Rollback | DriftAlarm, *, kept: Release | None = None, count: int = 3, **columns: Any) -> WorstAnswers:
    """The worst answers of a rollback or an alarm, found and sealed."""
    drift = isinstance(event, DriftAlarm)
    usual: dict[str, Any] = {
        "organization": event.organization,
        "route": event.route,
        "kind": "drift" if drift else "rollback",
        "alarm" if drift else "rollback": event,
        "left": event.observer.release if isinstance(event, DriftAlarm) else event.left,
        "kept": kept,
        "event_receipt": event.receipt_hash,
        "state": "done",
        "progress_done": count,
        "progress_of": count,
        "created_at": now() - MINUTE,
        "finished_at": now(),
    }
    row = WorstAnswers.objects.create(**{**usual, **columns})
    for place in range(1, count + 1):
        worst_answer(row, place)
    return row


def worst_answer(of: WorstAnswers, place: int, *, subject: bytes = SUBJECT, **columns: Any) -> WorstAnswer:
    """One of them: what was served, what the other release answers, and what the judge says of both."""
    said = {
        "input": {"messages": [{"role": "user", "content": f"May affiliates use the licence? ({place})"}]},
        "before": {"content": "Yes, where clause 4 names them."},
        "after": {"content": "You should consult an attorney."},
        "reason_before": "States the rule and where it stands.",
        "reason_after": "Refuses to answer.",
    }
    at = now() - timedelta(minutes=3)
    usual: dict[str, Any] = {
        "slice": "ip-licensing",
        "request_id": f"req-{place}",
        "trace_id": f"{place:032x}",
        "trace_started_at": at,
        "sealed": seal_body(of.organization_id, subject, said),
        "score_before": 0.9,
        "score_after": place / 100,
    }
    return WorstAnswer.objects.create(
        organization=of.organization, worst=of, place=place, subject=subject, **{**usual, **columns}
    )


def watched(of: Scene, *slugs: str, minutes: int = 90, **columns: Any) -> Observer:
    """A serving route with its observer, and slices (two without names) that were above their floors so long."""
    row = observer(served(of), **columns)
    for slug in slugs or ("contract-drafting", "ip-licensing"):
        history(observed(row, slug), count=minutes)
    return row


def _newest_receipt(owner: Organization) -> str:
    return Receipt.objects.filter(organization=owner).latest("seq").receipt_hash
