"""An organization whose releases are judged: slices with thresholds, a suite, releases on one route, results.

Scores and grades are made so that agreement is exactly what a test asks for: grades are a ranking, and the judge's
ranking differs from it by swapped neighbours. No chance is involved.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from audit import verify
from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Application, Organization
from relcontrol.jobs.models import LeasedJob
from releases.artifacts import create_artifact
from releases.models import Release
from tests.factories import Api, api, application, organization, person, person_token, service_token
from tests.releases.scene import PROMPT_VALUE, stable

JUDGE = "external:legal-judge@9"
SUITE = "scored-qa-legal-v3"
Row = dict[str, Any]


@dataclass
class Stage:
    """The organization, a client with every scope of a pipeline, and the releases that were registered."""

    organization: Organization
    application: Application
    actor: Actor
    ci: Api
    releases: list[Release] = field(default_factory=list)

    def register(self, **changes: Any) -> Release:
        """The next release of the route, one prompt further; the one before it becomes what the route serves."""
        number = len(self.releases) + 1
        ref = f"templates/legal-qa@v{number}"
        create_artifact(actor=self.actor, ref=ref, value=PROMPT_VALUE | {"system": f"Answer, version {number}."})
        body: Row = {
            "model_ref": "hf:Divinci-AI/gemma-4-e2b@a7c91f",
            "prompt_template_ref": ref,
            "routing": {"domain": "legal"},
            "dataset_version": SUITE,
        }
        if self.releases:
            stable(self.releases[-1].pk)
            body["previous_release"] = self.releases[-1].pk
        answer = self.ci.post("releases", body | changes)
        assert answer.status_code == 201, answer.content
        release = Release.objects.get(pk=answer.json()["release_id"])
        self.releases.append(release)
        return release

    def send(self, release: Release, results: Sequence[Row], /, **order: Any) -> Any:
        """POST …/gate-runs?wait=10."""
        body = {"judge": JUDGE, "parity": release.bundle_sha256, "results": list(results)} | order
        given = {name: value for name, value in body.items() if value is not None}
        return self.ci.post(f"releases/{release.pk}/gate-runs?wait=10", given)

    def judged(self, release: Release, results: Sequence[Row], /, **order: Any) -> Row:
        """The same, which must come to a verdict."""
        answer = self.send(release, results, **order)
        assert answer.status_code == 200, answer.content
        document: Row = answer.json()
        assert document["state"] == LeasedJob.State.DONE
        return document

    def person(self, *roles: str) -> Api:
        """A client with the token of somebody with these roles."""
        return api(person_token(self.organization, person(self.organization, *roles)))

    def events(self) -> list[str]:
        """The names of all receipts, in order."""
        return list(
            Receipt.objects.filter(organization=self.organization).order_by("seq").values_list("event", flat=True)
        )

    def last_statement(self) -> Row:
        """The predicate of the newest receipt, accepted by the auditor's verifier."""
        row = Receipt.objects.filter(organization=self.organization).latest("seq")
        return verify.verify_envelope(envelope_of(row), trust_document(self.organization)).predicate


def bare(slug: str = "northgate") -> Stage:
    """An organization with one application, and nothing to judge it by yet."""
    owner = organization(slug)
    made = application(owner)
    scopes = ("releases:write", "gates:write", "overrides:write", "rollouts:write", "audit:read")
    return Stage(owner, made, command_actor(owner), api(service_token(owner, *scopes)))


def stage(
    slices: Mapping[str, Mapping[str, Any]], cases: Sequence[Row], slug: str = "northgate", **suite: str
) -> Stage:
    """An organization with these slices (slug to fields) and a suite of these cases."""
    here = bare(slug)
    for name, fields in slices.items():
        numbers = {key: Decimal(fields[key]) for key in ("threshold", "quality_floor") if fields.get(key)}
        create_slice(actor=here.actor, slug=name, **{**fields, **numbers})
    lines = "\n".join(json.dumps(case) for case in cases).encode()
    scale = (1.0, 5.0) if suite.get("grade_scale") else None
    job = carry_out(request_import(actor=here.actor, name=SUITE, body=lines, file_format="jsonl", scale=scale))
    assert job.state == LeasedJob.State.DONE, job.problem
    return here


def cases_of(slug: str, count: int) -> list[Row]:
    """That many cases of one slice."""
    return [
        {"case_id": f"{slug}-{number:04}", "slice": slug, "input": f"Question {number} on {slug}?"}
        for number in range(count)
    ]


def results_of(
    cases: Sequence[Row], scores: Sequence[float | None], grades: Sequence[float] = (), system: str = "a"
) -> list[Row]:
    """One result for each case; with grades each answer is graded by one person."""
    rows: list[Row] = [
        {"case_id": case["case_id"], "output": f"{system} answers {case['case_id']}.", "score": score}
        for case, score in zip(cases, scores, strict=True)
    ]
    for row, grade in zip(rows, grades, strict=False):
        row["human_scores"] = [grade]
    return rows


def ramp(count: int, low: float = 0.0, high: float = 1.0) -> list[float]:
    """Evenly spaced values from low to high."""
    return [low + (high - low) * place / (count - 1) for place in range(count)]


def agreeing(count: int, rho: float) -> tuple[list[float], list[float]]:
    """Scores and grades of `count` answers whose Spearman ρ is as near to `rho` as swapping pairs can bring it.

    Grades rise from 0 to 1. Scores are the same values in another order: pairs at the ends change places as long as
    ρ stays at or above `rho`. Exactly: a swap of the ranks i and j takes 12 (i − j)² / (n³ − n) from ρ, twice halved.
    """
    order = list(range(count))
    taken, unit = 0.0, 6 / (count**3 - count)
    wanted = 1 - rho
    for distance in range(count - 1, 0, -1):
        for left in range(count - distance):
            right = left + distance
            if order[left] == left and order[right] == right:
                cost = unit * 2 * distance**2
                if taken + cost <= wanted + 1e-12:
                    order[left], order[right] = right, left
                    taken += cost
    values = ramp(count)
    return [values[place] for place in order], values
