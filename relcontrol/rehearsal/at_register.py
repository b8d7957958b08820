"""What Register stops (ten-failures.md #1 to #3): changes that come together, an edit in a dashboard, other steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from relcontrol.rehearsal.lines import Line, first_served
from relcontrol.rehearsal.samples import graded
from relcontrol.rehearsal.setting_up import (
    MODEL,
    REASON,
    artifact,
    ask_for_override,
    cases_of,
    judged,
    prompt,
    registered,
    registration,
    results_of,
    send,
    slices_and_suite,
)
from relcontrol.rehearsal.stopping import GATE, REGISTER, Stopped, head, newest_receipt, seconds_since
from relcontrol.rehearsal.world import MARA, PIPELINE, Row, World, expect, must

OTHER_MODEL: Final = "hf:Divinci-AI/gemma-4-e4b@b81d02"
OTHER_ROUTING: Final = {"domain": "legal", "tier": "pro"}
TOGETHER: Final = ["model", "prompt_template", "routing"]
WORD: Final = "jurisdiction-and-limitation-conscious"
LIVE_PROMPT: Final = f"You are a careful, {WORD} assistant for lawyers."
EDITED_PROMPT: Final = LIVE_PROMPT.replace(f" {WORD}", "")
LEGAL: Final = {"slug": "legal", "name": "Legal", "threshold": 0.65}


def three_changes(world: World) -> Stopped:
    """#1: base model, system prompt and routing rule in one manifest."""
    slices_and_suite(world, [{**LEGAL, "slug": f"{world.application}-legal"}], _cases(world))
    prompt(world, 1)
    first = registered(world)
    changes = {"model_ref": OTHER_MODEL, "prompt_template_ref": prompt(world, 2), "routing": OTHER_ROUTING}
    changes |= {"previous_release": first["release_id"]}
    before, began = head(world), world.now().timestamp()
    refused = expect(world.post(PIPELINE, "releases", registration(world, **changes)), 422, "several_changes")
    took = seconds_since(world, began)
    must("model, prompt template and routing" in refused.detail, f"the three are not named: {refused.detail}")
    must(head(world) == before, "a refused registration left a receipt")
    accepted = registered(world, **changes, acknowledged_changes=TOGETHER)
    must([one["component"] for one in accepted["changes"]] == TOGETHER, f"accepted were {accepted['changes']}")
    _one_change_is_due(world, accepted)
    receipt = newest_receipt(world, "release.registered", release=accepted["manifest_sha256"])
    tried = "base model, system prompt and routing rule in one manifest"
    return Stopped(REGISTER, tried, refused.detail, took, "release.registered", receipt["receipt_hash"])


def _one_change_is_due(world: World, accepted: Row) -> None:
    """After several changes the next release on the same route changes one, whatever it acknowledges."""
    base = {"routing": OTHER_ROUTING, "model_ref": OTHER_MODEL, "prompt_template_ref": f"{world.prompt}@v2"}
    base |= {"previous_release": accepted["release_id"], "generation": {"temperature": 0.1}}
    two = {"model_ref": MODEL, "acknowledged_changes": ["generation", "model"]}
    expect(world.post(PIPELINE, "releases", registration(world, **base | two)), 422, "single_change_required")
    registered(world, **base)


def _cases(world: World) -> list[Row]:
    return cases_of(f"{world.application}-legal", 2)


def edit_in_a_dashboard(world: World) -> Stopped:
    """#2: one word less in the live prompt, by the page on which prompts are edited."""
    line = first_served(world, LIVE_PROMPT)
    began, live = world.now().timestamp(), line.serving()
    must(live, "the route serves nothing")
    page = f"prompts/{world.prompt}/edit"
    version = "v2"
    form = {"version": version, "system": EDITED_PROMPT, "user": "{{ input }}", "client_system": "append"}
    expect(world.submit(MARA, page, form), 200)
    made = expect(world.get(PIPELINE, f"artifacts/{world.prompt}@{version}"), 200).body
    took = seconds_since(world, began)
    was = expect(world.get(PIPELINE, f"artifacts/{world.prompt}@v1"), 200).body
    _is_another_artifact(was, made)
    must(line.serving() == live, "the edit changed what the route serves")
    _is_served_by_no_way(world, line, f"{world.prompt}@{version}")
    must(line.serving() == live, "to register the edit changed what the route serves")
    receipt = newest_of_artifacts(world)
    by = (
        f"A new artifact, {made['sha256'][:12]} in place of {was['sha256'][:12]}; the route serves "
        f"{line.releases[0]['manifest_sha256'][:12]} as before, and no release with the edit rolls before its gate."
    )
    tried = f"one word, {len(LIVE_PROMPT) - len(EDITED_PROMPT)} characters, out of the live prompt"
    return Stopped(REGISTER, tried, by, took, receipt["event"], receipt["receipt_hash"])


