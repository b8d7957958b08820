"""What is asked of judges, and what comes back."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from gates.models import Judge
from relcontrol.model_servers.spending import Spent


@dataclass(frozen=True, slots=True)
class Question:
    """An answer (`output`) to be scored, with what was asked and, where the case has one, the reference."""

    input: str
    output: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class ScoreOrder:
    """One score that is wanted. `key` comes back with it.

    `first_draw` numbers the judge's draws: scores again take other numbers, and are other calls. A `fresh` score is
    neither taken from known calls nor kept there.
    """

    key: Hashable
    judge: Judge
    question: Question
    first_draw: int = 0
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """A score on the judge's scale; None is missing, and `problem` says why. `draws` are as `Draw.as_json` writes."""

    key: Hashable
    score: float | None
    draws: tuple[Mapping[str, Any], ...]
    reason: str
    problem: str
    spent: Spent
