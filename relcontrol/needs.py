"""The queue of the overview: what waits for this person, with a verb, a reason and a deadline; gravest first.

A queue of things that somebody cannot act on would only be noise, so each kind asks for its permission. Composed at the
top, as it reads audit, gates and jobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.http import urlencode

from audit.anchors.alarms import Overdue, overdue_of
from audit.models import ChainCheck, Export
from audit.selectors import exports_of
from gates.calibrations.standing import Badge, judges_to_measure
from gates.judge_models import Calibration
from gates.models import SuiteImport
from gates.panel_models import Panel
from gates.panels.selectors import waiting_for
from gates.reviews.items import Finding
from gates.run_models import AllowlistEntry, GateRun, Override
from gates.suites import imports_of
from gates.waiting import failed_runs_for, overrides_for, proposals_for, reviews_for
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import ADMINISTER, READ_AUDIT, WRITE_GATES, WRITE_ROLLOUTS, Allowed, Permission
from relcontrol.jobs.heartbeats import late_processes
from relcontrol.jobs.models import LeasedJob
from releases.models import Release
from releases.observer_models import DriftAlarm, ObservedSlice
from releases.observing.selectors import rolled_back_lately, silent_slices, waiting_alarms
from releases.pages.observe.alarm_wording import about, cause_of
from releases.pages.trace_filters import WITHOUT
from releases.rolling.selectors import halted_lately, held_rollouts
from releases.rolling.storing import value_of
from releases.rollout_models import Rollback, Rollout
from releases.traces.unassigned import RouteShare, shares_of_unassigned
from releases.weights.drift import Drifted, drifted_serving, said_of

FAILED_JOBS_SHOWN = 10
FAILED_JOBS_COUNT_FOR = timedelta(days=7)
REASONS_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person: how it stands, what to do, why, and where. `time` says what `at` is."""

    kind: str
    word: str
    title: str
    why: str
    url: str
    button: str
    at: datetime | None = None
    time: str = ""


def needs_of(actor: Actor, check: ChainCheck, at: datetime) -> Iterator[Need]:
    """What waits for this person."""
    yield from _of_the_product(actor, check, at)
    if _may(actor, WRITE_ROLLOUTS):
        yield from (_taken_back(actor, row) for row in rolled_back_lately(actor.organization, at))
        yield from (_stopped(actor, row) for row in halted_lately(actor.organization, at))
        yield from (_other_weights(actor, found) for found in drifted_serving(actor.organization, at))
        yield from (_alarm(actor, row) for row in waiting_alarms(actor.organization))
        yield from (_held(actor, row) for row in held_rollouts(actor.organization))
        yield from _silent(actor, silent_slices(actor.organization))
    yield from (_override(actor, row) for row in overrides_for(actor, at))
    yield from (_failed_run(actor, row) for row in _of_newest_releases(failed_runs_for(actor, at)))
    yield from (_review(actor, row, findings) for row, findings in reviews_for(actor, at))
    yield from (_proposal(actor, row) for row in proposals_for(actor, at))
    yield from (_panel(actor, panel, left) for panel, left in waiting_for(actor))
    if _may(actor, WRITE_GATES):
        shares = shares_of_unassigned(actor.organization, at)
        yield from (_unassigned(actor, share) for share in shares if share.alarms)
        yield from (_to_measure(actor, *found) for found in judges_to_measure(actor.organization, at))
        yield from map(_failed_import, _still_failed(imports_of(actor.organization), ("name",), at))
    if _may(actor, READ_AUDIT):
        yield from map(_failed_export, _still_failed(exports_of(actor.organization), ("scope",), at))


def _of_the_product(actor: Actor, check: ChainCheck, at: datetime) -> Iterator[Need]:
    if _may(actor, READ_AUDIT) and check.problem:
        title = "Find out why the receipt chain does not verify"
        yield Need("fail", "Broken", title, check.problem, _address(actor, "audit"), "Look", check.checked_at)
    if _may(actor, ADMINISTER):
        for sentence in late_processes(at):
            url, why = _address(actor, "settings-health"), "Work that waits for it stands still."
            yield Need("fail", "Not seen", sentence.removesuffix("."), why, url, "See health")
        yield from (_overdue(actor, late) for late in overdue_of(actor.organization, at))


