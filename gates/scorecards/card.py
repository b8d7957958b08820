"""What a scorecard is made of: a finished run's document and the names around it. Pure but for `card_of`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates.run_models import GateRun
from relcontrol.errors import Conflict


@dataclass(frozen=True, slots=True)
class Card:
    """A run as it is printed; `link` is the address of its page."""

    document: Mapping[str, Any]
    application: str
    release: str
    previous: str | None
    number: int
    suite: str
    dry_run: bool
    manifest_sha256: str
    gate_run_sha256: str
    receipt_hash: str
    link: str


def card_of(run: GateRun, *, link: str) -> Card:
    """The card of a finished run; 409 of one that has no verdict."""
    if run.state != GateRun.State.DONE or run.document is None:
        raise Conflict(
            f"This gate run is {run.get_state_display().lower()} and has no verdict; ask again when its state is done.",
            code="gate_run_not_done",
            state={"state": run.state, "progress": {"done": run.progress_done, "of": run.progress_of}},
        )
    return Card(
        document=run.document,
        application=run.application.slug,
        release=run.release_name,
        previous=run.previous_name,
        number=run.number,
        suite=run.suite.name,
        dry_run=run.dry_run,
        manifest_sha256=run.manifest_sha256,
        gate_run_sha256=run.gate_run_sha256,
        receipt_hash=run.receipt_hash,
        link=link,
    )
