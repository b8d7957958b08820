"""The slice that the page of an observer looks at closely: its chart, its facts, its closed windows by page."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from gates.judges import EXTERNAL
from gates.statistics.limits import shown, shown_beside, shown_limit
from relcontrol.web.pages import PageRequest
from releases.observer_models import QualityWindow
from releases.observing.selectors import agreements_of, points_of, window_page, windows_of
from releases.pages.observe.chart import quality_chart
from releases.pages.observe.periods import PERIODS, Period, period_of
from releases.pages.observe.slices import Line
from releases.pages.observe.wording import VERDICTS, floor_words, rare, window_words
from releases.pages.paths import ROWS_PER_PAGE, with_query
from releases.replays.scoring import judge_of_slice


def chosen_slice(request: PageRequest, lines: Sequence[Line], own: str, at: datetime) -> dict[str, Any]:
    """What the template of the chosen slice shows; `?slice=` chooses, else it is the gravest. `own` is the page."""
    wanted = request.GET.get("slice", "")
    line = next((each for each in lines if each.row.slice == wanted), None if wanted else next(iter(lines), None))
    period = period_of(request.GET.get("period", ""))
    given = {"slice": wanted, "period": request.GET.get("period", "")}
    choices = [
        (each.name, with_query(own, **given | {"period": key}), key == period.key) for key, each in PERIODS.items()
    ]
    context: dict[str, Any] = {"chosen": line, "wanted": wanted, "periods": choices}
    return context if line is None else context | _looked_at(request, line, period, at)


def _looked_at(request: PageRequest, line: Line, period: Period, at: datetime) -> dict[str, Any]:
    points = points_of([line.row], since=at - period.length, until=at + timedelta(minutes=1), step=period.step)
    agreement = agreements_of([line.row], at - timedelta(days=1)).get(line.row.pk)
    return {
        "chart": quality_chart(line.name, points, period, at, floor=line.row.floor),
        "slice_facts": facts_of(line, agreement),
        **_windows(request, line),
    }


def _windows(request: PageRequest, line: Line) -> dict[str, Any]:
    """The closed windows, for who asks for them by `?windows=`."""
    if "windows" not in request.GET:
        return {"windows": None}
    rows, following = window_page(windows_of([line.row]), request.GET.get("cursor", ""), ROWS_PER_PAGE)
    windows = [(row, *VERDICTS[row.verdict], _said(row)) for row in rows]
    return {"windows": windows, "next_cursor": following, "paged": "cursor" in request.GET}


def facts_of(line: Line, agreement: QualityWindow | None) -> list[tuple[str, object]]:
    """What is known of the slice, as label and sentence."""
    row = line.row
    facts: list[tuple[str, object]] = [
        ("Rollback", row.why or "Not decided yet: that takes the first look at its answers."),
        ("Last window", line.last_words),
        ("Floor", floor_words(row.floor, row.floor_source, row.healthy_mean)),
        ("Usual quality", "not known yet" if row.healthy_mean is None else shown(row.healthy_mean)),
        ("A window", f"takes {row.n_min} scored answers; its mean varies by {shown(row.spread / row.n_min**0.5)} then"),
        (
            "Neighbours",
            f"windows next to each other correlate by {shown(row.correlation)}; {row.windows_known:,} are known",
        ),
    ]
    if row.armed and row.false_rollbacks_per_month is not None:
        facts.append(("False rollbacks", f"{rare(row.false_rollbacks_per_month)} a month expected here"))
    if row.rho_floor is not None:
        facts.append(("Agreement", _agreement(row.rho_floor, agreement)))
    if line.late:
        facts.append(("Late", f"{line.late:,} in 24 hours, after their window was closed: counted, not judged"))
    return [*facts, ("Judge", _judge(line))]


def _judge(line: Line) -> str:
    """Whose scores these are. The scores of a judge that works elsewhere do not come minute by minute."""
    own = judge_of_slice(line.row.observer.organization, line.row.slice)
    if not own.startswith(EXTERNAL):
        return line.row.judge
    elsewhere = f"{own.removeprefix(EXTERNAL)} works elsewhere and cannot score what serves"
    return f"{line.row.judge}: {elsewhere}, and the floor is of what it gave at the gate. This watch sees less than it"


def _agreement(floor: float, window: QualityWindow | None) -> str:
    if window is None or window.agreement is None:
        return f"not measured yet; its floor is {shown_limit(floor)}"
    value = shown_beside(window.agreement, floor)
    return f"{value} over {window.agreement_n} graded answers, its floor is {shown_limit(floor, window.agreement)}"


def _said(row: QualityWindow) -> str:
    return window_words(verdict=row.verdict, mean=row.mean, n=row.n, n_min=row.n_min, floor=row.floor, asked=row.asked)
