"""Held gate runs as rows of our own, a suite, and the people who may look at them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from gates.models import Slice, Suite
from gates.policies.selectors import policy_for
from gates.run_models import CaseDrop, CaseResult, GateRun
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Application, Token
from relcontrol.clock import now
from tests import factories
from tests.gates.scene import CASES, Scene, lines

MANIFEST = "a" * 64
REASON = "The two cases were checked by hand with the patent team; both answers are right."
MODEL = {"ref": "hf:northgate/legal-8b@rev1", "kind": "open_weights", "weights": None, "adapter": None}


@dataclass(frozen=True)
class Judged:
    """What a gate run is of."""

    application: Application
    suite: Suite


@dataclass(frozen=True)
class Reviews(Judged):
    """An organization with an application and a suite of two cases."""

    scene: Scene


def reviews(scene: Scene) -> Reviews:
    """What reviews are about."""
    application = factories.application(scene.organization)
    job = carry_out(request_import(actor=scene.actor, name="legal-v3", body=lines(CASES), file_format="jsonl"))
    assert job.suite
    return Reviews(application, job.suite, scene)


def question(verdict: str) -> dict[str, Any]:
    """One answer about a slice, as far as reviews read it."""
    return {"verdict": verdict, "reasons": [f"This was a {verdict}."]}


def slice_entry(slug: str, agreement: str, quality: str = "pass", change: str = "pass") -> dict[str, Any]:
    """One slice of a document."""
    answers = {"agreement": question(agreement), "quality": question(quality), "change": question(change)}
    verdicts = [agreement, quality, change]
    worst = next(each for each in ("fail", "insufficient", "review", "pass") if each in verdicts)
    return {"slice": slug, "name": slug.replace("-", " "), "verdict": worst, "reasons": ["Why."], **answers}


def missing_entry(slug: str) -> dict[str, Any]:
    """A slice that the run has nothing of."""
    nothing = dict.fromkeys(("agreement", "quality", "change"))
    return {"slice": slug, "name": slug, "verdict": "insufficient", "reasons": ["No results."], **nothing}


def limit(metric: str, verdict: str) -> dict[str, Any]:
    """One limit of a document."""
    return {"metric": metric, "verdict": verdict, "reasons": [f"{metric} came to {verdict}."]}


TWO_REVIEWS = (slice_entry("ip-licensing", "review"), slice_entry("contract-drafting", "pass"))


def held_run(
    here: Judged,
    *slices: dict[str, Any],
    limits: tuple[dict[str, Any], ...] = (limit("tokens", "review"),),
    floors: tuple[dict[str, Any], ...] = (),
    **changes: Any,
) -> GateRun:
    """A finished run with this document, held where nothing else is said."""
    number = GateRun.objects.filter(application=here.application).count() + 1
    document = {"slices": list(slices or TWO_REVIEWS), "floors": list(floors), "limits": list(limits)}
    row = GateRun(
        organization=here.application.organization,
        application=here.application,
        number=number,
        manifest_sha256=MANIFEST,
        candidate={"name": "r128", "release_id": "rel_0", "previous_name": "r127", "model": MODEL, "changes": []},
        order={},
        policy=policy_for(here.application.organization, here.application).as_json(),
        slices=[],
        slice_set_sha256="5" * 64,
        judges={},
        suite=here.suite,
        parity="match",
        body_sha256="b" * 64,
        state=GateRun.State.DONE,
        verdict=GateRun.Verdict.HOLD,
        gate_run_sha256=f"{number:064x}",
        document=document,
        requested_by="tok_ci",
        requested_by_label="ci",
        requested_with={},
        created_at=now(),
        finished_at=now(),
    )
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)
    return row


def with_answers(here: Reviews, run: GateRun, before: GateRun) -> None:
    """Both answers to case c1, which lost 40 points."""
    case = here.suite.cases.get(case_id="c1")
    for row, output in ((before, "Not as it is written."), (run, "Yes, in most cases.")):
        CaseResult.objects.create(run=row, case=case, answer_id="a", output=output, score=0.5)
    GateRun.objects.filter(pk=run.pk).update(previous_run=before)
    sliced = Slice.objects.get(organization=here.scene.organization, slug="ip-licensing")
    CaseDrop.objects.create(
        run=run, case=case, slice=sliced, score=50, previous_score=90, drop=40, state="flagged_unconfirmed"
    )


def reviewer(here: Reviews, *roles: str) -> Actor:
    """A person who may review and has just proved who she is."""
    return factories.person_actor(here.scene.organization, *(roles or ("domain-owner",)))


def by_token(actor: Actor, token_text: str, *, hours_old: int = 0) -> Actor:
    """The same person by a token of her own, made some hours ago."""
    token = Token.objects.get(public=token_text.removeprefix("rc_").partition(".")[0])
    made = now() - timedelta(hours=hours_old)
    return replace(actor, auth="token", token=token, session=token.public, proved_at=made)
