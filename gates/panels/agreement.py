"""How far the raters of a closed panel agree: as a whole, each with the others, and per slice (statistics.md R10)."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gates.models import Slice
from gates.panel_models import Panel, PanelTask
from gates.panels import access
from gates.statistics.panel import Ratings
from gates.statistics.reliability import Reliability, reliability_of
from relcontrol.accounts.actors import Actor
from relcontrol.errors import Conflict


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """One rater against the mean of the others: ρ over her `n` grades; None for fewer than three raters."""

    key: str
    label: str
    n: int
    rho: float | None


@dataclass(frozen=True, slots=True)
class SliceReliability:
    """The same of the answers of one slice; `slice` is None for live answers that no slice took."""

    slice: Slice | None
    n: int
    reliability: Reliability


@dataclass(frozen=True, slots=True)
class PanelReliability:
    """What a panel's grades have in common. `n` counts answers with a grade."""

    n: int
    reliability: Reliability
    raters: tuple[RaterAgreement, ...]
    slices: tuple[SliceReliability, ...]


@dataclass(frozen=True, slots=True)
class _Grade:
    item: int
    rater: str
    grade: float


def reliability(*, actor: Actor, panel: Panel) -> PanelReliability:
    """How far the raters agree, for those who manage the panel, once it is closed. Grades set aside do not count."""
    access.require(access.may_manage(actor, panel))
    if panel.state != Panel.State.CLOSED:
        message = "How far raters agree is shown once the panel is closed: until then nobody sees a grade."
        raise Conflict(message, code="not_closed", state={"panel_id": panel.pk, "state": str(panel.state)})
    grades = list(_counting(panel))
    by_slice: dict[str | None, list[_Grade]] = {}
    for grade, sliced in grades:
        by_slice.setdefault(sliced, []).append(grade)
    whole = [grade for grade, _ in grades]
    return PanelReliability(
        n=len({grade.item for grade in whole}),
        reliability=reliability_of(_table(whole)),
        raters=_raters(whole, _labels(panel)),
        slices=tuple(_of_slices(by_slice)),
    )


def _counting(panel: Panel) -> Iterable[tuple[_Grade, str | None]]:
    rows = PanelTask.objects.filter(panel=panel, state=PanelTask.State.RATED, set_aside=False)
    for item, rater, grade, sliced in rows.values_list("item_id", "rater", "grade", "item__slice_id"):
        yield _Grade(item, rater, grade or 0.0), sliced


def _table(grades: Iterable[_Grade]) -> Ratings:
    """Raters by name × answers, NaN where a rater has not graded."""
    known = list(grades)
    rows = {rater: row for row, rater in enumerate(sorted({each.rater for each in known}))}
    columns = {item: column for column, item in enumerate(sorted({each.item for each in known}))}
    table = np.full((len(rows), len(columns)), np.nan)
    for each in known:
        table[rows[each.rater], columns[each.item]] = each.grade
    return table


def _raters(grades: list[_Grade], labels: dict[str, str]) -> tuple[RaterAgreement, ...]:
    names = sorted({each.rater for each in grades})
    against_others = reliability_of(_table(grades)).leave_one_out or (None,) * len(names)
    counts = {name: sum(each.rater == name for each in grades) for name in names}
    return tuple(
        RaterAgreement(name, labels.get(name, name), counts[name], rho)
        for name, rho in zip(names, against_others, strict=True)
    )


def _labels(panel: Panel) -> dict[str, str]:
    rows = PanelTask.objects.filter(panel=panel, person__isnull=False)
    columns = rows.values_list("rater", "person__name", "person__email").distinct()
    return {rater: name or email for rater, name, email in columns}


def _of_slices(by_slice: dict[str | None, list[_Grade]]) -> Iterable[SliceReliability]:
    rows = {row.pk: row for row in Slice.objects.filter(pk__in=[key for key in by_slice if key])}
    ordered = sorted(by_slice, key=lambda key: (key is None, rows[key].slug if key else ""))
    for key in ordered:
        table = _table(by_slice[key])
        yield SliceReliability(rows[key] if key else None, table.shape[1], reliability_of(table))