def _is_another_artifact(was: Row, made: Row) -> None:
    shorter = len(was["value"]["system"]) - len(made["value"]["system"])
    must(shorter == 38, f"the edit is {shorter} characters shorter, not 38")
    must(made["sha256"] != was["sha256"], "the edit has the digest of what it was made from")


def _is_served_by_no_way(world: World, line: Line, ref: str) -> None:
    edited = registered(
        world, model_ref=line.model_ref, prompt_template_ref=ref, previous_release=line.releases[-1]["release_id"]
    )
    must([one["component"] for one in edited["changes"]] == ["prompt_template"], f"{edited['changes']} changed")
    expect(world.post(MARA, f"releases/{edited['release_id']}/roll", {"strategy": "canary"}), 409, "not_deployable")


def newest_of_artifacts(world: World) -> Row:
    """The newest receipt of an artifact; artifacts belong to no application."""
    rows: list[Row] = expect(world.get(PIPELINE, "receipts", event="artifact.created"), 200).body["results"]
    return next(row for row in rows if f"{world.prompt}@v2" in row["subject"])


@dataclass
class Skew:
    """A release, the preprocessing that it serves with, and the one that its answers were evaluated with."""

    world: World
    release: Row
    serves: str
    evaluated: str
    results: list[Row]


def preprocessing_skew(world: World) -> Skew:
    """#3: the evaluation tidies and lower-cases what it asks, the service does not."""
    slices_and_suite(world, [LEGAL], cases_of("legal", 40))
    prompt(world, 1)
    plain, tidy = (f"preprocessing/{world.application}-{name}@v1" for name in ("plain", "tidy"))
    serves = _preprocessing(world, plain, [{"op": "unicode_nfc"}])
    steps = [{"op": "collapse_whitespace"}, {"op": "lowercase", "field": "input"}]
    evaluated = _preprocessing(world, tidy, steps)
    release = registered(world, model_ref=MODEL, preprocessing_ref=plain)
    return Skew(world, release, serves, evaluated, results_of({"legal": graded(40, 0.8)}, "r1"))


def _preprocessing(world: World, ref: str, steps: Sequence[Row]) -> str:
    return str(artifact(world, ref, {"kind": "preprocessing", "steps": list(steps)})["sha256"])


def skew(world: World) -> Stopped:
    """#3: acted out and refused."""
    return skew_is_refused(preprocessing_skew(world))


def skew_is_refused(skew: Skew) -> Stopped:
    """#3: refused with both fingerprints, covered by no override, accepted as it is served."""
    world = skew.world
    before, began = head(world), world.now().timestamp()
    refused = expect(send(world, skew.release, skew.results, parity=skew.evaluated), 422, "parity_mismatch")
    took = seconds_since(world, began)
    for fingerprint in (skew.serves, skew.evaluated):
        must(fingerprint in refused.detail, f"the fingerprint {fingerprint[:12]} is not shown: {refused.detail}")
    must(head(world) == before, "refused results left a receipt")
    body = {"forceGateOverride": True, "overrideReason": REASON}
    expect(ask_for_override(world, MARA, skew.release, body), 409, "nothing_to_override")
    document = judged(world, skew.release, skew.results, parity=skew.serves)
    must(document["parity"] == "match", f"what serves was evaluated, and parity is {document['parity']}")
    tried = "answers that were evaluated with other preprocessing than serves"
    receipt = head(world)
    return Stopped(GATE, tried, refused.detail, took, receipt["event"], receipt["receipt_hash"])
