"""Everything that the page of a rollout shows, read at one moment (ui.md screen 10).

While a rollout runs it is looked at anew; of one that is over the last readings are shown, which the ticker kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.html import format_html

from relcontrol.accounts.permissions import READ_AUDIT, WRITE_ROLLOUTS, Allowed, Denied
from relcontrol.web.pages import PageRequest
from releases.bucketing import BASIS_POINTS_PER_PERCENT
from releases.measuring.as_json import readings_as_json
from releases.models import Release
from releases.pages.paths import address
from releases.pages.rollout_gateways import gateways
from releases.pages.rollout_monitors import COLUMNS, cards, policies, table
from releases.pages.rollout_steps import Counted, steps
from releases.pages.rollout_wording import STATE_STATUS, Names, act_words, lede, outlook, said_of, short_moment, title
from releases.pages.wording import changed
from releases.rolling.looking import look_at
from releases.rolling.selectors import steps_of
from releases.rolling.storing import value_of
from releases.rollout_models import Measurement, Rollout, RolloutStep
from releases.rollouts import states

MOVES_SHOWN: Final = 40
SEQ_PER_SECOND: Final = 1000


@dataclass(frozen=True, slots=True)
class Move:
    """A line of the timeline."""

    row: RolloutStep
    kind: str
    words: str
    says: str


@dataclass(frozen=True, slots=True)
class Reason:
    """A line of "why is it not moving?"."""

    kind: str
    sentence: str
    eta: str


def seq_of(row: Rollout) -> int:
    """Grows with every look and with every move, which is when the page has something new to show."""
    at = row.looked_at or row.started_at
    return int(at.timestamp() * SEQ_PER_SECOND) + row.version


def names_of(row: Rollout) -> Names:
    """What the page calls the two releases and the traffic."""
    return Names(
        row.release.name,
        row.previous.name if row.previous else "",
        f"{row.application.name}, {row.route.name}",
        serves=row.release.delivery == Release.Delivery.STABLE,
    )


def screen(request: PageRequest, row: Rollout, at: datetime) -> dict[str, Any]:
    """The context of the whole page and of its live part."""
    value = value_of(row)
    look = _looked(row, value, at)
    waiting = {} if value.over else look.get("waiting_for") or {}
    eta, halts_at = _moment(waiting.get("eta")), _moment(waiting.get("halts_at"))
    moves = list(steps_of(row)[:MOVES_SHOWN])
    measured = {each.checkpoint: each for each in Measurement.objects.filter(rollout=row)}
    history = measured[value.checkpoint].history if value.checkpoint in measured else []
    monitors, names = cards(look, history), names_of(row)
    kind, word = STATE_STATUS[value.state]
    return {
        "rollout": row,
        "value": value,
        "names": names,
        "kind": kind,
        "word": word,
        "title": _title(value, names, row.ended_at, outlook(value, eta, halts_at, at)),
        "lede": lede(value, names, [(each.title, each.reading) for each in monitors]),
        "announce": title(value, names, row.ended_at),
        "percent": value.basis_points / BASIS_POINTS_PER_PERCENT,
        "rest": 100 - value.basis_points / BASIS_POINTS_PER_PERCENT,
        "split_known": not value.over or names.serves or _previous_serves(row),
        "rate": look.get("requests_per_second"),
        "steps": list(steps(value, moves[::-1], _counted(measured), at, eta)),
        "monitors": monitors,
        "policies": policies(look),
        "columns": COLUMNS,
        "readings": table(history),
        "why": [_reason(each, at) for each in waiting.get("conditions", ())],
        "met": sum(each["met"] for each in waiting.get("conditions", ())),
        "moves": [_move(each) for each in moves],
        "halts_at": halts_at,
        "changed": changed(row.release.changes, row.release.refs, cold_start=row.previous is None),
        "seq": seq_of(row),
        "may_audit": isinstance(request.actor.may(READ_AUDIT), Allowed),
        **gateways(row.organization, at, stopped=_stopped(row)),
        **_commands(request, row, value),
    }


def _looked(row: Rollout, value: states.Rollout, at: datetime) -> dict[str, Any]:
    if value.over:
        return row.look or {}
    look = look_at(row, at)
    return {**readings_as_json(look.measured), "waiting_for": look.waiting.as_json()}


def _title(value: states.Rollout, names: Names, ended_at: datetime | None, next_step: str) -> str:
    first = title(value, names, ended_at)
    return format_html('{}<span class="d-block">{}</span>', first, next_step) if next_step else first


def _counted(measured: dict[int, Measurement]) -> dict[int, Counted]:
    return {number: Counted(each.entered_at, each.candidate_requests) for number, each in measured.items()}


def _reason(condition: dict[str, Any], now: datetime) -> Reason:
    if condition["met"]:
        return Reason("pass", condition["sentence"], "holds")
    eta = _moment(condition["eta"])
    if eta is None:
        return Reason("fail" if condition["key"] in ("integrity", "stable") else "hold", condition["sentence"], "open")
    return Reason("running", condition["sentence"], short_moment(eta, now))


def _move(row: RolloutStep) -> Move:
    kind, words = act_words(row.act, row.percent, row.checkpoint)
    says, by = said_of(row.act, row.reasons), "By rule" if row.actor == "internal" else row.actor_label
    said = says if says.startswith(f"{by}: ") else f"{by}: {says}" if says else f"{by}."
    return Move(row, kind, words, said)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _previous_serves(row: Rollout) -> bool:
    return row.previous is not None and row.previous.delivery == Release.Delivery.STABLE


def _stopped(row: Rollout) -> str:
    """The manifest of a candidate that was stopped: what it still answers is drained."""
    return row.release.manifest_sha256 if row.state in (Rollout.State.HALTED, Rollout.State.ABORTED) else ""


def _commands(request: PageRequest, row: Rollout, value: states.Rollout) -> dict[str, Any]:
    """What may be done now; who may not act reads the reason instead."""
    answer = request.actor.may(WRITE_ROLLOUTS)
    open_to_all = () if value.over else ("halt", *(("promote",) if value.checkpoint else ()))
    return {
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "possible": (*open_to_all, *(() if value.over else ("resume",) if value.held else ("pause",))),
        "rollback_url": address(request, "route-rollback", route=row.route_id) if _serves(row) else "",
    }


def _serves(row: Rollout) -> bool:
    return row.state == Rollout.State.COMPLETED and row.release.delivery == Release.Delivery.STABLE
