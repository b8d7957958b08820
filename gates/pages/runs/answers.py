"""The answers that got worse: the list, and one case with both answers side by side (ui.md screen 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, QuerySet

from gates.models import Rating
from gates.pages.runs.paths import Page, numbered_rows, with_query
from gates.run_models import CaseDrop, CaseResult, GateRun
from gates.runs.selectors import answers_of, drops_of
from gates.scorecards.words import points
from relcontrol.web.pages import PageRequest
from relcontrol.web.word_differences import Run, word_differences

CASES_PER_PAGE: Final = 10
GRADES_SHOWN: Final = 20
LONGEST: Final = 200
# state -> (status of the design, its word, a sentence)
STATES: Final[Mapping[str, tuple[str, str, str]]] = {
    "regressed": ("fail", "Regressed", "Fresh scores of both answers confirm the drop."),
    "flagged_unconfirmed": ("hold", "Unconfirmed", "Scored once; fresh scores have to confirm the drop."),
    "tolerated": ("skip", "Allowlisted", "An entry of the allowlist tolerates the drop."),
    "cleared": ("pass", "Cleared", "Fresh scores do not confirm the drop."),
    "within_limit": ("skip", "Within the limit", "Smaller than the limit; listed so that a second person can look."),
}
OVER_THE_LIMIT: Final = ("regressed", "flagged_unconfirmed", "tolerated")


@dataclass(frozen=True, slots=True)
class DropRow:
    """One line of the list."""

    drop: CaseDrop
    before: str
    now: str
    lost: str
    kind: str
    word: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the two answers. `runs` are its words with what became of them; none where no text was kept."""

    release: str
    role: str
    score: str
    failed: bool
    runs: Sequence[Run] | None
    text: str | None
    grades: Sequence[Rating]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A case with the answer before and the answer now."""

    row: DropRow
    sentence: str
    before: Answer
    now: Answer
    result: CaseResult | None


def shown_drops(request: PageRequest, run: GateRun) -> Page[CaseDrop]:
    """The page of drops that the address asks for: by slice and state, largest first."""
    return numbered_rows(request, filtered(request, run), name="cases", size=CASES_PER_PAGE, anchor="cases")


def filtered(request: PageRequest, run: GateRun) -> "QuerySet[CaseDrop]":
    """Drops as `?slice=` and `?state=` narrow them; without a state, those over the limit."""
    rows = drops_of(run)
    wanted, state = request.GET.get("slice", ""), request.GET.get("state", "")
    if wanted:
        rows = rows.filter(slice__slug=wanted[:LONGEST].replace("\0", ""))
    if state in STATES:
        return rows.filter(state=state)
    return rows if state == "all" else rows.filter(state__in=OVER_THE_LIMIT)


def drop_rows(request: PageRequest, page: Page[CaseDrop], *, limit: float) -> list[DropRow]:
    """The list; the one that `?case=` names, else the first, is current."""
    wanted = request.GET.get("case", "")
    known = wanted if any(drop.case.case_id == wanted for drop in page.rows) else ""
    return [
        _row(request, drop, limit, current=drop.case.case_id == known if known else place == 0)
        for place, drop in enumerate(page.rows)
    ]


def _row(request: PageRequest, drop: CaseDrop, limit: float, *, current: bool) -> DropRow:
    kind, word, _ = STATES[drop.state]
    return DropRow(
        drop=drop,
        before=points(drop.previous_score),
        now=points(drop.score),
        lost=f"\N{MINUS SIGN}{points(drop.drop, limit)}",
        kind=kind,
        word=word,
        url=with_query(request, "cases", case=drop.case.case_id),
        current=current,
    )


def comparison(run: GateRun, row: DropRow) -> Comparison:
    """The case with both answers."""
    case = row.drop.case
    now = answers_of(run, [case.case_id]).get(case.case_id)
    before = answers_of(run.previous_run, [case.case_id]).get(case.case_id) if run.previous_run else None
    old, new = (answer.output if answer else None for answer in (before, now))
    runs = word_differences(old, new) if old is not None and new is not None else None
    return Comparison(
        row=row,
        sentence=STATES[row.drop.state][2],
        before=_answer(run.previous_name or "", "before", row.before, before, _side(runs, "new")),
        now=_answer(run.release_name, "candidate", row.now, now, _side(runs, "gone"), failed=row.kind == "fail"),
        result=now,
    )


def _side(runs: Sequence[Run] | None, without: str) -> Sequence[Run] | None:
    return None if runs is None else joined([run for run in runs if run.kind != without])


def joined(runs: Sequence[Run]) -> list[Run]:
    """Words in a row that share a fate as one run, with the spaces between them."""
    found: list[Run] = []
    for place, run in enumerate(runs):
        following = runs[place + 1].kind if place + 1 < len(runs) else "same"
        bridges = run.kind == "same" and run.text.isspace() and found and found[-1].kind == following != "same"
        if found and (bridges or run.kind == found[-1].kind):
            found[-1] = Run(found[-1].kind, found[-1].text + run.text)
        else:
            found.append(run)
    return found


def _answer(
    release: str,
    role: str,
    score: str,
    result: CaseResult | None,
    runs: Sequence[Run] | None,
    *,
    failed: bool = False,
) -> Answer:
    grades = grades_of(result) if result else []
    return Answer(release, role, score, failed, runs, result.output if result else None, grades)


def grades_of(result: CaseResult) -> list[Rating]:
    """What experts gave to this very answer."""
    rows = Rating.objects.filter(answer__case=result.case_id, answer__answer_id=result.answer_id)
    return list(rows.order_by("rater")[:GRADES_SHOWN])


def filter_links(request: PageRequest, run: GateRun) -> list[tuple[str, str, bool]]:
    """Word, address and whether it is chosen, of each state that the list can be narrowed to."""
    counts = dict(drops_of(run).order_by().values_list("state").annotate(count=Count("pk")))
    chosen = request.GET.get("state", "")
    over = sum(counts.get(state, 0) for state in OVER_THE_LIMIT)
    words = {"": ("Over the limit", over)}
    words |= {state: (word, counts[state]) for state, (_, word, _) in STATES.items() if counts.get(state)}
    words["all"] = ("All", sum(counts.values()))
    return [
        (f"{word} {count:,}", with_query(request, "cases", state=state, case="", cases=""), state == chosen)
        for state, (word, count) in words.items()
    ]
