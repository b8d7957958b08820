"""REST: gate runs to read, to wait for and to cancel; and ratings of answers."""

import threading
import time
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api.shapes import RATED, RUN, RUNS, CancelInput, RatingsInput
from gates.ratings import add_ratings
from gates.run_models import GateRun
from gates.runs.requesting import cancel_run
from gates.runs.selectors import open_baseline, run_named, runs_of
from gates.suite_files.cases import Scale
from gates.suites import suite_named
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.pages import PAGED, listed
from relcontrol.errors import Malformed, NotFound, invalid

LONGEST_WAIT: Final = 30
LOOK_EVERY_SECONDS: Final = 0.25
# A held answer keeps a thread of the web process, which has four: pipelines that wait must not stop the pages.
HELD: Final = threading.BoundedSemaphore(2)
WAIT: Final = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT},
    description="Seconds to hold the answer for the verdict.",
)
FILTERS: Final = [
    OpenApiParameter("manifest", str, description="The manifest SHA-256 whose runs are wanted."),
    OpenApiParameter("application", str, description="Slug of the application whose runs are wanted."),
]


@extend_schema_view(get=extend_schema(summary="Gate runs, newest first", parameters=[*PAGED, *FILTERS], responses=RUNS))
class Runs(Call):
    """Gate runs of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request) -> Response:
        """A page."""
        rows, query = runs_of(self.actor.organization), request.query_params
        if manifest := query.get("manifest"):
            rows = rows.filter(manifest_sha256=manifest)
        if application := query.get("application"):
            rows = rows.filter(application__slug=application)
        return Response(listed(request, rows.defer("document", "body"), summary_as_json))


@extend_schema_view(get=extend_schema(summary="One gate run, by id or digest", parameters=[WAIT], responses=RUN))
class OneRun(Call):
    """A gate run."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, run: str) -> Response:
        """Progress, then the verdict with every number."""
        return Response(run_as_json(waited_for(run_named(self.actor.organization, run), wait_of(request))))


@extend_schema_view(post=extend_schema(summary="Cancel a gate run", request=CancelInput, responses=RUN))
class Cancel(CommandCall):
    """Stopping a run that is not over."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Cancel it."""
        run = run_named(self.actor.organization, kwargs["run"])
        reason = self.read(CancelInput).get("reason") if request._request.body else None
        return Response(run_as_json(cancel_run(actor=self.actor, run=run, reason=reason or "")))


@extend_schema_view(
    post=extend_schema(
        summary="Add graded answers to a suite", request=RatingsInput, responses={201: RATED, 200: RATED}
    )
)
class Ratings(CommandCall):
    """Ratings of answers; a rating never changes."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}
    body_limit: ClassVar[int] = settings.UPLOAD_LIMIT

    def command(self, request: Request, **kwargs: str) -> Response:
        """Add them: 201, or 200 where all were there."""
        body = self.read(RatingsInput)
        try:
            suite = suite_named(self.actor.organization, body["suite"])
        except NotFound as error:
            raise invalid("suite", error.detail) from error
        done = add_ratings(
            actor=self.actor, suite=suite, rows=body["ratings"], grade_scale=_scale(body.get("grade_scale"))
        )
        answer = {
            "suite": done.suite.name,
            "added": done.added,
            "known": done.known,
            "ratings_sha256": done.ratings_sha256,
        }
        return Response(answer, 201 if done.added else 200)


def wait_of(request: Request) -> int:
    """How long the caller wants the answer held, at most half a minute."""
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(LONGEST_WAIT)) or int(text) > LONGEST_WAIT:
        raise Malformed(f"wait must be a whole number of seconds from 0 to {LONGEST_WAIT}.")
    return int(text)


def waited_for(run: GateRun, seconds: int) -> GateRun:
    """The run once it is over, or as it is when the time is up; at once where too many answers are held already."""
    if not seconds or not HELD.acquire(blocking=False):
        return run
    try:
        until = time.monotonic() + seconds
        while not run.is_over and time.monotonic() < until:
            time.sleep(LOOK_EVERY_SECONDS)
            run = run_named(run.organization, run.pk)
    finally:
        HELD.release()
    return run


def summary_as_json(run: GateRun) -> dict[str, Any]:
    """A run without its verdict's numbers."""
    return {
        "gate_run_id": run.pk,
        "number": run.number,
        "gate_run_sha256": run.gate_run_sha256 or None,
        "manifest_sha256": run.manifest_sha256,
        "release_id": run.candidate["release_id"],
        "release": run.release_name,
        "application": run.application.slug,
        "suite": run.suite.name,
        "state": run.state,
        "progress": {"done": run.progress_done, "of": run.progress_of},
        "evaluation": evaluation_as_json(run),
        "baseline": run.baseline_id,
        "verdict": run.verdict or None,
        "parity": run.parity,
        "dry_run": run.dry_run,
        "carried_from": run.carried_from_id,
        "requested_by": run.requested_by_label,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "receipt": run.receipt_hash or None,
        "problem": run.problem,
    }


def evaluation_as_json(run: GateRun) -> dict[str, Any] | None:
    """How far relcontrol has come with what it answers and judges itself, and what it has spent."""
    if run.evaluation is None:
        return None
    return {**run.evaluation, "waits_for": None if run.is_over else open_baseline(run)}


def run_as_json(run: GateRun) -> dict[str, Any]:
    """A run with its verdict, where there is one."""
    return summary_as_json(run) | (run.document or {})


def _scale(value: list[float] | None) -> Scale | None:
    return (value[0], value[1]) if value else None
