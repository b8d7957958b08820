"""Everything that the page of an observer shows, read at one moment (ui.md screen 11)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from relcontrol.accounts.models import Route
from relcontrol.accounts.permissions import READ_AUDIT, WRITE_ROLLOUTS, Allowed, Denied
from relcontrol.web.pages import PageRequest
from relcontrol.web.words import number
from releases.models import Release
from releases.observer_models import DriftAlarm, ObservedSlice, Observer
from releases.observing.costs import Cost, cost_of
from releases.observing.drift import open_alarms
from releases.observing.selectors import slices_of, worst_of_route
from releases.pages.observe.alarm_wording import about, cause_of
from releases.pages.observe.one_slice import chosen_slice
from releases.pages.observe.periods import DAY
from releases.pages.observe.slices import Line, lines_of
from releases.pages.observe.wording import lede_of, money_words, names_in_short, rare, title_of, tokens_words
from releases.pages.paths import address, with_query
from releases.pages.routes import rollbacks_of
from releases.rolling.following import Moment, timeline_of
from releases.rolling.rolling_back import default_target
from releases.rollout_models import Rollback
from releases.selectors import serving

SEQ_PER_SECOND: Final = 1000
REFRESHED: Final = timedelta(seconds=10)  # how often the page is made anew though no window was closed
SHOWN: Final = 5  # rollbacks, and sets of worst answers


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of the headline."""

    title: str
    value: str
    unit: str
    detail: str


@dataclass(frozen=True, slots=True)
class Way:
    """A rollback with how far it has come."""

    row: Rollback
    kind: str
    word: str
    moments: Sequence[Moment]


def seq_of(observer: Observer, slices: Sequence[ObservedSlice]) -> int:
    """Grows when a window is closed or something is decided, and every ten seconds while the observer looks."""
    looked = observer.folded_at.timestamp() // REFRESHED.total_seconds() * REFRESHED.total_seconds()
    of_slices = [each for row in slices for each in (row.next_from, row.decided_at, row.paged_at) if each]
    newest = Rollback.objects.filter(route=observer.route_id).order_by("-pk").first()
    of_rollback = [each for each in (newest.decided_at, newest.followed_until) if each] if newest else []
    times = (observer.started_at, *of_slices, *of_rollback)
    return int(max(looked, *(each.timestamp() for each in times)) * SEQ_PER_SECOND)


def screen(request: PageRequest, route: Route, observer: Observer | None, at: datetime) -> dict[str, Any]:
    """The context of the whole page and of its live part."""
    answer, stable = request.actor.may(WRITE_ROLLOUTS), serving(route)
    context: dict[str, Any] = {
        "route": route,
        "observer": observer,
        "stable": stable,
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "may_audit": isinstance(request.actor.may(READ_AUDIT), Allowed),
        "crumbs": [("Observe", address(request, "observe")), (f"{route.application.slug}: {route.name}", None)],
    }
    if observer is None:
        return context | {"title": _unwatched(route, stable), "kind": "skip", "word": "Not watched"}
    return context | _watched(request, route, observer, at)


def _watched(request: PageRequest, route: Route, observer: Observer, at: datetime) -> dict[str, Any]:
    slices, own = slices_of([observer]), address(request, "observe-route", route=route.pk)
    lines = lines_of(observer.organization, slices, at, DAY.length)
    over = observer.ended_at is not None
    cost = None if over or not slices else cost_of(observer, at)
    alarms = [_alarm(row, lines) for row in open_alarms(route).select_related("observer__release")]
    kind, word = _status(lines, over=over, alarms=len(alarms))
    title = _title(route, observer, lines, over=over)
    query = {name: request.GET.get(name, "") for name in ("slice", "period", "windows", "cursor")}
    return {
        "title": title,
        "announce": title,
        "lede": _lede(route, observer, lines, cost),
        "kind": kind,
        "word": word,
        "over": over,
        "tiles": [] if over else list(_tiles(lines, cost)),
        "lines": lines,
        "alarms": alarms,
        "policies": [_policy(each) for each in observer.policies],
        "rollbacks": [_way(row) for row in list(rollbacks_of(route))[:SHOWN]],
        "worst": worst_of_route(route)[:SHOWN],
        "seq": seq_of(observer, slices),
        "own": own,
        "poll_url": with_query(own, **query),
        **chosen_slice(request, lines, own, at),
    }


