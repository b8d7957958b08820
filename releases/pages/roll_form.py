"""The form that starts a rollout: how it begins, how long each checkpoint holds, what runs dry, and why."""

from collections.abc import Iterator
from typing import Any, Final

from django import forms

from relcontrol.web.forms import Form
from releases.checkpoints import DEFAULT_PLAN, TUNING, Checkpoint, plan_of
from releases.rolling.order import CANARY, SHADOW, RollOrder
from releases.weights.drift import HALT, IGNORE, REVIEW

MAX_DWELL: Final = 86_400
MAX_REQUESTS: Final = 10_000_000
MAX_REASON: Final = 2_000
DRY: Final = {
    "latency": "p95 latency",
    "errors": "Errors",
    "quality": "Answer quality",
}


class RollForm(Form):
    """A rollout as a person asks for it; the numbers begin with the defaults."""

    strategy = forms.ChoiceField(
        label="How does it begin?",
        choices=[
            (CANARY, "With a small share of live traffic"),
            (SHADOW, "In shadow: copies are answered unseen first"),
        ],
        initial=CANARY,
        required=False,
        widget=forms.RadioSelect,
    )
    dry_monitors = forms.MultipleChoiceField(
        label="Which monitors shall be without effect?",
        help_text="They are computed and shown, and stop nothing. Usually none.",
        choices=list(DRY.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    weights_drift = forms.ChoiceField(
        label="What if an observer sees other weights than registered?",
        help_text="Of a model whose weights are observed. Usually it halts.",
        choices=[(HALT, "Halt"), (REVIEW, "Hold for a review"), (IGNORE, "Go on")],
        initial=HALT,
        required=False,
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why now?",
        help_text="The receipt keeps it beside your name. A release that was halted or rolled back needs one.",
        required=False,
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for step in DEFAULT_PLAN:
            self._add(f"dwell_{step.percent}pct_seconds", f"Seconds at {step.percent} %", step.dwell_seconds, MAX_DWELL)
            self._add(f"requests_{step.percent}pct", f"Requests at {step.percent} %", step.requests, MAX_REQUESTS)

    def _add(self, name: str, label: str, initial: int, most: int) -> None:
        widget = forms.NumberInput(attrs={"class": "form-control", "inputmode": "numeric"})
        self.fields[name] = forms.IntegerField(
            label=label, initial=initial, min_value=1, max_value=most, required=False, widget=widget
        )

    @property
    def checkpoints(self) -> Iterator[tuple[Checkpoint, Any, Any]]:
        """Each checkpoint with its two fields."""
        for step in DEFAULT_PLAN:
            yield step, self[f"dwell_{step.percent}pct_seconds"], self[f"requests_{step.percent}pct"]

    def order(self) -> RollOrder:
        """What is asked for; `Invalid` where the plan is none."""
        given = self.cleaned_data
        return RollOrder(
            plan=plan_of({name: given.get(name) for name in TUNING}),
            strategy=given["strategy"] or CANARY,
            reason=given["reason"].strip(),
            dry_monitors=tuple(given["dry_monitors"]),
            weights_drift=given["weights_drift"] or HALT,
        )
