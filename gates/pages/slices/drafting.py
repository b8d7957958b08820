"""What stands beside the form of a slice and changes while one types (ui.md screen 8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gates.models import Slice
from gates.pages.slices.badges import drafted_badge
from gates.pages.slices.charts import backtest_chart
from gates.slices.drafts import (
    DRAFTS_TESTED_ON,
    Draft,
    family,
    gauges,
    passed_then,
    provable_shortfall,
    reading,
)
from gates.slices.history import Cases, counted_cases, newest_points, newest_sizes, points_of
from gates.slices.points import Point
from gates.slices.services import slice_in, slice_tree
from gates.statistics.limits import shown
from gates.statistics.policies import Policy
from gates.statistics.rules import HIGHEST_THRESHOLD
from relcontrol.accounts.models import Organization
from relcontrol.clock import now

NO_CASES = "in any suite"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an organization's slices today, and of the one that is drafted."""

    tree: list[tuple[Slice, int]]
    target: Slice | None
    point: Point | None
    sizes: Mapping[str, int]
    cases: Mapping[str, Cases]

    def counted(self, row: Slice | None) -> tuple[int, str]:
        """How many cases a slice has today, and where they were counted."""
        if row is not None and self.sizes.get(row.pk):
            return self.sizes[row.pk], f"graded answers in the gate run of {self.point.release}" if self.point else ""
        cases = self.cases.get(row.slug) if row else None
        return (cases.count, f"cases in the suite {cases.suite}") if cases else (0, NO_CASES)


def evidence_of(organization: Organization, slug: str) -> Evidence:
    """The tree with what was last found in it; a draft of a new slice has no slug."""
    tree = slice_tree(organization)
    target = slice_in(tree, slug) if slug else None
    point = newest_points([target]).get(target.pk) if target else None
    sizes = newest_sizes(row for row, _ in tree)
    return Evidence(tree, target, point, sizes, counted_cases(organization, tree))


def drafting_context(evidence: Evidence, given: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the draft changes. `given` is what could be read of the form, or the slice's own fields."""
    target, point, application = evidence.target, evidence.point, given.get("application") or None
    draft = _draft(evidence, target, given)
    together = [draft, *_others(evidence, target, application)]
    points = points_of(target, releases=DRAFTS_TESTED_ON, application=application) if target else []
    sentence, gap = reading(draft), provable_shortfall(draft)
    return {
        "draft": draft,
        "sentence": sentence,
        "announced": "".join(text for text, _ in sentence),
        "gauges": gauges(draft),
        "gap": None if gap is None else shown(gap),
        "chances": [(shown(margin), round(100 * chance)) for margin, chance in family(together)],
        "judged_count": len(together),
        "point": point,
        "badge": drafted_badge(target, draft.judge, point, now()),
        "badge_judge": draft.judge or (point.judge if point else ""),
        "backtest": backtest_chart(draft, points) if points else None,
        "passed_then": passed_then(draft, points),
    }


def _draft(evidence: Evidence, target: Slice | None, given: Mapping[str, Any]) -> Draft:
    cases, counted = evidence.counted(target)
    return Draft(
        name=given.get("name") or (target.name if target else "this slice"),
        threshold=_within(given.get("threshold"), HIGHEST_THRESHOLD, above=0.0),
        floor=_within(given.get("quality_floor"), 1.0),
        policy=Policy(given.get("policy") or Policy.POINT),
        n_min=given.get("n_min") or 20,
        judge=given.get("judge") or "",
        cases=cases,
        counted=counted,
    )


def _within(value: Decimal | None, highest: float, above: float = -1.0) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and above < number <= highest else None


def _others(evidence: Evidence, target: Slice | None, application: str | None) -> list[Draft]:
    """The rules that hold for the other slices which are judged in the same gate runs."""
    rows = [row for row, _ in evidence.tree if row != target and row.threshold is not None]
    together = [
        row for row in rows if not application or row.application is None or row.application.slug == application
    ]
    return [_held(evidence, row) for row in together]


def _held(evidence: Evidence, row: Slice) -> Draft:
    fields = {name: getattr(row, name) for name in ("name", "threshold", "quality_floor", "policy", "n_min", "judge")}
    return _draft(evidence, row, fields)
