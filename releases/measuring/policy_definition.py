"""A further policy as a value: a metric, one limit, a window, and what its violation does (domain.md "Roll").

A rollout pins the policies of its route when it starts (`Rollout.settings["policies"]`); later changes of a policy are
for later rollouts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final, Self

from django.db.models import Q

from relcontrol.accounts.models import Route
from releases.rollout_models import RoutePolicy
from releases.rollouts.evidence import Action

TTFT_P95: Final = "ttft_p95_ms"
LATENCY_P95: Final = "latency_p95_ms"
OUTPUT_TOKENS: Final = "output_tokens_mean"
COST: Final = "cost_per_request"
REFUSALS: Final = "refusal_rate"
THUMBS_DOWN: Final = "thumbs_down_rate"
TASKS_DONE: Final = "task_completion_rate"
SCORE: Final = "score:"

# What a metric is called in sentences, and what its numbers are counted over.
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    TTFT_P95: ("p95 to the first token in ms", "answer"),
    LATENCY_P95: ("p95 latency in ms", "answer"),
    OUTPUT_TOKENS: ("mean output tokens", "answer"),
    COST: ("mean cost of a request", "answer"),
    REFUSALS: ("share of refusals", "replayed pair"),
    THUMBS_DOWN: ("share of thumbs down", "thumb"),
    TASKS_DONE: ("share of completed tasks", "task outcome"),
}
SHARES: Final = frozenset({REFUSALS, THUMBS_DOWN, TASKS_DONE})


@dataclass(frozen=True, slots=True)
class Definition:
    """One policy in one revision; exactly one of `maximum` and `minimum` is set."""

    name: str
    metric: str
    maximum: float | None
    minimum: float | None
    window_seconds: int
    n_min: int
    action: str
    dry: bool = False
    id: str = ""
    revision: int = 1

    @classmethod
    def of_row(cls, row: RoutePolicy) -> Self:
        """The policy as it is now."""
        return cls(
            row.name,
            row.metric,
            row.maximum,
            row.minimum,
            row.window_seconds,
            row.n_min,
            str(row.action),
            row.dry,
            row.pk,
            row.revision,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """A pinned policy."""
        return cls(**value)

    def as_json(self) -> dict[str, Any]:
        """To pin it."""
        return asdict(self)

    @property
    def window(self) -> timedelta:
        """How far back it looks."""
        return timedelta(seconds=self.window_seconds)

    @property
    def effect(self) -> Action:
        """What its violation does."""
        return Action(self.action)

    @property
    def words(self) -> tuple[str, str]:
        """What the metric is called, and what it is counted over."""
        if self.metric.startswith(SCORE):
            return f"mean score {self.metric.removeprefix(SCORE)}", "score"
        return WORDS[self.metric]


def pinned_policies(route: Route) -> list[dict[str, Any]]:
    """The policies of a route as a rollout pins them at its start: its own, and those of its whole application."""
    rows = RoutePolicy.objects.filter(Q(route=route) | Q(route=None), application=route.application_id)
    return [Definition.of_row(row).as_json() for row in rows.order_by("name")]
