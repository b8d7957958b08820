"""The monitors of a rollout as cards: value, limit, evidence, line; and the same readings as a table. Pure.

They read the JSON of `releases.measuring.as_json`, which the API shows too, and the points of a measurement's history.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from relcontrol.web.words import number, percent, signed
from releases.pages.sparkline import Spark, spark

TITLES: Final = {"latency": "p95 latency", "errors": "Errors", "quality": "Answer quality"}
METRICS: Final = {"latency_ttft": "to the first token", "latency_total": "in total"}
READINGS: Final = {"ok": ("pass", "Within limit"), "hold": ("running", "Collecting"), "breach": ("fail", "Breach")}
ORDER: Final = ("ok", "hold", "breach")
TABLE_ROWS: Final = 20
SENTENCES: Final = 2
DASH: Final = "–"
COLUMNS: Final = ("At", "Requests", "p95, ms", "p95 stable, ms", "Errors", "Errors stable", "Quality")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Card:
    """One monitor as the page shows it."""

    key: str
    title: str
    kind: str
    word: str
    value: str
    unit: str
    detail: str
    limit: str
    sentences: tuple[str, ...]
    foot: str
    dry: bool
    reading: str
    spark: Spark | None


def cards(look: Json, history: Sequence[Json]) -> list[Card]:
    """The three, in the order in which one looks at them."""
    monitors = look.get("monitors", {})
    return [_card(key, monitors[key], history) for key in TITLES if key in monitors]


def table(history: Sequence[Json]) -> list[tuple[str, ...]]:
    """The points of the charts as rows, newest first, at most twenty evenly spread ones."""
    step = max(1, -(-len(history) // TABLE_ROWS))
    return [_row(point) for point in [*reversed(history)][::step]]


def policies(look: Json) -> list[tuple[str, str, str, str]]:
    """Further policies: status, word, name, and what they say."""
    return [_policy(each) for each in look.get("policies", ())]


def _card(key: str, monitor: Json, history: Sequence[Json]) -> Card:
    verdicts = list(monitor["verdicts"])
    worst = max(verdicts, key=_severity, default=None)
    kind, word = _status(monitor["reading"], worst)
    says = tuple(worst["reasons"]) if worst else tuple(monitor["headlines"])
    value, unit = _value(key, worst)
    return Card(
        key=key,
        title=TITLES[key],
        kind="skip" if monitor["dry"] else kind,
        word=f"{word}, dry" if monitor["dry"] else word,
        value=value,
        unit=unit,
        detail=_detail(key, history, worst),
        limit=_limit(key, worst),
        sentences=says[:SENTENCES],
        foot=_foot(key, verdicts, worst),
        dry=monitor["dry"],
        reading="ok" if monitor["dry"] else monitor["reading"],
        spark=_spark(key, worst, history),
    )


def _severity(verdict: Json) -> tuple[int, float]:
    """Worse readings first; among equals what lies furthest towards its limit."""
    estimate, limit = verdict["estimate"], verdict["limit"]
    near = float("-inf") if estimate is None or limit is None else estimate - limit
    return ORDER.index(verdict["reading"]), -near if verdict["op"] == ">=" else near


def _status(reading: str, worst: Json | None) -> tuple[str, str]:
    if worst is None or not worst["n"]:
        return "skip", "Nothing yet"
    if reading == "hold" and _beyond(worst):
        return "hold", "Over its limit"
    return READINGS[reading]


def _beyond(verdict: Json) -> bool:
    estimate, limit = verdict["estimate"], verdict["limit"]
    if estimate is None or limit is None:
        return False
    return bool(estimate < limit if verdict["op"] == ">=" else estimate > limit)


def _value(key: str, verdict: Json | None) -> tuple[str, str]:
    if verdict is None or verdict["estimate"] is None:
        return DASH, ""
    if key == "quality":
        return signed(verdict["estimate"]), "against stable"
    return f"{number(verdict['estimate'], 2)}×", "of stable"


def _limit(key: str, verdict: Json | None) -> str:
    if verdict is None or verdict["limit"] is None:
        return DASH
    return signed(verdict["limit"]) if key == "quality" else f"{number(verdict['limit'], 2)}×"


def _detail(key: str, history: Sequence[Json], verdict: Json | None) -> str:
    """The two numbers behind the ratio, as they were at the last point."""
    if key == "quality":
        return f"{verdict['n']:,} pairs, same prompts" if verdict else "no pair yet"
    last = history[-1] if history else {}
    own, stable = (last.get(name) for name in _PAIR[key])
    if own is None or stable is None:
        return "nothing to compare yet"
    if key == "latency":
        return f"{own:,.0f} ms against {stable:,.0f} ms in total"
    return f"{percent(own, 2)} against {percent(stable, 2)}"


_PAIR: Final = {"latency": ("p95_ms", "stable_p95_ms"), "errors": ("error_rate", "stable_error_rate")}


def _foot(key: str, verdicts: Sequence[Json], worst: Json | None) -> str:
    if worst is None:
        return ""
    if key == "quality":
        return f"worst slice: {worst['slice']}" if worst["slice"] else ""
    if key == "latency":
        known = [each for each in verdicts if each["estimate"] is not None]
        return "; ".join(f"{METRICS.get(each['metric'], each['metric'])} {_value(key, each)[0]}" for each in known)
    return f"{worst['n']:,} requests of the candidate" if worst["n"] else ""


def _spark(key: str, verdict: Json | None, history: Sequence[Json]) -> Spark | None:
    if verdict is None or verdict["limit"] is None:
        return None
    name = {"latency": "p95_ratio", "errors": "error_ratio", "quality": "quality"}[key]
    readings = [(_at(point), point[name]) for point in history if point.get(name) is not None]
    said = f"{TITLES[key]}: {_value(key, verdict)[0]} at last, limit {_limit(key, verdict)}"
    reference = 0.0 if key == "quality" else 1.0
    return spark(readings, reference=reference, limit=verdict["limit"], above=key != "quality", label=said)


def _at(point: Json) -> datetime:
    return datetime.fromisoformat(point["at"])


def _row(point: Json) -> tuple[str, ...]:
    return tuple(_cells(point))


def _cells(point: Json) -> Iterator[str]:
    yield f"{_at(point):%H:%M:%S}"
    yield f"{point['requests']:,}"
    for name in _PAIR["latency"]:
        yield DASH if point.get(name) is None else f"{point[name]:,.0f}"
    for name in _PAIR["errors"]:
        yield DASH if point.get(name) is None else percent(point[name], 2)
    yield DASH if point.get("quality") is None else signed(point["quality"])


def _policy(policy: Json) -> tuple[str, str, str, str]:
    kind, word = ("fail", "Violated") if policy["violated"] else ("pass", "Met")
    if policy["dry"]:
        kind, word = "skip", f"{word}, dry"
    return kind, word, policy["name"], " ".join(policy["reasons"])
