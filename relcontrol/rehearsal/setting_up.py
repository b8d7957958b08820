"""What every failure begins with, by the API alone: slices, a suite, prompts, releases, results, overrides."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from relcontrol.rehearsal.samples import Graded
from relcontrol.rehearsal.world import DANIEL, MARA, PIPELINE, Reply, Row, World, expect, must

ROUTING: Final = {"domain": "legal"}
MODEL: Final = "hf:Divinci-AI/gemma-4-e2b@a7c91f"
JUDGE: Final = "external:legal-judge@9"
REASON: Final = "Belgian clients need the corrected limitation periods before 1 December; IP questions go by hand."
COMMENT: Final = "The deadline is real; approved while the router blocks IP questions."
WITHIN: Final = timedelta(minutes=3)


def slices_and_suite(world: World, slices: Sequence[Row], cases: Sequence[Row]) -> None:
    """Slices of the world's application, and its suite."""
    for body in slices:
        expect(world.post(PIPELINE, "slices", {"application": world.application, **body}), 201)
    lines = "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases)
    answer = world.upload(PIPELINE, f"suites?name={world.suite}", lines)
    if answer.status == 202:
        key = answer.body["import_id"]
        world.until("the suite is imported", lambda: _over(world, f"suite-imports/{key}"), WITHIN)
    else:
        expect(answer, 201)


def artifact(world: World, ref: str, value: Mapping[str, Any]) -> Row:
    """An artifact of this name; what the API says of it."""
    made: Row = expect(world.post(PIPELINE, "artifacts", {"ref": ref, "value": value}), 201).body
    return made


def prompt(world: World, number: int, system: str = "") -> str:
    """The ref of the world's prompt in a version, which is made."""
    ref = f"{world.prompt}@v{number}"
    said = system or f"Answer, version {number}."
    artifact(world, ref, {"kind": "prompt_template", "system": said, "user": "{{ input }}"})
    return ref


def registration(world: World, **changes: Any) -> Row:
    """A body of POST /v1/releases; None leaves a field out."""
    body = {
        "application": world.application,
        "model_ref": MODEL,
        "prompt_template_ref": f"{world.prompt}@v1",
        "routing": ROUTING,
        "dataset_version": world.suite,
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def registered(world: World, **changes: Any) -> Row:
    """A release, as the API shows it after it was accepted."""
    made: Row = expect(world.post(PIPELINE, "releases", registration(world, **changes)), 201).body
    return made


def send(world: World, release: Row, results: Sequence[Row], **order: Any) -> Reply:
    """POST …/gate-runs?wait=10 with results that were made where the release is evaluated."""
    body = {"judge": JUDGE, "parity": release["bundle_sha256"], "results": list(results), **order}
    return world.post(PIPELINE, f"releases/{release['release_id']}/gate-runs?wait=10", body)


def judged(world: World, release: Row, results: Sequence[Row], **order: Any) -> Row:
    """The same, which must come to a verdict."""
    answer = send(world, release, results, **order)
    must(answer.status in {200, 202}, f"the results were refused: {answer.detail}")
    document: Row = answer.body
    if answer.status == 202:
        path = f"gate-runs/{document['gate_run_id']}"
        document = world.until("the gate run is over", lambda: _over(world, path), WITHIN)
    must(document["state"] == "done", f"the gate run was not carried out: {document}")
    return document


def state_of(world: World, release: Row) -> Row:
    """A release as the API shows it now."""
    found: Row = expect(world.get(PIPELINE, f"releases/{release['release_id']}"), 200).body
    return found


def ask_for_override(world: World, who: str, release: Row, body: Any) -> Reply:
    """POST …/override."""
    return world.post(who, f"releases/{release['release_id']}/override", body)


def overridden(world: World, release: Row, reason: str = REASON, **more: Any) -> Row:
    """Two people let a stopped release go; what the API says of the override."""
    body = {"forceGateOverride": True, "overrideReason": reason, **more}
    asked: Row = expect(ask_for_override(world, MARA, release, body), 201).body
    approved = world.post(DANIEL, f"overrides/{asked['override_id']}/approve", {"comment": COMMENT})
    active: Row = expect(approved, 200).body
    must(active["state"] == "active", f"two people agreed, and the override is {active['state']}")
    return active


def cases_of(slug: str, count: int) -> list[Row]:
    """That many cases of one slice."""
    return [
        {"case_id": f"{slug}-{number:04}", "slice": slug, "input": f"Question {number} on {slug}?"}
        for number in range(count)
    ]


def results_of(parts: Mapping[str, Graded], system: str) -> list[Row]:
    """A result with its own grade for every answer of every slice."""
    return [
        {
            "case_id": case["case_id"],
            "output": f"{system} on {case['case_id']}.",
            "score": score,
            "human_scores": [grade],
            "raters": ["rater-1"],
        }
        for slug, part in parts.items()
        for case, score, grade in zip(cases_of(slug, len(part.scores)), part.scores, part.grades, strict=True)
    ]


def _over(world: World, path: str) -> Row | None:
    found: Row = expect(world.get(PIPELINE, path), 200).body
    return None if found["state"] in {"queued", "running"} else found
