"""Traces in words: how a request ended, which arm answered it, what an answer says. Pure."""

import json
from collections.abc import Mapping
from typing import Any, Final

from gates.rule_judge.judging import text_of
from relcontrol.model_servers import outcomes
from relcontrol.web.words import number, percent
from releases.trace_models import Trace
from releases.traces.opened import State
from releases.traces.unassigned import MOST_COUNTED, RouteShare

# error -> (status of the design, its word; {status} is the HTTP status where it says more)
ENDS: Final = {
    outcomes.UPSTREAM_5XX: ("fail", "Upstream {status}"),
    outcomes.CONNECTION_FAILED: ("fail", "No connection"),
    outcomes.TIMEOUT: ("fail", "Timed out"),
    outcomes.STREAM_BROKEN: ("fail", "Stream broke off"),
    outcomes.UPSTREAM_DENIED: ("fail", "Denied upstream {status}"),
    outcomes.UPSTREAM_4XX: ("hold", "Upstream {status}"),
    outcomes.CLIENT_GONE: ("skip", "Client left"),
    outcomes.REFUSED: ("skip", "Refused here"),
}
GROUPS: Final = {outcomes.UPSTREAM_5XX: "5xx", outcomes.UPSTREAM_4XX: "4xx"}
ARMS: Final = {"stable": "Stable", "candidate": "Candidate", "shadow": "Shadow copy"}
NO_BODY: Final[Mapping[State, str]] = {
    "none": "Neither prompt nor answer was sent with this trace.",
    "erased": "Erased: the key of this subject was destroyed, so nobody can read it any more.",
    "damaged": "It does not open: it was changed after it was written, or belongs to another row.",
}
NO_ANSWER: Final = "There is no answer."


def ended(row: Trace) -> tuple[str, str]:
    """How a request ended, as a status and its word."""
    if row.error is None:
        return "pass", "Answered"
    kind, word = ENDS.get(row.error, ("hold", row.error.replace("_", " ").capitalize()))
    return kind, word.format(status=row.status or GROUPS.get(row.error, ""))


def end_words() -> list[tuple[str, str]]:
    """Every error with its words, as a select shows them."""
    return [(error, word.format(status=GROUPS.get(error, ""))) for error, (_, word) in ENDS.items()]


def says(output: Any) -> str:
    """What an answer says: its text, or else that it refused or called tools; nothing else is left out."""
    return (_said(output) if isinstance(output, Mapping) else text_of(output)) or NO_ANSWER


def _said(message: Mapping[str, Any]) -> str:
    if text := text_of(message):
        return text
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        return f"The model refused: {refusal}"
    if calls := message.get("tool_calls"):
        return f"It called tools: {json.dumps(calls, ensure_ascii=False, indent=2)}"
    return ""


def asked(prompt: Any) -> list[tuple[str, str]]:
    """Who said what in a prompt, in its order; a plain text is the user's."""
    if isinstance(prompt, str):
        return [("user", prompt)]
    messages = prompt.get("messages") if isinstance(prompt, Mapping) else None
    if not isinstance(messages, list):
        return []
    return [(str(entry.get("role", "")), _said(entry)) for entry in messages if isinstance(entry, Mapping)]


def settings_of(prompt: Any) -> dict[str, Any]:
    """What else the client sent with its messages."""
    return {name: value for name, value in prompt.items() if name != "messages"} if isinstance(prompt, Mapping) else {}


def share_words(share: RouteShare) -> str:
    """How many requests of the last hour belong to no slice, as a sentence."""
    found = share.unassigned
    if found.of == 1:
        return f"Its one request of the last hour belongs to {'no' if found.count else 'a'} slice."
    of = f"its {'newest ' if found.of >= MOST_COUNTED else ''}{number(found.of)} requests of the last hour"
    if not found.count:
        return f"Every one of {of} belongs to a slice."
    verb = "belongs" if found.count == 1 else "belong"
    return f"{number(found.count)} of {of} ({percent(found.share or 0)}) {verb} to no slice."


def title_of(row: Trace, who: str) -> str:
    """What became of a request."""
    took = "" if row.latency_ms is None else f"{number(row.latency_ms)} ms"
    if row.error is None:
        return f"{who} answered{took and f' in {took}'}."
    return f"{ended(row)[1]}{took and f' after {took}'}: {who}."
