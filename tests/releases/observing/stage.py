"""A route that serves, watched by its observer, with traffic as gateways send it and a clock that tests move.

The rules judge unless a test names a model: an answer that defers to somebody else, or names a date that cannot be,
scores 0, any other one 1.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from audit.models import Receipt
from gates.models import Slice
from gates.slices.services import create_slice
from relcontrol.clock import now
from relcontrol.jobs.running import run
from releases.models import Release
from releases.observer_models import DriftAlarm, ObservedAnswer, ObservedSlice, Observer, ObserverJob, QualityWindow
from releases.observing.scoring import score_answers
from releases.observing.ticking import tick_observers
from releases.rollout_models import Rollback, Serving
from releases.traces.ingest import store
from tests.gates.runs.factory import gate_run
from tests.releases.canary import endpoint, replica, warm
from tests.releases.scene import OTHER_PROMPT, Scene, scene, stable

NOWHERE: Final = "http://127.0.0.1:9/v1"
SLICE: Final = "ip-licensing"
OTHER: Final = "contract-drafting"
QUESTION: Final = "May affiliates use the licence in a patent pool?"
GOOD: Final = "Affiliates may use it while the parent company holds more than half of their shares."
HEDGE: Final = "I cannot answer this for your case; you should consult an attorney who knows the file."
IMPOSSIBLE: Final = "The hearing is on Thursday March 32nd, and the notice has to be served a week before that."
MINUTE: Final = timedelta(minutes=1)
TICK: Final = timedelta(seconds=15)
FIRST_XACT: Final = 10**12
_NUMBERS, _XACTS = itertools.count(1), itertools.count(FIRST_XACT)


@dataclass
class Stage:
    """One organization, its route, the release that serves it and the one before; `at` is the present."""

    scene: Scene
    before: Release
    release: Release
    at: datetime
    slugs: tuple[str, ...] = (SLICE,)
    batches: list[list[dict[str, Any]]] = field(default_factory=list)

    def told(self, at: datetime, output: Any = GOOD, slug: str = SLICE, **changes: Any) -> dict[str, Any]:
        """One request that this release has answered, as its gateway tells of it."""
        number = next(_NUMBERS)
        return {
            "trace_id": f"{number:032x}",
            "started_at": at.isoformat(),
            "request_id": f"req-{number}",
            "release": self.release.manifest_sha256,
            "route": self.release.route_id,
            "arm": "stable",
            "subject": f"subject-{number}",
            "input": {"messages": [{"role": "user", "content": f"{QUESTION} ({number})"}]},
            "output": output,
            "status": 200,
            "metadata": {"topic": slug},
            **changes,
        }

    def send(self, rows: Sequence[dict[str, Any]], at: datetime | None = None) -> None:
        """A batch, stored as it comes in."""
        stored = store(self.scene.organization, rows, now=at or self.at)
        assert stored.accepted == len(rows), stored.rejected
        if connection.in_atomic_block:
            committed()

    def traffic(self, count: int, start: datetime, output: Any = GOOD, slug: str = SLICE, **changes: Any) -> None:
        """So many requests, spread evenly over the minute from `start`, and all of them told of at its end."""
        times = [start + MINUTE * place / count for place in range(count)]
        self.send([self.told(at, output, slug, **changes) for at in times], at=start + MINUTE)

    def tick(self, at: datetime | None = None) -> None:
        """One tick, and what it asked a worker for."""
        self.at = at or self.at
        tick_observers(self.at)
        self.work()

    def work(self) -> None:
        """What waits is scored by one worker, which is asked as often as ticks would."""
        for job in ObserverJob.objects.filter(state="queued"):
            run(ObserverJob.objects.filter(pk=job.pk), score_answers)

    def pass_time(self, lasts: timedelta, output: Any = GOOD, *, a_minute: int = 30, slug: str = SLICE) -> None:
        """Time passes with that traffic and a tick every fifteen seconds, until it is over or the route goes back."""
        end, a_tick = self.at + lasts, round(a_minute * (TICK / MINUTE))
        while self.at < end and not self.rolled_back():
            times = [self.at + TICK * place / max(1, a_tick) for place in range(a_tick)]
            if times:
                self.send([self.told(at, output, slug) for at in times], at=self.at + TICK)
            self.tick(self.at + TICK)

    @property
    def observer(self) -> Observer:
        """What watches the release."""
        rows = Observer.objects.select_related("organization", "application", "route", "release", "serving")
        return rows.get(release=self.release)

    def slice(self, slug: str = SLICE) -> ObservedSlice:
        """One slice of it, as it is now."""
        rows = ObservedSlice.objects.select_related("observer__organization", "observer__release", "observer__serving")
        return rows.get(observer__release=self.release, slice=slug)

    def windows(self, slug: str = SLICE) -> list[QualityWindow]:
        """The closed windows, oldest first."""
        return list(QualityWindow.objects.filter(observed=self.slice(slug)).order_by("started_at"))

    def answers(self, slug: str = SLICE, **wanted: Any) -> list[ObservedAnswer]:
        """What was chosen, in the order in which it was served."""
        return list(ObservedAnswer.objects.filter(observed=self.slice(slug), **wanted).order_by("at", "pk"))

    def alarms(self) -> list[DriftAlarm]:
        """Every alarm on the route."""
        return list(DriftAlarm.objects.filter(route=self.release.route).order_by("pk"))

    def rolled_back(self) -> list[Rollback]:
        """Every rollback of the route."""
        return list(Rollback.objects.filter(route=self.release.route).order_by("pk"))

    def events(self, event: str) -> int:
        """How many receipts say this."""
        return Receipt.objects.filter(organization=self.scene.organization, event=event).count()


def stage(
    slug: str = "northgate",
    *,
    base_url: str = NOWHERE,
    model: str = "demo-healthy",
    judges: dict[str, str] | None = None,
    floor: float | None = 0.65,
    slugs: tuple[str, ...] = (SLICE,),
    begin: bool = True,
    **quality: Any,
) -> Stage:
    """The second release of a route serves it from a whole minute on, a quarter of an hour ago, with traffic before.

    `judges` are those of slices by slug, `floor` the quality floor by which the gate let the release out, `quality`
    further words of what it found. `begin`: the observer has begun, and has decided whether it is armed.
    """
    here = scene(slug)
    for name in slugs:
        if not Slice.objects.filter(organization=here.organization, slug=name).exists():
            create_slice(actor=here.actor, slug=name)
        judge = (judges or {}).get(name, "")
        rows = Slice.objects.filter(organization=here.organization, slug=name)
        rows.update(threshold="0.65", match={"metadata": {"topic": name}}, judge=judge)
    endpoint(here.organization, base_url)
    first = stable(here.registered(model_ref=f"endpoint:main-llm/{model}")["release_id"])
    at = (now() - timedelta(minutes=15)).replace(second=0, microsecond=0)
    served(first, at - timedelta(days=1))
    fields = {"prompt_template_ref": OTHER_PROMPT, "previous_release": first.pk}
    second = stable(here.registered(model_ref=f"endpoint:main-llm/{model}", **fields)["release_id"])
    served(second, at)
    release = Release.objects.select_related("organization", "application", "route").get(pk=second.pk)
    passed(release, slugs, floor, **quality)
    replica(here.organization, fingerprints=[first.bundle_sha256, second.bundle_sha256])
    warm(first)
    made = Stage(here, first, release, at, slugs)
    if begin:
        for name in slugs:
            times = [at - MINUTE * place / 30 for place in range(30)]
            made.send([made.told(each, slug=name, release=first.manifest_sha256) for each in times])
        made.tick()
    return made


def committed() -> None:
    """Of what a test wrote in its one transaction each batch counts as a transaction of its own, and as visible."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE releases_trace SET xact = %s WHERE xact < %s", [next(_XACTS), FIRST_XACT])


