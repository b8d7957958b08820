"""What Gate stops (ten-failures.md #4 to #7): releases whose numbers in one slice say no, whatever the mean says."""

from dataclasses import dataclass
from typing import Any, Final

from relcontrol.rehearsal.setting_up import (
    COMMENT,
    REASON,
    ask_for_override,
    judged,
    prompt,
    registered,
    results_of,
    slices_and_suite,
    state_of,
)
from relcontrol.rehearsal.stopping import GATE, Stopped, head, newest_receipt, seconds_since
from relcontrol.rehearsal.stories import (
    COLLAPSE,
    Story,
    belgian_french,
    ip_licensing_collapse,
    lost_slice,
    pediatric_oncology,
)
from relcontrol.rehearsal.world import DANIEL, MARA, PIPELINE, Reply, Row, World, expect, must

ROLLS: Final[list[Row]] = [
    {"strategy": "canary"},
    {"strategy": "shadow"},
    {"strategy": "canary", "dwell_5pct_seconds": 240, "dwell_25pct_seconds": 900},
    {"strategy": "canary", "dry_run": True},
    {"strategy": "canary", "reason": "It is urgent, and I know what I am doing."},
]
WRONG_OVERRIDES: Final[list[Any]] = [
    {},
    {"forceGateOverride": True},
    {"overrideReason": REASON},
    {"forceGateOverride": True, "overrideReason": None},
    {"forceGateOverride": True, "overrideReason": ""},
    {"forceGateOverride": True, "overrideReason": "   \n\t  "},
    {"forceGateOverride": True, "overrideReason": " " * 40},
    {"forceGateOverride": True, "overrideReason": "ship it"},
    {"forceGateOverride": True, "overrideReason": "a" * 40},
    {"forceGateOverride": True, "overrideReason": "." * 40},
    {"forceGateOverride": True, "overrideReason": "ok ok ok ok ok ok ok ok"},
    {"forceGateOverride": True, "overrideReason": 12345678901234567890123},
    {"forceGateOverride": True, "overrideReason": [REASON]},
    {"forceGateOverride": True, "overrideReason": {"text": REASON}},
    {"forceGateOverride": False, "overrideReason": REASON},
    {"forceGateOverride": None, "overrideReason": REASON},
    {"forceGateOverride": "true", "overrideReason": REASON},
    {"forceGateOverride": "yes", "overrideReason": REASON},
    {"forceGateOverride": 1, "overrideReason": REASON},
    {"forceGateOverride": [True], "overrideReason": REASON},
    {"force_gate_override": True, "override_reason": REASON},
    {"forceGateOverride": True, "overrideReason": REASON, "force": True},
]
FLAG_ALONE: Final = 1
WRONG_FORMS: Final = ({"overrideReason": REASON}, {"forceGateOverride": "on", "overrideReason": "ship it"})
ARCHIVED: Final = "The gate has failed it, so it is archived"
SAME: Final = 1e-9


@dataclass
class Failure:
    """A release that its gate has stopped: the verdicts of the release before it and of it, which `took` seconds."""

    world: World
    release: Row
    before: Row
    document: Row
    took: float = 0.0

    def slice(self, slug: str) -> Row:
        """What was found in one slice."""
        return next(each for each in self.document["slices"] if each["slice"] == slug)

    def failed(self) -> list[str]:
        """The slices that failed."""
        return [each["slice"] for each in self.document["slices"] if each["verdict"] == "fail"]

    def state(self) -> Row:
        """The release as the API shows it now."""
        return state_of(self.world, self.release)

    def roll(self, **body: Any) -> Reply:
        """POST …/roll."""
        return self.world.post(PIPELINE, f"releases/{self.release['release_id']}/roll", {"strategy": "canary", **body})

    def override(self, who: str, body: Any) -> Reply:
        """POST …/override."""
        return ask_for_override(self.world, who, self.release, body)


