"""The form of a rollout policy: plain questions; the service checks again what is entered here."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from django import forms

from relcontrol.accounts.models import Application, Route
from relcontrol.web.forms import Form
from releases.measuring.policy_definition import SCORE, WORDS, Definition
from releases.measuring.policy_presets import Preset
from releases.measuring.policy_rules import LONGEST_WINDOW, MAX_NAME, MOST_N_MIN, SHORTEST_WINDOW
from releases.monitors.wording import counted
from releases.rollout_models import RoutePolicy

NAMED_SCORE: Final = "score"
METRICS: Final = [*((metric, words) for metric, (words, _) in WORDS.items()), (NAMED_SCORE, "mean of a named score")]
SHOWN_DIGITS: Final = ".12g"
LIMITS: Final = ("maximum", "minimum")


class RolloutPolicyChangeForm(Form):
    """What may change of a policy."""

    name = forms.CharField(
        label="What is it called?", help_text="Reasons and receipts name it so.", max_length=MAX_NAME
    )
    metric = forms.ChoiceField(label="What does it measure, of the candidate's answers?", choices=METRICS)
    score = forms.CharField(
        label="Which named score?",
        help_text="Only for the mean of a named score: its name in POST /v1/feedback, such as groundedness.",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocomplete": "off"}),
    )
    maximum = forms.FloatField(
        label="It must not be above",
        help_text="A share is a number from 0 to 1. Give this or the next, and not both.",
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    minimum = forms.FloatField(
        label="It must not be below", required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    window_seconds = forms.IntegerField(
        label="Over how many seconds?",
        help_text=f"{SHORTEST_WINDOW} to {LONGEST_WINDOW:,}, back from each look at the rollout.",
        min_value=SHORTEST_WINDOW,
        max_value=LONGEST_WINDOW,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    n_min = forms.IntegerField(
        label="From how many answers on?",
        help_text="With fewer in that time it is not judged and stops nothing.",
        min_value=1,
        max_value=MOST_N_MIN,
        initial=30,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    action = forms.ChoiceField(
        label="What happens where it does not hold?",
        choices=[
            (RoutePolicy.Action.ROLLBACK.value, "The rollout is halted and its route rolled back, at once"),
            (RoutePolicy.Action.PAUSE.value, "The rollout waits for a person"),
        ],
        widget=forms.RadioSelect,
    )
    dry = forms.BooleanField(label="Only say it: the rollout goes on", required=False)

    def clean(self) -> dict[str, Any]:
        """The metric as policies write it."""
        said = dict(super().clean() or {})
        score = said.pop("score", "").strip()
        if said.get("metric") == NAMED_SCORE:
            if not score:
                self.add_error("score", "Name the score.")
            said["metric"] = f"{SCORE}{score}"
        elif score:
            self.add_error("score", "Leave it out, or choose the mean of a named score above.")
        return said


class RolloutPolicyForm(RolloutPolicyChangeForm):
    """A new policy."""

    where = forms.ChoiceField(label="Which rollouts does it watch?")
    field_order = ("where",)

    def offer(self, applications: Iterable[Application], routes: Iterable[Route]) -> None:
        """What it can be for: an application as a whole, or one of its routes."""
        every = [(row.pk, f"Those of {row.name}, on every route") for row in applications]
        each = [(row.pk, f"Those of {row.application.name} on the route {row.name}") for row in routes]
        self.fields["where"].choices = [*every, *each]  # type: ignore[attr-defined]  # it is a choice


def initial_of_preset(preset: Preset) -> dict[str, Any]:
    """A preset as the form shows it."""
    return _shown(asdict(preset) | {"action": preset.action.value})


def initial_of(row: RoutePolicy) -> dict[str, Any]:
    """A policy as the form shows it."""
    return _shown(asdict(Definition.of_row(row)))


@dataclass(frozen=True, slots=True)
class Words:
    """A policy in words, for those who read it."""

    target: str
    metric: str
    limit: str
    over: str
    effect: str

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Each beside what it is."""
        return [
            ("For", self.target),
            ("Measures", self.metric),
            ("Must be", self.limit),
            ("Over", self.over),
            ("Else", self.effect),
        ]


def words_of(row: RoutePolicy) -> Words:
    """What a policy says."""
    policy = Definition.of_row(row)
    metric, noun = policy.words
    kind, limit = ("at most", policy.maximum) if policy.maximum is not None else ("at least", policy.minimum)
    effect = row.get_action_display()
    return Words(
        target=f"{row.application.name}, {f'route {row.route.name}' if row.route else 'all routes'}",
        metric=metric,
        limit=f"{kind} {format(limit, SHOWN_DIGITS)}",
        over=f"{policy.window_seconds:,} s, from {counted(policy.n_min, noun)} on",
        effect=f"only said; it would be: {effect.lower()}" if policy.dry else effect,
    )


def _shown(fields: dict[str, Any]) -> dict[str, Any]:
    limits = {name: format(fields[name], SHOWN_DIGITS) for name in LIMITS if fields[name] is not None}
    score = fields["metric"].removeprefix(SCORE) if fields["metric"].startswith(SCORE) else ""
    return fields | dict.fromkeys(LIMITS) | limits | ({"metric": NAMED_SCORE, "score": score} if score else {})