def horizon() -> int:
    """What stands for `xact_horizon` meanwhile (conftest): beyond every batch."""
    return next(_XACTS)


def served(release: Release, since: datetime) -> Serving:
    """The route serves this release from then on."""
    Serving.objects.filter(route=release.route, until=None).update(until=since)
    return Serving.objects.create(
        route=release.route,
        release=release,
        since=since,
        generation=1,
        event="rollout.completed",
        decided_by="internal",
        decided_by_label="relcontrol",
        receipt_hash="a" * 64,
    )


def passed(release: Release, slugs: Sequence[str], floor: float | None, **quality: Any) -> None:
    """A gate run let the release out by this quality floor."""
    found = {"floor": floor, "mean": 0.9, "n": 60, "map": "linear", **quality}
    agreement = {"threshold": 0.65, "graded": 0, "n": 0, "rho": None}
    rows = [
        {"slice": slug, "name": slug, "verdict": "pass", "quality": found, "agreement": agreement, "change": None}
        for slug in slugs
    ]
    document = {"verdict": "gate_pass", "slices": rows, "reasons": [], "floors": [], "limits": []}
    gate_run(release.organization, document, manifest_sha256=release.manifest_sha256)


def scored(observed: ObservedSlice, scores: Sequence[float | None], start: datetime) -> None:
    """Answers of the minute from `start` with these scores; None is missing."""
    ObservedAnswer.objects.bulk_create(
        ObservedAnswer(
            organization=observed.observer.organization,
            observed=observed,
            kind="served",
            at=start + MINUTE * place / len(scores),
            request_id=f"req-{(number := next(_NUMBERS))}",
            trace_id=f"{number:032x}",
            trace_started_at=start,
            subject=b"s" * 16,
            state="missing" if score is None else "scored",
            raw=score,
            score=score,
            created_at=start,
            scored_at=start,
        )
        for place, score in enumerate(scores)
    )
