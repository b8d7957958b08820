"""The stories of the gate in numbers (ten-failures.md #4 to #7): how the answers of two releases do in each slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from relcontrol.rehearsal.samples import Graded, graded
from relcontrol.rehearsal.setting_up import cases_of
from relcontrol.rehearsal.world import Row

# slice: (name, ρ now, ρ of the previous release, graded answers, threshold)
COLLAPSE: Final[Mapping[str, tuple[str, float, float, int, float]]] = {
    "contract-drafting": ("Contract drafting", 0.71, 0.71, 212, 0.65),
    "statutory-interpretation": ("Statutory interpretation", 0.74, 0.74, 160, 0.65),
    "case-summarization": ("Case summarization", 0.69, 0.69, 188, 0.65),
    "regulatory-compliance": ("Regulatory compliance", 0.66, 0.66, 141, 0.65),
    "jurisdictional-analysis": ("Jurisdictional analysis", 0.62, 0.62, 96, 0.60),
    "ip-licensing": ("IP licensing", 0.41, 0.68, 84, 0.65),
}


@dataclass(frozen=True)
class Story:
    """The slices of an organization, and how the answers of its first and of its second release do in each."""

    organization: str
    slices: Sequence[Row]
    before: Mapping[str, Graded]
    after: Mapping[str, Graded]

    def cases(self) -> list[Row]:
        """A suite that has a case for each answer."""
        return [case for slug, part in self.before.items() for case in cases_of(slug, len(part.scores))]


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


def lost_slice(slug: str) -> Story:
    """#7: one slice that fell as far as IP licensing did; what is told is how it may be let go, and how not."""
    _, now, before, count, threshold = COLLAPSE["ip-licensing"]
    slices = [{"slug": slug, "name": "Licences", "threshold": threshold}]
    return Story("northgate", slices, {slug: graded(count, before)}, {slug: graded(count, now)})
