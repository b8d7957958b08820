"""Requests that came in a moment ago, by what was asked, sent along, and for whom."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gates.slices.services import create_slice
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from releases.trace_models import Trace
from tests.releases.traces.samples import stored, trace_row

MINUTE = timedelta(minutes=1)


def asked(owner: Organization, text: str = "Is it new?", *, ago: timedelta = MINUTE, **changes: Any) -> str:
    """Store one request; its id."""
    number = Trace.objects.filter(organization=owner).count() + 1
    fields = {"subject": f"user-{number}", "metadata": {}, "rollout": None, **changes}
    row = trace_row(number, started_at=(now() - ago).isoformat(), input=text, **fields)
    assert stored(owner, row, now=now()).accepted == 1
    return str(row["request_id"])


def slices(owner: Organization, **rules: Mapping[str, Any] | tuple[str, Mapping[str, Any]]) -> None:
    """Slices by slug: a rule, or a parent and a rule."""
    for slug, rule in rules.items():
        parent, match = rule if isinstance(rule, tuple) else (None, rule)
        create_slice(
            actor=command_actor(owner), slug=slug, name=slug.capitalize(), parent=parent, match=dict(match) or None
        )
