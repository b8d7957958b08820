"""Scores of answers by the judge that is pinned for their slice: rules at once, models with calls in flight."""

from collections.abc import Iterator, Sequence
from typing import Final

from gates.judges import scale_of
from gates.models import Judge
from gates.rule_judge.judging import score, text_of
from gates.rule_judges import rules_for
from gates.scoring.questions import Question, ScoreOrder
from gates.scoring.scorers import scorer_of
from gates.scoring.scoring import Scoring
from relcontrol.clock import now
from relcontrol.errors import DomainError
from releases.observing.answers.material import IN_FLIGHT, Case, Run
from releases.privacy.problems import in_clear

TOOLS: Final = "The answer calls tools and says nothing yet."
EMPTY: Final = "The answer is empty."
FINE: Final = "The answer breaks no rule."


def by_rules(run: Run, case: Case) -> None:
    """Score an answer by rules, and write it."""
    rules = rules_for(run.observer.organization, case.row.observed.judge).rules
    found = score(rules, input_text=case.asked, output=case.output)
    if found is None:
        run.write(case, problem=TOOLS)
        return
    said = " ".join(dict.fromkeys(finding.detail for finding in found.findings))
    run.write(case, raw=found.score, reason=said or FINE)


def by_models(run: Run, cases: Sequence[Case]) -> None:
    """Have answers scored by models, and write each as its score comes; nothing is remembered for others."""
    waiting = {case.row.pk: case for case in _askable(run, [case for case in cases if _has_words(run, case)])}
    if not waiting:
        return
    orders = [
        ScoreOrder(key, run.judge_of(case.row), Question(case.asked, text_of(case.output), case.reference))
        for key, case in waiting.items()
    ]
    with Scoring(run.observer.organization, concurrency=IN_FLIGHT, cached=False) as scoring:
        for scored in scoring.run(orders):
            if scored is None:
                run.lease.keep(now())
                continue
            problem = "" if scored.score is not None else f"The judge gave no score. {in_clear(scored.problem)}"
            case = waiting[str(scored.key)]
            run.write(case, raw=scored.score, reason=scored.reason, problem=problem, spent=scored.spent)


def _has_words(run: Run, case: Case) -> bool:
    """Whether there is something to ask a model about; else the score is clear, and written."""
    if text_of(case.output).strip():
        return True
    if isinstance(case.output, dict) and case.output.get("tool_calls"):
        run.write(case, problem=TOOLS)
    else:
        run.write(case, raw=scale_of(run.judge_of(case.row))[0], reason=EMPTY)
    return False


def _askable(run: Run, cases: Sequence[Case]) -> Iterator[Case]:
    """A judge that cannot be asked leaves its own answers missing, and no others."""
    problems: dict[str, str] = {}
    for case in cases:
        judge = run.judge_of(case.row)
        if judge.name not in problems:
            problems[judge.name] = _why_not(judge)
        if problems[judge.name]:
            run.write(case, problem=problems[judge.name])
        else:
            yield case


def _why_not(judge: Judge) -> str:
    try:
        scorer_of(judge)
    except DomainError as error:
        return error.detail
    return ""