def failure_of(world: World, story: Story) -> Failure:
    """Two releases judged one after the other on sent results."""
    slices_and_suite(world, story.slices, story.cases())
    first = registered(world, prompt_template_ref=prompt(world, 1))
    before = judged(world, first, results_of(story.before, "r1"))
    release = registered(world, prompt_template_ref=prompt(world, 2), previous_release=first["release_id"])
    began = world.now().timestamp()
    document = judged(world, release, results_of(story.after, "r2"))
    return Failure(world, release, before, document, seconds_since(world, began))


def collapse(world: World) -> Stopped:
    """#4: IP licensing falls by .27, and the mean of all slices would let it pass."""
    return collapse_is_stopped(failure_of(world, ip_licensing_collapse()))


def collapse_is_stopped(failure: Failure) -> Stopped:
    """#4: by the slice alone, and no way of rolling takes it."""
    rhos = {each["slice"]: round(each["agreement"]["rho"], 2) for each in failure.document["slices"]}
    must(rhos == {slug: now for slug, (_, now, *_) in COLLAPSE.items()}, f"the agreement found is {rhos}")
    change = round(failure.slice("ip-licensing")["agreement"]["change"], 2)
    mean = round(failure.document["aggregate"]["mean_of_slices"], 2)
    must((change, mean) == (-0.27, 0.64), f"IP licensing changed by {change}, and the mean is {mean}")
    must(failure.failed() == ["ip-licensing"], f"failed have {failure.failed()}")
    own = failure.slice("jurisdictional-analysis")["agreement"]["reasons"]
    must(any("at the usual 0.65 it would fail" in reason for reason in own), "a lower own threshold is not said")
    nothing_rolls(failure)
    tried = f"IP licensing from .68 to .41, the mean of the slices {mean:.2f}".replace("0.", ".")
    return stopped_by_gate(failure, tried, "ip-licensing")


def nothing_rolls(failure: Failure) -> None:
    """No way of rolling takes the release, each says why, and nothing has changed after all of them."""
    state = failure.state()
    for body in ROLLS:
        answer = failure.roll(**body)
        if body.get("dry_run"):
            must(answer.body.get("would_start") is False, "a dry run would start it")
            said = answer.body["why_not"][0]
        else:
            said = expect(answer, 409, "not_deployable").detail
        must(ARCHIVED in said, f"the refusal does not say why: {said}")
    page = f"releases/{failure.release['release_id']}/roll/"
    shown = expect(failure.world.submit(MARA, page, {}), 409)
    must(ARCHIVED in shown.body, "the page does not say why it refuses")
    must(failure.state() == state, "a refused roll changed the release")


def oncology(world: World) -> Stopped:
    """#5: four points more on the whole, and the judge no longer ranks pediatric answers as doctors do."""
    return oncology_is_stopped(failure_of(world, pediatric_oncology()))


def oncology_is_stopped(failure: Failure) -> Stopped:
    """#5: by the judge's agreement with experts on children."""
    gain = failure.slice("oncology")["change"]["mean_difference"]
    must(abs(gain - 0.04) < SAME, f"the whole gained {gain}")
    agreement = failure.slice("pediatric-oncology")["agreement"]
    found = tuple(round(agreement[name], 2) for name in ("previous_rho", "rho", "threshold"))
    must(found == (0.72, 0.61, 0.68), f"pediatric oncology was, is and needs {found}")
    must(failure.failed() == ["pediatric-oncology"], f"failed have {failure.failed()}")
    expect(failure.roll(), 409, "not_deployable")
    return stopped_by_gate(failure, "accuracy up 4 points, pediatric oncology from .72 to .61", "pediatric-oncology")


def french(world: World) -> Stopped:
    """#6: French better by three points, Belgian French worse by six, Swiss French by five."""
    return french_is_stopped(failure_of(world, belgian_french()))


