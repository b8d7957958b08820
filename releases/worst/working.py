"""The job of the worst answers: find them, have the kept release answer each prompt, have both answers judged.

The places are written down once, then each is filled once under the job's fence: a job that is killed goes on with
those that are empty, and repeats at most their calls. What a replayed pair or the observer has already is taken from
there. Everything in words is sealed under the key of whoever asked.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from typing import Any, Final, cast

from gates.rule_judge.judging import text_of
from gates.scoring.questions import Question, Scored, ScoreOrder
from gates.scoring.scoring import Scoring
from relcontrol.clock import now
from relcontrol.errors import Conflict, NotFound
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.model_servers.calls import Calls
from relcontrol.model_servers.client import Answer
from releases.observer_models import ObservedAnswer, WorstAnswer, WorstAnswers
from releases.observing.judges import mapped
from releases.privacy.problems import in_clear
from releases.replays.pairing import opened_each
from releases.replays.rendering import NotReplayableError, client_body, upstream_body
from releases.replays.scoring import GONE, TOOLS, prompt_text
from releases.rollout_models import ReplayPair
from releases.trace_models import Trace
from releases.worst.finding import find
from releases.worst.material import AFTER, BEFORE, SIDES, Place, Work

CALL_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 5.0
PAIRED: Final = {BEFORE: "stable", AFTER: "candidate"}
EVENTS: Final = ("rollout", "rollback__observer", "alarm__observer")


def find_worst(lease: Lease[WorstAnswers]) -> None:
    """The job."""
    rows = WorstAnswers.objects.select_related("organization", "left__application", "kept", *EVENTS)
    work = Work(lease, rows.get(pk=lease.job.pk))
    _choose(work)
    places = list(_places(work))
    _answer_again(work, places)
    _judge(work, places)
    with lease.writing() as job:
        job.state, job.finished_at = LeasedJob.State.DONE, now()
        job.save(update_fields=["state", "finished_at"])


def _choose(work: Work) -> None:
    """Write down which they are, unless an earlier run has."""
    found = [] if work.row.answers.exists() else find(work.row)
    with work.lease.writing() as job:
        if found and not job.answers.exists():
            WorstAnswer.objects.bulk_create(
                WorstAnswer(
                    organization_id=job.organization_id,
                    worst=job,
                    place=place,
                    slice=each.slice,
                    request_id=each.request_id,
                    trace_id=each.trace_id,
                    trace_started_at=each.trace_started_at,
                    subject=each.subject,
                    score_before=each.score_before,
                    score_after=each.score_after,
                )
                for place, each in enumerate(found, start=1)
            )
            job.progress_of = len(found)
            job.save(update_fields=["progress_of"])


def _places(work: Work) -> Iterator[Place]:
    """The places that are still empty, with what is known of them; what cannot be opened any more is written so."""
    rows = list(work.row.answers.filter(sealed__isnull=True, problem="").order_by("place"))
    for row, body in zip(rows, _bodies(work, rows), strict=True):
        place = _opened(row, body)
        if not place.messages:
            place.lacks(GONE)
            work.write(place)
            continue
        _take_what_is_known(work, place)
        yield place


def _opened(row: WorstAnswer, body: Any) -> Place:
    try:
        asked = client_body(body or {})
    except NotReplayableError:
        return Place(row, [], "")
    said = {AFTER: body["output"]} if body.get("output") else {}
    scores = {BEFORE: row.score_before, AFTER: row.score_after}
    return Place(row, list(asked["messages"]), prompt_text(body), said, scores=scores, body=asked)


def _bodies(work: Work, rows: list[WorstAnswer]) -> list[Any]:
    traces = Trace.objects.filter(
        organization_id=work.row.organization_id,
        trace_id__in=[row.trace_id for row in rows],
        started_at__in=[row.trace_started_at for row in rows],
    )
    known = {(trace.trace_id, trace.started_at): bytes(trace.body or b"") for trace in traces}
    sealed = [(bytes(row.subject), known.get((row.trace_id, row.trace_started_at), b"")) for row in rows]
    return opened_each(work.row.organization_id, sealed)


def _take_what_is_known(work: Work, place: Place) -> None:
    row = place.row
    same = {"trace_id": row.trace_id, "trace_started_at": row.trace_started_at}
    if work.row.rollout is not None:
        pair = ReplayPair.objects.filter(rollout=work.row.rollout, state=ReplayPair.State.SCORED, **same).last()
        if pair is not None:
            _take_pair(place, pair)
        return
    scored = ObservedAnswer.objects.filter(observed__observer=work.observer, score__isnull=False, **same).last()
    kept = _open(row, bytes(scored.sealed or b"")) if scored is not None else None
    if kept:
        place.reasons[AFTER] = kept.get("reason") or ""
        place.answers[AFTER] = kept.get("output") or place.answers.get(AFTER)


def _take_pair(place: Place, pair: ReplayPair) -> None:
    """Both answers with the judge's reasons, or what the rules found."""
    kept = _open(place.row, bytes(pair.answers or b"")) or {}
    quoted = list(zip(pair.findings, [*(kept.get("quotes") or []), *[""] * len(pair.findings)], strict=False))
    reasons = kept.get("reasons") or {}
    for side, named in PAIRED.items():
        found = [
            f"{one['detail']} “{quote}”" if quote else one["detail"] for one, quote in quoted if one["side"] == named
        ]
        place.answers[side] = kept.get(named)
        place.reasons[side] = reasons.get(named) or " ".join(found)


