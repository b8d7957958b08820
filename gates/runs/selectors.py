"""Reading gate runs: as lists, by name, the one that decides on a manifest, and what it found."""

import re
from collections.abc import Iterable
from typing import Final

from django.db.models import QuerySet

from gates.run_models import CaseDrop, CaseResult, GateRun
from gates.runs.gathering import source_of
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.errors import NotFound

OTHER_RUNS: Final = ("previous_run", "carried_from", "baseline")
LARGE_OF_BASELINE: Final = ("baseline__body", "baseline__document", "baseline__slices", "baseline__policy")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def runs_of(organization: Organization) -> QuerySet[GateRun]:
    """Gate runs of an organization, newest first, without the results as they came."""
    rows = GateRun.objects.filter(organization=organization).defer("body", *LARGE_OF_BASELINE)
    return rows.select_related("organization", "application", "suite", *OTHER_RUNS).order_by("-pk")


def run_named(organization: Organization, text: str) -> GateRun:
    """The run with this id (grn_…) or digest; of equal digests the newest."""
    if "\0" in text:
        raise NotFound("There is no such gate run here.")  # PostgreSQL keeps no text with it
    key = "gate_run_sha256" if _DIGEST.fullmatch(text) else "pk"
    return found(runs_of(organization), "gate run", **{key: text})


def open_baseline(run: GateRun) -> str | None:
    """The id of the run of the previous release that a run still waits for."""
    return run.baseline.pk if run.baseline is not None and not run.baseline.is_over else None


def runs_of_manifest(organization: Organization, manifest_sha256: str) -> QuerySet[GateRun]:
    """All runs of one manifest, newest first, dry ones too."""
    return runs_of(organization).filter(manifest_sha256=manifest_sha256)


def deciding_runs(organization: Organization) -> QuerySet[GateRun]:
    """Runs that decide: done and not dry. The newest of a manifest is the one that holds."""
    return runs_of(organization).filter(state=GateRun.State.DONE, dry_run=False)


def deciding_run(organization: Organization, manifest_sha256: str) -> GateRun | None:
    """The run that decides on a manifest."""
    return deciding_runs(organization).filter(manifest_sha256=manifest_sha256).first()


def drops_of(run: GateRun) -> QuerySet[CaseDrop]:
    """The cases whose score fell, largest drop first."""
    return (
        CaseDrop.objects.filter(run=source_of(run)).select_related("case", "slice").order_by("-drop", "case__case_id")
    )


def answers_of(run: GateRun, case_ids: Iterable[str]) -> dict[str, CaseResult]:
    """One answer of a run to each of these cases: the first by name, where there are several."""
    rows = CaseResult.objects.filter(run=source_of(run), case__case_id__in=list(case_ids)).select_related("case")
    return {row.case.case_id: row for row in rows.order_by("-answer_id")}
