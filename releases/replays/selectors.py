"""Reading pairs: those of a rollout, and with their answers opened for those who may read them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from relcontrol.accounts.models import Organization
from releases.replays.pairing import opened_each
from releases.replays.rendering import NotReplayableError, client_body
from releases.replays.scoring import SIDES
from releases.rollout_models import ReplayPair, Rollout
from releases.trace_models import Trace


def pairs_of(rollout: Rollout, *, state: str = "", slug: str = "") -> QuerySet[ReplayPair]:
    """The pairs of a rollout, newest first."""
    rows = ReplayPair.objects.filter(rollout=rollout).order_by("-pk")
    rows = rows.filter(state=state) if state else rows
    return rows.filter(slice=slug) if slug else rows


def opened_pairs(organization: Organization, pairs: Sequence[ReplayPair]) -> list[dict[str, Any]]:
    """Of each pair the prompt, both answers and what was found against them, in clear; None where they are gone.

    `findings` are those of the row, each with its `quote`. All pairs are of this organization.
    """
    bodies = _bodies(organization, pairs)
    subjects = [bytes(pair.subject) for pair in pairs]
    sealed = [bytes(pair.answers or b"") for pair in pairs]
    traced = [bodies.get((pair.trace_id, pair.trace_started_at), b"") for pair in pairs]
    both = opened_each(organization.pk, [*zip(subjects, sealed, strict=True), *zip(subjects, traced, strict=True)])
    return [
        _shown(pair, answers or {}, asked)
        for pair, answers, asked in zip(pairs, both[: len(pairs)], both[len(pairs) :], strict=True)
    ]


def _bodies(organization: Organization, pairs: Sequence[ReplayPair]) -> dict[tuple[str, datetime], bytes]:
    traces = Trace.objects.filter(
        organization=organization,
        trace_id__in=[pair.trace_id for pair in pairs],
        started_at__in=[pair.trace_started_at for pair in pairs],
    )
    return {(trace.trace_id, trace.started_at): bytes(trace.body or b"") for trace in traces}


def _shown(pair: ReplayPair, answers: Mapping[str, Any], traced: Any) -> dict[str, Any]:
    return {
        "messages": _messages(traced),
        **{side: answers.get(side) for side in SIDES},
        "findings": _quoted(pair.findings, answers.get("quotes") or ()),
    }


def _messages(traced: Any) -> Any:
    if not isinstance(traced, Mapping):
        return None
    try:
        return client_body(traced)["messages"]
    except NotReplayableError:
        return None


def _quoted(findings: Sequence[Mapping[str, str]], quotes: Sequence[str]) -> list[dict[str, str | None]]:
    known = [*quotes, *([None] * len(findings))]
    return [{**finding, "quote": quote} for finding, quote in zip(findings, known, strict=False)]
