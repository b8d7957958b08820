"""Scores of pairs by a slice's own judge that is a model: both answers of a pair, or none (statistics.md R15).

The answers are of people: what the judge was asked and said is not remembered for others, and its reasons are sealed
with the answers. Its scores are stretched from its own scale to [0, 1], as those of judges that work elsewhere are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from gates.judges import Scale, scale_of
from gates.models import Judge
from gates.rule_judge.judging import text_of
from gates.scoring.questions import Question, Scored, ScoreOrder
from gates.scoring.scoring import Scoring
from relcontrol.clock import now
from releases.privacy.problems import in_clear
from releases.replays.material import Replay, write_pair
from releases.replays.scoring import GONE, SIDES, TOOLS, prompt_text, unusable
from releases.rollout_models import ReplayPair
from releases.traces.bodies import open_body


@dataclass
class _Judged:
    """A pair on its way: its answers in clear, and the scores that came."""

    pair: ReplayPair
    judge: Judge
    asked: str
    answers: Mapping[str, Any]
    scored: dict[str, Scored] = field(default_factory=dict)


def judge_answered(run: Replay, entries: Sequence[tuple[ReplayPair, Any]]) -> None:
    """Score these pairs, each with its opened trace; None is one that is gone."""
    waiting = {judged.pair.pk: judged for judged in _readable(run, entries)}
    with Scoring(run.row.organization, cached=False) as scoring:
        for scored in scoring.run(list(_orders(waiting.values()))):
            if scored is None:
                run.lease.keep(now())
                continue
            key, side = cast("tuple[str, str]", scored.key)
            judged = waiting[key]
            judged.scored[side] = scored
            if len(judged.scored) == len(SIDES):
                _write(run, waiting.pop(key))


def _readable(run: Replay, entries: Sequence[tuple[ReplayPair, Any]]) -> Iterator[_Judged]:
    """Pairs whose answers can be judged; the others are written as missing."""
    for pair, traced in entries:
        judge = run.model_of(pair.slice)
        answers = open_body(pair.organization_id, bytes(pair.subject), bytes(pair.answers or b""))
        if judge is None or traced is None or answers is None:
            write_pair(run, pair, unusable(pair, GONE, {}, now()))
        elif not all(text_of(answers[side]).strip() for side in SIDES):
            write_pair(run, pair, unusable(pair, TOOLS, answers, now()))
        else:
            yield _Judged(pair, judge, prompt_text(traced), answers)


def _orders(judged: Iterable[_Judged]) -> Iterator[ScoreOrder]:
    for each in judged:
        for side in SIDES:
            question = Question(each.asked, text_of(each.answers[side]))
            yield ScoreOrder((each.pair.pk, side), each.judge, question)


def _write(run: Replay, judged: _Judged) -> None:
    pair, at, scores = judged.pair, now(), [judged.scored[side] for side in SIDES]
    missing = next((each.problem for each in scores if each.score is None), None)
    if missing is not None:
        write_pair(run, pair, unusable(pair, f"The judge gave no score. {in_clear(missing)}", judged.answers, at))
        return
    scale = scale_of(judged.judge)
    pair.candidate_score, pair.stable_score = (_stretched(each.score or 0.0, scale) for each in scores)
    pair.state, pair.source, pair.problem, pair.scored_at = ReplayPair.State.SCORED, judged.judge.name, "", at
    reasons = {side: judged.scored[side].reason for side in SIDES}
    write_pair(run, pair, {**judged.answers, "reasons": reasons})


def _stretched(score: float, scale: Scale) -> float:
    low, high = scale
    return (score - low) / (high - low)