def _overdue(actor: Actor, late: Overdue) -> Need:
    return Need(
        kind="hold",
        word="Overdue",
        title=f"Find out why {late.sink.name if late.sink else 'the log'} is not anchored",
        why=_short(late.sentence),
        url=_address(actor, "settings-anchors"),
        button="Look",
        at=late.since,
    )


def _override(actor: Actor, row: Override) -> Need:
    return Need(
        kind="override",
        word="Override",
        title=f"Decide whether {_release(row.run)} may ship against its gate",
        why=f"{row.requested_by_label} asks: {_short(row.reason)}",
        url=_address(actor, "override", override=row.pk),
        button="Review",
        at=row.expires_at,
        time="lapses",
    )


def _held(actor: Actor, row: Rollout) -> Need:
    return Need(
        kind="hold",
        word="Paused" if row.state == Rollout.State.PAUSED else "Held",
        title=f"Decide how the rollout of {row.application.slug} {row.release.name} goes on",
        why=_short(row.reasons[0]) if row.reasons else "It waits for a person.",
        url=_address(actor, "rollout", rollout=row.pk),
        button="Look",
        at=value_of(row).halts_at,
        time="halts",
    )


def _stopped(actor: Actor, row: Rollout) -> Need:
    return Need(
        kind="fail",
        word="Halted",
        title=f"See why {row.application.slug} {row.release.name} was halted",
        why=_short(row.reasons[0]) if row.reasons else "A monitor stopped it.",
        url=_address(actor, "rollout", rollout=row.pk),
        button="See why",
        at=row.ended_at,
    )


def _taken_back(actor: Actor, row: Rollback) -> Need:
    return Need(
        kind="fail",
        word="Rolled back",
        title=f"See why {row.route.application.slug} {row.left.name} was rolled back",
        why=_short(row.reason),
        url=_address(actor, "observe-route", route=row.route_id),
        button="See why",
        at=row.decided_at,
    )


def _alarm(actor: Actor, row: DriftAlarm) -> Need:
    release = f"{row.route.application.slug} {row.observer.release.name}"
    word, title = about(cause_of(row.kind, row.facts), subject=row.subject, release=release)
    return Need(
        kind="hold",
        word=word,
        title=f"Decide: {title.removesuffix('.')}",
        why=_short(row.reason),
        url=_address(actor, "drift-alarm", alarm=row.pk),
        button="Decide",
        at=row.raised_at,
    )


def _silent(actor: Actor, rows: list[ObservedSlice]) -> Iterator[Need]:
    """One for each route, however many of its slices are silent."""
    for route, group in groupby(rows, key=lambda row: row.observer.route):
        slices = list(group)
        more = f" and {len(slices) - 1:,} more slices" if len(slices) > 1 else ""
        yield Need(
            kind="hold",
            word="Silent",
            title=f"Find out why nobody knows how {slices[0].slice}{more} of {route.application.slug} answer",
            why="Ten windows in a row had too few scored answers, so no rule watches their quality now.",
            url=_address(actor, "observe-route", route=route.pk),
            button="Look",
            at=slices[0].paged_at,
        )


def _other_weights(actor: Actor, found: Drifted) -> Need:
    release = found.release
    return Need(
        kind="fail",
        word="Weights",
        title=f"Decide about {release.application.slug} {release.name}, which serves other weights than registered",
        why=said_of(found.observation),
        url=_address(actor, "release", release=release.pk),
        button="Look",
        at=found.observation.observed_at,
    )


def _unassigned(actor: Actor, share: RouteShare) -> Need:
    found, route = share.unassigned, share.route
    requests = f"{found.count:,} of {found.of:,} requests of {route.application.slug}, {route.name}"
    return Need(
        kind="hold",
        word="Unassigned",
        title=f"Say which slice {requests} belong to",
        why="No slice's rule took them within the last hour, so no slice's judge or threshold watches their answers.",
        url=f"{_address(actor, 'traces')}?{urlencode({'route': route.pk, 'slice': WITHOUT})}",
        button="See them",
    )


def _failed_run(actor: Actor, row: GateRun) -> Need:
    reasons = row.document["reasons"] if row.document else []
    return Need(
        kind="fail",
        word="Failed",
        title=f"Mend {_release(row)}, or ask for an override",
        why=_short(reasons[0]) if reasons else "Its gate has failed.",
        url=_address(actor, "gate-run", run=row.pk),
        button="See why",
        at=row.finished_at,
    )