def _unwatched(route: Route, stable: Release | None) -> str:
    if stable is None:
        return f"{route.name} serves nothing, so nothing is watched."
    return f"{stable.name} serves {route.name}, and is not watched yet."


def _title(route: Route, observer: Observer, lines: Sequence[Line], *, over: bool) -> str:
    if over:
        return f"{observer.release.name} no longer serves {route.name}, and is not watched any more."
    below = [(line.name, line.row.streak, line.row.armed) for line in lines if line.row.streak]
    armed = sum(line.row.armed for line in lines)
    traffic = f"{route.application.name}, {route.name}"
    return title_of(serves=observer.release.name, traffic=traffic, armed=armed, slices=len(lines), below=below)


def _lede(route: Route, observer: Observer, lines: Sequence[Line], cost: Cost | None) -> str:
    if observer.ended_at is not None:
        return "What its windows were until then stands below."
    armed = [line for line in lines if line.row.armed]
    target = default_target(route) if armed else None
    return lede_of(
        target=target.name if target else "",
        armed=len(armed),
        months=_false_rollbacks(lines),
        calls=cost.calls_per_day if cost else None,
    )


def _false_rollbacks(lines: Iterable[Line]) -> float | None:
    known = [line.row.false_rollbacks_per_month for line in lines if line.row.armed]
    return sum(each for each in known if each is not None) if known else None


def _status(lines: Sequence[Line], *, over: bool, alarms: int) -> tuple[str, str]:
    if over:
        return "skip", "Ended"
    if any(line.row.streak for line in lines):
        return "fail", "Below its floor"
    if alarms:
        return "hold", "Waits for a decision"
    armed = sum(line.row.armed for line in lines)
    if not armed:
        return "hold", "Not armed"
    return ("pass", "Armed") if armed == len(lines) else ("hold", f"Armed on {armed} of {len(lines)}")


def _tiles(lines: Sequence[Line], cost: Cost | None) -> Iterable[Tile]:
    """Armed or not, what it costs a day, what is expected of it, and where quality is worst."""
    refused = [line.name for line in lines if not line.row.armed]
    armed = len(lines) - len(refused)
    detail = f"not on {names_in_short(refused)}" if refused and armed else "see why below" if refused else "everywhere"
    yield Tile("Automatic rollback is armed on", f"{armed} of {len(lines)}", "slices", detail)
    if cost is not None:
        more = [each for each in (tokens_words(cost.tokens_per_day), money_words(cost.money_per_day)) if each]
        yield Tile(
            "Watching costs", number(cost.calls_per_day), "judge calls a day", ", ".join(more) or "nothing but time"
        )
    false = _false_rollbacks(lines)
    value = "–" if false is None else rare(false)
    yield Tile("False rollbacks expected", value, "a month", "over all armed slices together")
    worst = lines[0] if lines else None
    if worst is not None:
        yield Tile("Worst slice", worst.name, "", worst.last_words)


def _alarm(row: DriftAlarm, lines: Sequence[Line]) -> tuple[DriftAlarm, str, str]:
    """An alarm, its word and its sentence. It may be of a release that was taken back since."""
    names = {line.row.slice: line.name for line in lines}
    release = row.observer.release
    return row, *about(cause_of(row.kind, row.facts), subject=names.get(row.subject, row.subject), release=release.name)


def _policy(policy: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Status, word, name and sentence of a further policy."""
    kind, word = ("fail", "Violated") if policy["violated"] else ("pass", "Met")
    if policy.get("dry"):
        return "skip", word, f"{policy['name']}, dry: without effect", policy["sentence"]
    return kind, word, policy["name"], policy["sentence"]


def _way(row: Rollback) -> Way:
    if row.rehearsed:
        return Way(row, "skip", "Rehearsed", ())
    moments = timeline_of(row)
    if row.drained_at is not None:
        return Way(row, "pass", "Through", moments)
    return Way(
        row,
        "hold" if row.reconciled_receipt_hash else "running",
        "Not confirmed" if row.reconciled_receipt_hash else "Under way",
        moments,
    )
