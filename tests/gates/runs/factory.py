"""Rows of gate runs, made by hand: what pages and scorecards read, without judging anything."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from gates.models import GradedAnswer, Rating, Slice, Suite, SuiteCase
from gates.policies.definition import Definition
from gates.run_models import CaseDrop, CaseResult, GateRun, SliceResult
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Organization
from relcontrol.clock import now
from tests.factories import application
from tests.gates.runs.documents import COLLAPSE, candidate, document
from tests.gates.scene import lines

MANIFEST = "a" * 64
OLD = "Not under this agreement as written. A non-exclusive patent licence is personal to the licensee."
NEW = "Yes, in most cases. A non-exclusive patent licence is extended to the licensee's group."
QUESTION = "May the licensee's German subsidiary make the product?"
SUITE = "scored-qa-legal-v31"


def legal(owner: Organization) -> Application:
    """The application with the six slices of the collapse, and a suite with three cases on IP licensing."""
    actor = command_actor(owner)
    for slug, row in COLLAPSE.items():
        if not Slice.objects.filter(organization=owner, slug=slug).exists():
            create_slice(actor=actor, slug=slug, name=row[0], threshold=Decimal(str(row[3])))
    cases = [{"case_id": f"ip-{number:04}", "slice": "ip-licensing", "input": QUESTION} for number in (417, 233, 391)]
    carry_out(request_import(actor=actor, name=SUITE, body=lines(cases), file_format="jsonl"))
    return Application.objects.filter(organization=owner).first() or application(owner)


def gate_run(owner: Organization, found: dict[str, Any] | None = None, **changes: Any) -> GateRun:
    """A finished run of r128, by default the collapse; `changes` are columns."""
    of = Application.objects.filter(organization=owner).first() or legal(owner)
    told = document() if found is None else found
    number = GateRun.objects.filter(application=of).count() + 1
    columns: dict[str, Any] = {
        "state": GateRun.State.DONE,
        "verdict": told["verdict"],
        "document": told,
        "gate_run_sha256": f"{number:064x}",
        "results_sha256": "f" * 64,
        "finished_at": now(),
        **changes,
    }
    if columns["state"] != GateRun.State.DONE:
        columns |= {"verdict": "", "document": None, "gate_run_sha256": "", "finished_at": changes.get("finished_at")}
    row = GateRun(
        organization=owner,
        application=of,
        number=number,
        suite=Suite.objects.filter(organization=owner).latest("pk"),
        **{**_pinned(), **columns},
    )
    row.save(force_insert=True)
    if row.document:
        _slice_results(row)
    return row


def _pinned() -> dict[str, Any]:
    """What a run keeps of the rules, whatever it finds."""
    return {
        "manifest_sha256": MANIFEST,
        "candidate": candidate(),
        "order": {"judge": None, "scale": None, "parity": None, "branch": "main", "commit": "3f9c2ab41d07"},
        "policy": {"id": None, "revision": 3, "sha256": "e" * 64, "definition": Definition().as_json()},
        "slices": [],
        "slice_set_sha256": "5" * 64,
        "judges": dict.fromkeys(COLLAPSE, "9" * 64),
        "parity": "match",
        "body_sha256": "0" * 64,
        "requested_by": "tok_ci",
        "requested_by_label": "token ci",
        "requested_with": {"kind": "service", "auth": "token"},
        "created_at": now() - timedelta(minutes=13, seconds=8),
        "progress_done": 3,
        "progress_of": 3,
    }


def _slice_results(run: GateRun) -> None:
    for part in run.document["slices"] if run.document else ():
        row = Slice.objects.filter(organization=run.organization, slug=part["slice"]).first()
        answer = part["agreement"]
        if row and answer:
            SliceResult.objects.create(
                run=run,
                slice=row,
                verdict=part["verdict"],
                n=answer["n"],
                rho=answer["rho"],
                threshold=answer["threshold"],
                quality=part["quality"]["mean"],
                document=part,
            )


def with_answers(run: GateRun, *, texts: bool = True) -> GateRun:
    """Give a run its previous run, three drops with both answers, and experts' grades of the newer one."""
    previous = gate_run(run.organization, manifest_sha256="1" * 64, candidate=candidate(name="r127"))
    GateRun.objects.filter(pk=run.pk).update(previous_run=previous)
    run.refresh_from_db()
    drops = (("ip-0417", 38.0, 91.0, "regressed"), ("ip-0233", 47.0, 88.0, "flagged_unconfirmed"))
    for case_id, score, before, state in (*drops, ("ip-0391", 85.0, 86.0, "within_limit")):
        case = SuiteCase.objects.get(suite=run.suite, case_id=case_id)
        answers = ((run, "new", NEW, score, "states the opposite of the rule"), (previous, "old", OLD, before, None))
        for of, name, text, points, reason in answers:
            CaseResult.objects.create(
                run=of,
                case=case,
                answer_id=name,
                output=text if texts else None,
                score=points / 100,
                reason=reason,
                rescores=[0.4, 0.36],
            )
        numbers = {"score": score, "previous_score": before, "drop": before - score}
        CaseDrop.objects.create(run=run, case=case, slice=case.slice, state=state, **numbers)
    graded = GradedAnswer.objects.create(
        case=SuiteCase.objects.get(suite=run.suite, case_id="ip-0417"), answer_id="new"
    )
    for rater, grade in (("r1", 1), ("r2", 1), ("r3", 2)):
        Rating.objects.create(answer=graded, rater=rater, grade=grade)
    return run