def french_is_stopped(failure: Failure) -> Stopped:
    """#6: by the child slice; an override with a written reason can be asked for, and the receipt has it."""
    found = [failure.slice(slug)["change"]["mean_difference"] for slug in ("french", "belgian-french", "swiss-french")]
    for difference, told in zip(found, (0.03, -0.06, -0.05), strict=True):
        must(abs(difference - told) < SAME, f"the slices changed by {found}")
    must(failure.slice("belgian-french")["change"]["evidence"] == "proven", "the drop is not proven")
    swiss = failure.slice("swiss-french")
    must((swiss["quality"]["verdict"], swiss["verdict"]) == ("pass", "review"), f"Swiss French: {swiss['verdict']}")
    must(failure.failed() == ["belgian-french"], f"failed have {failure.failed()}")
    stopped = stopped_by_gate(failure, "French up 3 points, Belgian French down 6", "belgian-french")
    expect(failure.override(MARA, {"forceGateOverride": True, "overrideReason": REASON}), 201)
    receipt = newest_receipt(failure.world, "override.requested", release=failure.release["manifest_sha256"])
    claim = claimed(failure.world, receipt)["override"]
    must(claim["reason"] == REASON and "belgian-french" in claim["slices"], "the override's receipt lacks the reason")
    return stopped


def override_without_a_reason(world: World) -> Stopped:
    """#7: one of the two fields, or a reason that is none; then both, and a second person."""
    return reason_is_needed(failure_of(world, lost_slice(f"{world.application}-licences")))


def reason_is_needed(failure: Failure) -> Stopped:
    """#7: each wrong form is refused by API and page and records nothing; both fields and a second person let it go."""
    world = failure.world
    before, began = head(world), world.now().timestamp()
    refused = [expect(failure.override(MARA, body), 422).detail for body in WRONG_OVERRIDES]
    took = seconds_since(world, began)
    for form in WRONG_FORMS:
        page = f"releases/{failure.release['release_id']}/override/"
        expect(world.submit(MARA, page, form), 422)
    must(head(world) == before, "a refused override left a receipt")
    must((failure.state()["standing"], failure.state()["delivery"]) == ("fail", "archived"), "it is not archived")
    _only_by_a_second_person(failure)
    receipt = newest_receipt(world, "gate.overridden", release=failure.release["manifest_sha256"])
    digest = claimed(world, receipt)["override"]["gate_override_sha256"]
    by = f"422 each, {len(WRONG_OVERRIDES)} times by the API and {len(WRONG_FORMS)} by the form: {refused[FLAG_ALONE]}"
    by += f" With both fields and a second person it passes: {digest[:12]}."
    tried = "the flag alone, a reason alone, an empty, a short and a blank reason"
    return Stopped(GATE, tried, by, took, "gate.overridden", receipt["receipt_hash"])


def _only_by_a_second_person(failure: Failure) -> None:
    asked = expect(failure.override(MARA, {"forceGateOverride": True, "overrideReason": REASON}), 201).body
    path = f"overrides/{asked['override_id']}/approve"
    expect(failure.world.post(MARA, path, {"comment": COMMENT}), 403)
    must(failure.state()["standing"] == "fail", "whoever asks approves herself")
    expect(failure.world.post(DANIEL, path, {"comment": COMMENT}), 200)
    state = failure.state()
    found = (state["standing"], state["delivery"], state["deployable"])
    must(found == ("overridden", "registered", True), f"after both agreed it is {found}")


def stopped_by_gate(failure: Failure, tried: str, slug: str) -> Stopped:
    """What the gate's own receipt says of the slice that stopped it."""
    must(failure.document["verdict"] == "gate_fail", f"the verdict is {failure.document['verdict']}")
    receipt = newest_receipt(failure.world, "gate.failed", release=failure.release["manifest_sha256"])
    worst = next(each for each in claimed(failure.world, receipt)["inputs"] if each.get("slice") == slug)
    must(worst["verdict"] == "fail", f"the receipt says {worst} of {slug}")
    return Stopped(GATE, tried, failure.document["reasons"][0], failure.took, "gate.failed", receipt["receipt_hash"])


def claimed(world: World, receipt: Row) -> Row:
    """The decision in a receipt's statement."""
    found = expect(world.get(PIPELINE, f"receipts/{receipt['receipt_hash']}"), 200).body
    decision: Row = found["statement"]["predicate"]["decision"]
    return decision
