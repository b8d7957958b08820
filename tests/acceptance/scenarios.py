"""The release failures that Gate stops (ten-failures.md #3 to #7), each acted out by the API alone.

Every scenario sets an organization up, registers a release that is fine and one that is not, sends the results of both,
and returns what the gate said. What must follow from it stands in the tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from releases.models import Release
from tests.acceptance.samples import Graded, graded
from tests.factories import Api, api, person, person_token
from tests.gates.runs.stage import SUITE, Row, Stage, bare, cases_of
from tests.gates.scene import lines, post_suite

REASON = "Belgian clients need the corrected limitation periods before 1 December; IP questions go by hand."
COMMENT = "The deadline is real; approved while the router blocks IP questions."

# slice: (name, ρ now, ρ of the previous release, graded answers, threshold)
COLLAPSE: Mapping[str, tuple[str, float, float, int, float]] = {
    "contract-drafting": ("Contract drafting", 0.71, 0.71, 212, 0.65),
    "statutory-interpretation": ("Statutory interpretation", 0.74, 0.74, 160, 0.65),
    "case-summarization": ("Case summarization", 0.69, 0.69, 188, 0.65),
    "regulatory-compliance": ("Regulatory compliance", 0.66, 0.66, 141, 0.65),
    "jurisdictional-analysis": ("Jurisdictional analysis", 0.62, 0.62, 96, 0.60),
    "ip-licensing": ("IP licensing", 0.41, 0.68, 84, 0.65),
}


@dataclass
class Failure:
    """A release that its gate has stopped: the verdicts of it and of the release before it."""

    stage: Stage
    release: Release
    before: Row
    document: Row

    def slice(self, slug: str) -> Row:
        """What was found in one slice."""
        return next(each for each in self.document["slices"] if each["slice"] == slug)

    def state(self) -> Row:
        """The release as the API shows it now."""
        found: Row = self.stage.ci.get(f"releases/{self.release.pk}").json()
        return found

    def roll(self, **body: Any) -> Any:
        """POST …/roll."""
        return self.stage.ci.post(f"releases/{self.release.pk}/roll", {"strategy": "canary", **body})

    def override(self, client: Api, body: Any) -> Any:
        """POST …/override."""
        return client.post(f"releases/{self.release.pk}/override", body)


def organization_with(slices: Sequence[Row], cases: Sequence[Row], slug: str = "northgate") -> Stage:
    """Slices and suite by the API."""
    here = bare(slug)
    for body in slices:
        answer = here.ci.post("slices", body)
        assert answer.status_code == 201, answer.content
    answer = post_suite(here.ci, lines(cases), name=SUITE)
    assert answer.status_code == 201, answer.content
    return here


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


@dataclass(frozen=True)
class Story:
    """The slices of an organization, and how the answers of its first and of its second release do in each."""

    organization: str
    slices: Sequence[Row]
    before: Mapping[str, Graded]
    after: Mapping[str, Graded]

    def stage(self) -> Stage:
        """The organization, with a suite that has a case for each answer."""
        cases = [case for slug, part in self.before.items() for case in cases_of(slug, len(part.scores))]
        return organization_with(self.slices, cases, self.organization)


def failure_of(story: Story) -> Failure:
    """Two releases judged one after the other on sent results."""
    here = story.stage()
    first = here.judged(here.register(), results_of(story.before, "r1"))
    release = here.register()
    return Failure(here, release, first, here.judged(release, results_of(story.after, "r2")))


def ip_licensing_collapse() -> Story:
    """#4: five slices as they were, one fallen by 0.27, and a mean that says nothing of it."""
    slices = [
        {"slug": slug, "name": name, "threshold": threshold} for slug, (name, _, _, _, threshold) in COLLAPSE.items()
    ]
    before = {slug: graded(count, rho) for slug, (_, _, rho, count, _) in COLLAPSE.items()}
    after = {slug: graded(count, rho) for slug, (_, rho, _, count, _) in COLLAPSE.items()}
    return Story("northgate", slices, before, after)


def pediatric_oncology() -> Story:
    """#5: everything is better by four points, and the judge no longer ranks pediatric answers as doctors do."""
    names = {"oncology": "Oncology", "adult-oncology": "Adult oncology", "pediatric-oncology": "Pediatric oncology"}
    slices = [
        {"slug": slug, "name": name, "threshold": 0.68, "parent": None if slug == "oncology" else "oncology"}
        for slug, name in names.items()
    ]
    adults = graded(240, 0.80)
    before = {"adult-oncology": adults, "pediatric-oncology": graded(80, 0.72)}
    after = {"adult-oncology": adults.shifted(0.04), "pediatric-oncology": graded(80, 0.61).shifted(0.04)}
    return Story("hospital", slices, before, after)


def belgian_french() -> Story:
    """#6: French is better by three points on the whole, Belgian French worse by six and Swiss French by five."""
    names = {"french": "French", "belgian-french": "Belgian French", "swiss-french": "Swiss French"}
    slices = [
        {"slug": slug, "name": name, "threshold": 0.65, "parent": None if slug == "french" else "french"}
        for slug, name in names.items()
    ]
    sizes = {"french": 200, "belgian-french": 60, "swiss-french": 50}
    before = {
        "french": graded(200, 0.72),
        "belgian-french": graded(60, 0.74),
        "swiss-french": graded(50, 0.71),
    }
    gain = (0.03 * sum(sizes.values()) + 0.06 * 60 + 0.05 * 50) / 200
    after = {
        "french": before["french"].shifted(gain),
        "belgian-french": before["belgian-french"].shifted(-0.06),
        "swiss-french": graded(50, 0.71, seed=2).shifted(-0.05),
    }
    return Story("brussels", slices, before, after)


@dataclass
class Skew:
    """A release, the preprocessing that it serves with, and the one that its answers were evaluated with."""

    stage: Stage
    release: Release
    serves: str
    evaluated: str
    results: list[Row]


def preprocessing_skew() -> Skew:
    """#3: the evaluation tidies and lower-cases what it asks, the service does not."""
    here = organization_with([{"slug": "legal", "name": "Legal", "threshold": 0.65}], cases_of("legal", 40), "chambers")
    serves = _preprocessing(here, "preprocessing/plain@v1", [{"op": "unicode_nfc"}])
    steps = [{"op": "collapse_whitespace"}, {"op": "lowercase", "field": "input"}]
    evaluated = _preprocessing(here, "preprocessing/tidy@v1", steps)
    release = here.register(preprocessing_ref="preprocessing/plain@v1")
    return Skew(here, release, serves, evaluated, results_of({"legal": graded(40, 0.8)}, "r1"))


def _preprocessing(here: Stage, ref: str, steps: Sequence[Row]) -> str:
    value = {"kind": "preprocessing", "steps": list(steps)}
    answer = here.ci.post("artifacts", {"ref": ref, "value": value})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["sha256"])


def release_manager(here: Stage, name: str) -> Api:
    """Somebody who may ask for overrides and approve those of others."""
    address = f"{name}@{here.organization.slug}.example"
    return api(person_token(here.organization, person(here.organization, "release-manager", email=address)))