def _open(row: WorstAnswer, sealed: bytes) -> Any:
    return opened_each(row.organization_id, [(bytes(row.subject), sealed)])[0]


def _answer_again(work: Work, places: list[Place]) -> None:
    """Have the kept release answer what it has not answered."""
    flying: dict[Future[Answer], Place] = {}
    with Calls(time_limit=CALL_SECONDS) as calls:
        for place in places:
            if place.answers.get(BEFORE) is None and (future := _asked(work, calls, place)):
                flying[future] = place
        while flying:
            done, _ = wait(flying, timeout=LOOK_SECONDS)
            for future in done:
                _take_answer(flying.pop(future), future.result())
            work.lease.keep(now())


def _asked(work: Work, calls: Calls, place: Place) -> "Future[Answer] | None":
    kept = work.kept
    if isinstance(kept, str):
        place.lacks(kept)
        return None
    entry, secret = kept
    try:
        return calls.ask(entry.endpoint.base_url, secret, upstream_body(entry, work.application, place.body))
    except NotReplayableError as error:
        place.lacks(str(error))
        return None


def _take_answer(place: Place, answer: Answer) -> None:
    if answer.output is None:
        status = f" ({answer.status})" if answer.status else ""
        place.lacks(f"The kept release did not answer the replay: {answer.error}{status}.")
    else:
        place.answers[BEFORE] = answer.output


def _judge(work: Work, places: list[Place]) -> None:
    """Score what has no score, and write each place as soon as both of its sides are done."""
    for place in places:
        _note_silence(place)
    waiting = {place.row.place: set(place.unscored) for place in places}
    by_place = {place.row.place: place for place in places}
    try:
        with Scoring(work.row.organization, cached=False) as scoring:
            for scored in scoring.run(list(_orders(work, places))):
                if scored is None:
                    work.lease.keep(now())
                    continue
                number, side = cast("tuple[int, str]", scored.key)
                _take_score(work, by_place[number], side, scored)
                waiting[number].discard(side)
                if not waiting[number]:
                    work.write(by_place.pop(number))
    except (Conflict, NotFound) as error:
        for place in by_place.values():
            place.lacks(f"The answers are not scored. {error.detail}")
    for place in by_place.values():
        work.write(place)


def _note_silence(place: Place) -> None:
    for side in SIDES:
        said = place.answers.get(side)
        if isinstance(said, Mapping) and not text_of(said).strip() and said.get("tool_calls"):
            place.lacks(TOOLS)
    if AFTER not in place.answers:
        place.lacks("The request got no answer.")


def _orders(work: Work, places: list[Place]) -> Iterator[ScoreOrder]:
    for place in places:
        for side in place.unscored:
            judge, _ = work.judge_of(place.row.slice)
            yield ScoreOrder((place.row.place, side), judge, Question(place.asked, text_of(place.answers[side])))


def _take_score(work: Work, place: Place, side: str, scored: Scored) -> None:
    place.reasons[side] = scored.reason
    if scored.score is None:
        place.lacks(f"The judge gave no score. {in_clear(scored.problem)}")
        return
    _, by = work.judge_of(place.row.slice)
    try:
        place.scores[side] = mapped(by, scored.score)
    except ValueError as error:
        place.lacks(f"The judge gave no score. {error}")
