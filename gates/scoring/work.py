"""One order at work: its draws as they come, and the score that they make together."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from gates.llm_judge.reading import Draw
from gates.scoring.questions import Scored, ScoreOrder
from gates.scoring.scorers import Model
from gates.statistics.scales import aggregate_draws
from relcontrol.model_servers.spending import Spent


@dataclass(slots=True)
class Work:
    """The draws of one order by their number; None is one that is not there yet."""

    order: ScoreOrder
    model: Model
    spent: Spent = field(default_factory=Spent)
    stopped: str = ""
    draws: dict[int, Draw | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first = self.order.first_draw
        self.draws = dict.fromkeys(range(first, first + self.model.definition.draws))

    def missing(self) -> Iterator[int]:
        """Numbers of the draws that are not there yet."""
        return (number for number, draw in self.draws.items() if draw is None)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return all(self.draws.values())

    def scored(self) -> Scored:
        """What the draws make together; without any that could be read, or stopped before all were asked, missing."""
        drawn = [draw for draw in self.draws.values() if draw is not None]
        read = [draw for draw in drawn if draw.score is not None]
        kept = tuple(draw.as_json() for draw in drawn)
        if self.stopped or not read:
            problem = self.stopped or next(draw.problem for draw in drawn)
            return Scored(self.order.key, None, kept, "", problem, self.spent)
        [score] = aggregate_draws([[draw.score for draw in read]], self.model.definition.aggregation).tolist()
        nearest = min(read, key=lambda draw: abs((draw.score or 0.0) - score))
        return Scored(self.order.key, score, kept, nearest.reason, "", self.spent)


def without_calls(order: ScoreOrder, draw: Draw) -> Scored:
    """The score of rules, or a problem that no call would solve."""
    return Scored(order.key, draw.score, (draw.as_json(),), draw.reason, draw.problem, Spent())
