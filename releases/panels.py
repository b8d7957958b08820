"""Live traces for panels: sampled by chance, copied sealed under their subjects' keys, and opened for raters.

Raters see what was asked and what was answered. System messages are left out: their wording tells which release it was.
A copy lives as long as the key of its subject: erasing her, or the end of her last trace, makes it unreadable.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet

from gates.panels.assigning import shuffled
from gates.panels.sampling import TraceAnswer, TraceOrder
from gates.panels.texts import ItemTexts
from gates.rule_judge.judging import text_of
from relcontrol.clock import now
from releases.replays.pairing import opened_each
from releases.trace_models import Trace
from releases.traces.bodies import seal_bodies
from releases.traces.opened import Body, opened
from releases.traces.prompts import prompt_text
from releases.traces.selectors import NONE, SHADOW, traces_of

PER_SUBJECT: Final = 3
LOOKED_AT: Final = 20_000
OPENED_AT_ONCE: Final = 200
AGE: Final = timedelta(days=30)
TURNS: Final[Mapping[str, str]] = {"user": "User", "assistant": "Assistant"}


def sample_traces(order: TraceOrder) -> list[TraceAnswer]:
    """Answers that ended well and whose texts can be opened, at most three of one subject."""
    subjects: Counter[bytes] = Counter()
    return [answer for group in order.groups or (None,) for answer in _of_group(order, group, subjects)]


def open_texts(organization_id: str, sealed: Sequence[tuple[bytes, bytes]]) -> list[ItemTexts | None]:
    """What was sealed by `sample_traces`; None where the subject was erased or the copy does not open any more."""
    bodies = opened_each(organization_id, sealed)
    return [None if body is None else ItemTexts(body["input"], body["output"]) for body in bodies]


def _of_group(order: TraceOrder, group: frozenset[str] | None, subjects: Counter[bytes]) -> list[TraceAnswer]:
    taken: list[tuple[Trace, dict[str, str]]] = []
    for trace, texts in _candidates(order, group):
        subject = bytes(trace.subject)
        if subjects[subject] < PER_SUBJECT:
            subjects[subject] += 1
            taken.append((trace, texts))
        if len(taken) == order.count:
            break
    sealed = seal_bodies(order.organization.pk, [(bytes(trace.subject), texts) for trace, texts in taken])
    return [
        TraceAnswer(trace.slice, bytes(trace.subject), body, trace.trace_id, trace.started_at)
        for (trace, _), body in zip(taken, sealed, strict=True)
        if body  # nothing, where she was erased since
    ]


def _candidates(order: TraceOrder, group: frozenset[str] | None) -> Iterator[tuple[Trace, dict[str, str]]]:
    """Traces in an order by chance with their texts, opened so many at a time."""
    newest = _rows(order, group).values_list("trace_id", "started_at")[:LOOKED_AT]
    started = dict(newest)
    mixed = shuffled(started, order.seed, "traces")
    for first in range(0, len(mixed), OPENED_AT_ONCE):
        part = mixed[first : first + OPENED_AT_ONCE]
        times = [started[key] for key in part]
        rows = _rows(order, group).filter(trace_id__in=part, started_at__gte=min(times), started_at__lte=max(times))
        by_id = {row.trace_id: row for row in rows}
        traces = [by_id[key] for key in part if key in by_id]
        for trace, body in zip(traces, opened(order.organization.pk, traces), strict=True):
            if texts := _texts(body):
                yield trace, texts


def _rows(order: TraceOrder, group: frozenset[str] | None) -> QuerySet[Trace]:
    rows = traces_of(order.organization, error=NONE, since=now() - AGE).filter(body__isnull=False)
    rows = rows.exclude(arm=SHADOW)
    return rows if group is None else rows.filter(slice__in=group)


def _texts(body: Body) -> dict[str, str] | None:
    """What a rater sees; None where there is nothing to read, as in a body that does not open."""
    asked, answered = _asked(body.input), text_of(body.output)
    return {"input": asked, "output": answered} if asked.strip() and answered.strip() else None


def _asked(given: Any) -> str:
    """The conversation up to the answer; of a single message its text alone."""
    messages = given.get("messages") if isinstance(given, Mapping) else None
    turns = [
        (TURNS[entry["role"]], text)
        for entry in (messages if isinstance(messages, list) else ())
        if isinstance(entry, Mapping) and entry.get("role") in TURNS and (text := _said(entry))
    ]
    return "\n\n".join(f"{who}: {text}" for who, text in turns) if len(turns) > 1 else prompt_text(given)


def _said(message: Mapping[str, Any]) -> str:
    return prompt_text({"messages": [{"role": "user", "content": message.get("content")}]})
