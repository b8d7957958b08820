"""Gate runs as rows, as the run service writes them when it is done: enough of them to draw histories from."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from gates.models import Slice, Suite
from gates.run_models import GateRun, SliceResult
from gates.slices.services import slice_named
from gates.suites import carry_out, request_import
from relcontrol.accounts.models import Application
from relcontrol.clock import now
from tests.gates.scene import Scene, lines

JUDGE = "external:legal-judge@9"


def suite(northgate: Scene, cases: Mapping[str, int], name: str = "legal-v3") -> Suite:
    """A suite with so many cases of each slice."""
    rows = [
        {"case_id": f"{slug}-{number}", "slice": slug, "input": f"Question {number} on {slug}?"}
        for slug, count in cases.items()
        for number in range(count)
    ]
    job = carry_out(request_import(actor=northgate.actor, name=name, body=lines(rows), file_format="jsonl"))
    assert job.suite
    return job.suite


def judged(
    target: Slice,
    of: Suite,
    application: Application,
    number: int,
    rho: float | None,
    *,
    threshold: float = 0.65,
    n: int = 84,
    dry: bool = False,
    **agreement: Any,
) -> SliceResult:
    """The result of one slice in the gate run of release r<number>."""
    run = GateRun.objects.filter(application=application, number=number).first()
    run = run or _run(of, application, number, dry=dry)
    document = slice_document(target, rho, threshold, n, agreement)
    return SliceResult.objects.create(
        run=run,
        slice=target,
        verdict=document["verdict"],
        n=n,
        rho=rho,
        threshold=threshold,
        quality=document["quality"]["mean"],
        document=document,
    )


def slice_document(
    target: Slice, rho: float | None, threshold: float, n: int, agreement: Mapping[str, Any]
) -> dict[str, Any]:
    """What a run's document says of a slice (api.md "Shapes")."""
    verdict = "insufficient" if rho is None else "pass" if rho >= threshold else "fail"
    interval = None if rho is None else [rho - 0.09, min(1.0, rho + 0.07)]
    return {
        "slice": target.slug,
        "name": target.name,
        "judge": target.judge or JUDGE,
        "verdict": verdict,
        "evidence": "unproven",
        "cases": n,
        "reasons": [],
        "agreement": {
            "source": "own",
            "n": n,
            "graded": n,
            "rho": rho,
            "ci90": interval,
            "threshold": threshold,
            "policy": "point",
            "verdict": verdict,
            "reason": None,
            "ceiling": 0.84,
            "alpha": 0.79,
            "raters": 3,
            "age_days": None,
            "reasons": [],
        }
        | dict(agreement),
        "quality": {"n": n, "mean": 0.71, "ci90": [0.66, 0.76], "floor": 0.63, "verdict": "pass", "reasons": []},
        "change": None,
    }


def history(target: Slice, of: Suite, application: Application, rhos: Sequence[float | None], first: int) -> None:
    """One release after another, each judged once."""
    for number, rho in enumerate(rhos, start=first):
        judged(target, of, application, number, rho, threshold=0.60 if number < first + 6 else 0.65)


def ip_licensing(northgate: Scene, application: Application) -> Slice:
    """The slice of the mock-up, with its ten releases r119 to r128."""
    northgate.ci.patch("slices/ip-licensing", {"name": "IP licensing", "threshold": 0.6, "judge": JUDGE})
    northgate.ci.patch(
        "slices/ip-licensing",
        {"threshold": 0.65, "description": "Licences of patents, software, marks and copyright. Not infringement."},
    )
    northgate.ci.patch("slices/contract-drafting", {"threshold": 0.65, "judge": JUDGE})
    target = slice_named(northgate.organization, "ip-licensing")
    made = suite(northgate, {"ip-licensing": 84, "contract-drafting": 30})
    history(target, made, application, (0.70, 0.66, 0.69, 0.71, 0.61, 0.67, 0.66, 0.70, 0.68, 0.41), first=119)
    return target


def _run(of: Suite, application: Application, number: int, *, dry: bool) -> GateRun:
    at = now() - timedelta(days=max(0, 128 - number))
    return GateRun.objects.create(
        organization=application.organization,
        application=application,
        number=number,
        manifest_sha256=f"{number:064x}",
        candidate={"name": f"r{number}", "previous_name": f"r{number - 1}"},
        order={},
        policy={},
        slices=[],
        slice_set_sha256="0" * 64,
        judges={},
        suite=of,
        dry_run=dry,
        parity="match",
        body_sha256="0" * 64,
        state=GateRun.State.DONE,
        created_at=at,
        finished_at=at,
        requested_by="svc_x",
        requested_by_label="ci",
        requested_with={},
    )
