"""The answers that a panel grades: of a suite, of a gate run, or of live traces.

Answers without a text are left out, as nobody could grade them, and so are those that one of the panel's raters has
graded before: a rating never changes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gates.models import GradedAnswer, Rating, Slice
from gates.panel_models import Panel, PanelItem
from gates.panels import rules
from gates.panels.sampling import TraceAnswer, TraceOrder, sample_traces
from gates.panels.stratifying import Choice, chosen
from gates.run_models import CaseResult
from gates.runs.gathering import source_of
from relcontrol.errors import invalid


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers: `count` of each group of slices, or without groups of all, and none that `raters` know."""

    groups: tuple[frozenset[str], ...]
    count: int | None
    raters: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An answer that could be taken; `key` is that of its row, `case` and `answer_id` say which answer it is."""

    key: int
    slice: str
    case: int
    answer_id: str
    score: float | None = None


def answers_for(panel: Panel, wanted: Wanted, traces: Sequence[TraceAnswer] | None) -> list[PanelItem]:
    """The panel's items, unsaved. Raises `Invalid` where there is nothing to grade, or too much."""
    items = _traced(panel, wanted, traces) if panel.source == Panel.Source.TRACES else _kept(panel, wanted)
    if not items:
        where = {"suite": "suite", "run": "gate run"}.get(panel.source)
        what = f"This {where} has no answer with a text" if where else "There is no live answer that can be opened"
        in_slices = " in these slices" if wanted.groups else ""
        raise invalid(panel.source, f"{what}{in_slices} that is left to grade for these people.")
    if len(items) > rules.MOST_ANSWERS:
        message = f"These are {len(items):,} answers; a panel takes {rules.MOST_ANSWERS:,}. Say how many with `count`."
        raise invalid("count", message)
    return items


def _kept(panel: Panel, wanted: Wanted) -> list[PanelItem]:
    """Answers of a suite or of a run."""
    of_run = panel.source == Panel.Source.RUN
    known = _known_answers(panel, wanted.raters)
    rows = _of_run(panel) if of_run else _of_suite(panel)
    candidates = [each for each in rows if (each.case, each.answer_id) not in known]
    # A run's answers all have a judge's score to be spread over; a suite is small enough to be graded whole.
    count = wanted.count or (rules.DEFAULT_COUNT if of_run else len(candidates))
    picked = _picked(candidates, replace(wanted, count=count), panel.seed)
    outputs = _outputs(panel, [each.key for each in picked])
    slices = _slice_keys(panel)
    return [
        PanelItem(
            panel=panel,
            slice_id=slices[each.slice],
            case_id=each.case,
            answer_id=each.answer_id,
            output=outputs[each.key] or "",
            judge_score=each.score,
        )
        for each in picked
    ]


def _of_suite(panel: Panel) -> Iterable[_Candidate]:
    rows = GradedAnswer.objects.filter(case__suite=panel.suite, output__isnull=False).exclude(output="")
    columns = rows.values_list("pk", "case__slice__slug", "case_id", "answer_id")
    return [_Candidate(*row) for row in columns.order_by("case__case_id", "answer_id")]


def _of_run(panel: Panel) -> Iterable[_Candidate]:
    if panel.run is None:
        return []
    rows = CaseResult.objects.filter(run=source_of(panel.run), output__isnull=False).exclude(output="")
    columns = rows.values_list("pk", "case__slice__slug", "case_id", "answer_id", "score")
    return [_Candidate(*row) for row in columns.order_by("case__case_id", "answer_id")]


def _known_answers(panel: Panel, raters: frozenset[str]) -> set[tuple[int, str]]:
    rows = Rating.objects.filter(answer__case__suite=panel.suite, rater__in=raters)
    return {(case, answer_id) for case, answer_id in rows.values_list("answer__case__pk", "answer__answer_id")}


def _picked(candidates: Sequence[_Candidate], wanted: Wanted, seed: int) -> list[_Candidate]:
    """Spread over the judge's scores in each group; in the order of the candidates, which says nothing of a score."""
    taken: set[str] = set()
    for group in wanted.groups or (frozenset(each.slice for each in candidates),):
        choices = [Choice(_name(each), each.score) for each in candidates if each.slice in group]
        taken |= set(chosen(choices, wanted.count or 0, seed))
    return [each for each in candidates if _name(each) in taken]


def _name(candidate: _Candidate) -> str:
    return f"{candidate.case} {candidate.answer_id}"


def _outputs(panel: Panel, keys: Sequence[int]) -> dict[int, str | None]:
    rows = CaseResult.objects if panel.source == Panel.Source.RUN else GradedAnswer.objects
    return dict(rows.filter(pk__in=keys).values_list("pk", "output"))


def _slice_keys(panel: Panel) -> dict[str, str]:
    return dict(Slice.objects.filter(organization=panel.organization).values_list("slug", "pk"))


def _traced(panel: Panel, wanted: Wanted, traces: Sequence[TraceAnswer] | None) -> list[PanelItem]:
    if traces is None:
        count = wanted.count or rules.DEFAULT_COUNT
        traces = sample_traces(TraceOrder(panel.organization, wanted.groups, count, panel.seed))
    slices = _slice_keys(panel)
    return [
        PanelItem(
            panel=panel,
            slice_id=slices.get(each.slice or ""),
            answer_id=each.trace_id,
            trace_id=each.trace_id,
            trace_started_at=each.started_at,
            subject=each.subject,
            sealed=each.sealed,
        )
        for each in traces
    ]