def _review(actor: Actor, row: GateRun, findings: list[Finding]) -> Need:
    first = findings[0]
    more = f" And {len(findings) - 1:,} more." if len(findings) > 1 else ""
    return Need(
        kind="hold",
        word="Held",
        title=f"Look at what the gate left for review of {_release(row)}",
        why=f"{first.title}: {_short(first.reasons[0] if first.reasons else 'a person has to look')}{more}",
        url=_address(actor, "gate-run-sign-off", run=row.pk),
        button="Sign off",
        at=row.finished_at,
    )


def _proposal(actor: Actor, row: AllowlistEntry) -> Need:
    return Need(
        kind="hold",
        word="Proposed",
        title=f"Review whether case {row.case.case_id} may drop further",
        why=f"{row.proposed_by_label} says: {_short(row.justification)}",
        url=_address(actor, "allowlist-entry", entry=row.pk),
        button="Review",
        at=row.until or row.proposed_at,
        time="ends" if row.until else "",
    )


def _panel(actor: Actor, panel: Panel, left: int) -> Need:
    answers = "1 answer waits" if left == 1 else f"{left:,} answers wait"
    return Need(
        kind="hold",
        word="To grade",
        title=f"{answers} for your grade in panel {panel.name}",
        why="What experts say of these answers decides how far a judge is believed.",
        url=_address(actor, "panel-rate", panel=panel.pk),
        button="Grade",
        at=panel.created_at,
    )


def _to_measure(actor: Actor, row: Calibration, badge: Badge) -> Need:
    return Need(
        kind="hold",
        word=badge.word,
        title=f"Measure {row.judge.name} again on {row.slice.name}",
        why=f"{badge.sentence} Until then it decides nothing there.",
        url=_address(actor, "judge", judge=row.judge.pk),
        button="Look",
        at=row.ended_at or row.valid_until,
    )


def _of_newest_releases(runs: list[GateRun]) -> list[GateRun]:
    """Without those whose route has a later release: that is how a failed one is mended."""
    routes = {run.candidate["route_id"] for run in runs}
    newest = set(
        Release.objects.filter(route__in=routes).order_by("route", "-pk").distinct("route").values_list("pk", flat=True)
    )
    return [run for run in runs if run.candidate["release_id"] in newest]


def _may(actor: Actor, permission: Permission) -> bool:
    return isinstance(actor.may(permission), Allowed)


def _still_failed(rows: Any, same: tuple[str, ...], at: datetime) -> list[Any]:
    """Jobs of the last week that ended with an error and were not tried again since."""
    again = rows.model.objects.filter(
        organization=OuterRef("organization"), pk__gt=OuterRef("pk"), **{name: OuterRef(name) for name in same}
    )
    failed = rows.filter(state=LeasedJob.State.ERROR, created_at__gte=at - FAILED_JOBS_COUNT_FOR)
    return list(failed.filter(~Exists(again)).select_related("organization")[:FAILED_JOBS_SHOWN])


def _failed_import(job: SuiteImport) -> Need:
    url = reverse("suite-import", kwargs={"organization": job.organization.slug, "key": job.pk})
    title = f"Mend the suite file {job.name} and upload it again"
    return Need("fail", "Refused", title, _said(job), url, "See the rows", job.finished_at or job.created_at)


def _failed_export(job: Export) -> Need:
    url = reverse("export", kwargs={"organization": job.organization.slug, "export": job.pk})
    title = f"Ask again for the export that {job.requested_by_label} wanted"
    return Need("fail", "Not made", title, _said(job), url, "Open it", job.finished_at or job.created_at)


def _said(job: LeasedJob) -> str:
    return str((job.problem or {}).get("detail", "The log of the worker says why it failed."))


def _release(run: GateRun) -> str:
    return f"{run.application.slug} {run.release_name}"


def _short(text: str) -> str:
    return text if len(text) <= REASONS_SHOWN else f"{text[:REASONS_SHOWN].rstrip()} …"


def _address(actor: Actor, name: str, /, **parts: str) -> str:
    return reverse(name, kwargs={"organization": actor.organization.slug, **parts})
