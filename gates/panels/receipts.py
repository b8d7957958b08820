"""Receipts of panels. They say how many, never who or what: whoever grades may read receipts too."""

from collections.abc import Mapping
from typing import Any

from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from gates.panel_models import Panel
from relcontrol.accounts.actors import Actor


def record(actor: Actor, panel: Panel, outcome: str, facts: Mapping[str, Any]) -> Receipt:
    """Append what was decided on a panel, in the transaction of the decision."""
    state = {
        "id": panel.pk,
        "name": panel.name,
        "state": str(panel.state),
        "source": panel.source,
        "scale": [f"{end:g}" for end in panel.scale],
        **facts,
    }
    return append(
        actor, Record(event=Event.POLICY_CHANGED, outcome=outcome, kind="panel", name=panel.name, state=state)
    )
