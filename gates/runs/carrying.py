"""Carrying a gate run over to a rebased manifest: the same bundle on the same suite, by the same slices and judges.

A rebase changes only what a release is compared with, so what was found of its answers still holds, and is not asked
for again; nor can a failure be left behind that way. The new run has a digest of its own and names where it came from.
"""

from dataclasses import replace

from audit.events import Event
from audit.receipts import append
from gates.run_models import GateRun, SliceResult
from gates.runs.candidate import Candidate
from gates.runs.digests import gate_run_digest, without_floats
from gates.runs.recording import run_state, verdict_record
from gates.runs.selectors import deciding_runs
from gates.slices.services import slice_set_digest
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application
from relcontrol.clock import now


def carried_run(*, actor: Actor, candidate: Candidate) -> GateRun | None:
    """The run of the candidate's bundle as a run of the candidate; None where none holds under the rules of now.

    The caller holds the application's row and appends the receipt with `append_carried`, last.
    """
    source = _source(actor, candidate)
    if source is None:
        return None
    application = Application.objects.select_for_update(no_key=True).get(pk=candidate.application.pk)
    application.gate_run_count += 1
    application.save(update_fields=["gate_run_count"])
    run = _copy(actor, candidate, source, application.gate_run_count)
    run.save(force_insert=True)
    rows = SliceResult.objects.filter(run=source)
    columns = ("slice_id", "verdict", "n", "rho", "threshold", "quality", "document")
    SliceResult.objects.bulk_create([SliceResult(run=run, **values) for values in rows.values(*columns)])
    return run


def append_carried(actor: Actor, run: GateRun) -> None:
    """The receipt of a carried run."""
    source = run.carried_from.gate_run_sha256 if run.carried_from else None
    state = run_state(run) | {"carried_from": source}
    run.receipt_hash = append(actor, replace(verdict_record(run), event=Event.GATE_CARRIED, state=state)).receipt_hash
    run.save(update_fields=["receipt_hash"])


def _source(actor: Actor, candidate: Candidate) -> GateRun | None:
    """The newest run that decided on this bundle and its suite, if slices and judges are still the same."""
    rows = deciding_runs(actor.organization).filter(
        application=candidate.application,
        candidate__bundle_sha256=candidate.bundle_sha256,
        suite__sha256=candidate.manifest["dataset"],
    )
    source = rows.exclude(manifest_sha256=candidate.manifest_sha256).first()
    same = source and source.slice_set_sha256 == slice_set_digest(actor.organization, candidate.application)
    return source if same else None


def _copy(actor: Actor, candidate: Candidate, source: GateRun, number: int) -> GateRun:
    at = now()
    run = GateRun(
        organization=source.organization,
        application=candidate.application,
        number=number,
        manifest_sha256=candidate.manifest_sha256,
        previous_manifest_sha256=candidate.previous_manifest_sha256,
        candidate=candidate.as_json(),
        suite=source.suite,
        carried_from=source.carried_from or source,
        previous_run=source.previous_run,
        state=GateRun.State.DONE,
        requested_by=actor.id,
        requested_by_label=actor.label,
        requested_with={},
        created_at=at,
        finished_at=at,
    )
    for name in (
        *("order", "policy", "slices", "slice_set_sha256", "judges", "parity", "body_sha256", "results_sha256"),
        *("ratings_sha256", "verdict", "document", "progress_done", "progress_of"),
    ):
        setattr(run, name, getattr(source, name))
    run.gate_run_sha256 = gate_run_digest(
        manifest_sha256=run.manifest_sha256,
        previous_release=run.previous_manifest_sha256,
        suite=run.suite.sha256,
        ratings=run.ratings_sha256,
        slice_set=run.slice_set_sha256,
        judges=run.judges,
        results=run.results_sha256,
        parity=run.parity,
        policy=run.policy["sha256"],
        verdicts=without_floats(run.document),
    )
    return run
