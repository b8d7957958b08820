"""Policies to start from (domain.md "Roll"): what is measured objectively rolls back, what is noisy asks a person."""

from dataclasses import dataclass
from typing import Final

from releases.measuring import policy_definition as metrics
from releases.rollouts.evidence import Action


@dataclass(frozen=True, slots=True)
class Preset:
    """The metric, its limit and window; `name` is what the policy is called unless it gets another name."""

    name: str
    metric: str
    window_seconds: int
    action: Action
    maximum: float | None = None
    minimum: float | None = None
    n_min: int = 30


_ALL: Final = (
    Preset("Time to first token", metrics.TTFT_P95, 300, Action.ROLLBACK, maximum=2_000.0, n_min=200),
    Preset("Output tokens", metrics.OUTPUT_TOKENS, 600, Action.ROLLBACK, maximum=1_000.0, n_min=100),
    Preset("Cost", metrics.COST, 600, Action.ROLLBACK, maximum=0.05, n_min=100),
    Preset("Groundedness", f"{metrics.SCORE}groundedness", 900, Action.PAUSE_FOR_REVIEW, minimum=0.8),
    Preset("Toxicity", f"{metrics.SCORE}toxicity", 600, Action.PAUSE_FOR_REVIEW, maximum=0.05),
    Preset("Task completion", metrics.TASKS_DONE, 1_800, Action.PAUSE_FOR_REVIEW, minimum=0.7),
    Preset("Refusals", metrics.REFUSALS, 900, Action.PAUSE_FOR_REVIEW, maximum=0.1, n_min=20),
    Preset("Thumbs down", metrics.THUMBS_DOWN, 1_800, Action.PAUSE_FOR_REVIEW, maximum=0.2),
)
PRESETS: Final = {preset.name.lower().replace(" ", "-"): preset for preset in _ALL}
