"""How well the experts of a closed panel agree: in words, each with the others, and slice by slice (R10)."""

from dataclasses import dataclass
from typing import Any

from gates.pages.panels.wording import agreement_words
from gates.panel_models import Panel
from gates.panels.agreement import PanelReliability, reliability
from gates.statistics.calibration import LOWEST_ALPHA
from gates.statistics.limits import meets, shown
from gates.statistics.reliability import Reliability
from relcontrol.web.pages import PageRequest

NOT_KNOWN = "–"
FEWEST_FOR_OTHERS = 3


@dataclass(frozen=True, slots=True)
class SliceLine:
    """The numbers of one slice."""

    name: str
    slug: str
    n: int
    raters: int
    alpha: str
    ceiling: str
    firm: bool


def reliability_context(request: PageRequest, row: Panel) -> dict[str, Any]:
    """The parts of the page that say how far raters agree."""
    found = reliability(actor=request.actor, panel=row)
    whole = found.reliability
    return {
        "reliability": found,
        "agreement_words": agreement_words(whole.alpha),
        "reliability_facts": [
            ("Answers with a grade", f"{found.n:,}"),
            ("Raters", f"{whole.raters:,}"),
            ("Krippendorff’s α", _number(whole.alpha)),
            ("ICC(C,k) of ranks", _number(whole.icc.c_panel if whole.icc else None)),
            ("Human ceiling", _ceiling(whole)),
        ],
        "rater_lines": [(each.label, each.n, _number(each.rho)) for each in found.raters],
        "few_raters": whole.raters < FEWEST_FOR_OTHERS,
        "slice_lines": _slices(found),
    }


def _slices(found: PanelReliability) -> list[SliceLine]:
    if len(found.slices) < 2:
        return []
    return [
        SliceLine(
            name=each.slice.name if each.slice else "no slice",
            slug=each.slice.slug if each.slice else "",
            n=each.n,
            raters=each.reliability.raters,
            alpha=_number(each.reliability.alpha),
            ceiling=_ceiling(each.reliability),
            firm=each.reliability.alpha is not None and meets(each.reliability.alpha, LOWEST_ALPHA),
        )
        for each in found.slices
    ]


def _ceiling(of: Reliability) -> str:
    return _number(of.ceiling)


def _number(value: float | None) -> str:
    return NOT_KNOWN if value is None else shown(value)
