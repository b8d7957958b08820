"""The form of a new panel, in plain words; every rule is the service's, whose errors come back beside their fields."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms

from gates.panel_models import Panel
from gates.panels.rules import MAX_NAME, MAX_RUBRIC, MOST_ANSWERS, MOST_PER_ANSWER
from relcontrol.web.forms import Form

SOURCES: Final = (
    (Panel.Source.RUN.value, "Have answers of a gate run graded"),
    (Panel.Source.SUITE.value, "Answers that a suite has"),
    (Panel.Source.TRACES.value, "Live traces"),
)
SOURCE_HINTS: Final[Mapping[str, str]] = {
    Panel.Source.RUN: "A release’s own answers, spread over the judge’s scores, so that few grades say much.",
    Panel.Source.SUITE: "The answers that came with the suite or were graded before.",
    Panel.Source.TRACES: "What people asked in the last days, drawn by chance; at most three of one subject.",
}
SCALES: Final = (("1-5", "1 to 5, with five keys"), ("0-100", "0 to 100, typed"))
SCALE_OF: Final[Mapping[str, tuple[float, float]]] = {"1-5": (1.0, 5.0), "0-100": (0.0, 100.0)}
Choices = Sequence[tuple[str, str]]


class SourceChoices(forms.RadioSelect):
    """Where answers come from, as cards with a hint below the words."""

    template_name = "gates/slices/choices.html"

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """An option with its hint."""
        option = super().create_option(*args, **kwargs)
        return option | {"hint": SOURCE_HINTS[str(option["value"])]}


class PanelForm(Form):
    """A new panel."""

    name = forms.CharField(
        label="What is it called?",
        help_text="Raters see it. Such as: Legal answers, November.",
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    source = forms.ChoiceField(label="Which answers are graded?", choices=SOURCES, widget=SourceChoices)
    run = forms.ChoiceField(label="Which gate run?", required=False)
    suite = forms.ChoiceField(label="Which suite?", required=False)
    count = forms.IntegerField(
        label="How many answers?",
        help_text="For each slice that you choose below; 30 show whether a judge agrees.",
        min_value=1,
        max_value=MOST_ANSWERS,
    )
    slices = forms.MultipleChoiceField(
        label="Only of these slices?",
        help_text="Choose none for all together.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    raters = forms.MultipleChoiceField(
        label="Who grades?",
        help_text="Each sees her own answers only, in an order of her own.",
        widget=forms.CheckboxSelectMultiple,
    )
    raters_per_answer = forms.IntegerField(
        label="How many grades for each answer?",
        help_text="Two show how far experts agree with each other; three show who differs.",
        min_value=1,
        max_value=MOST_PER_ANSWER,
    )
    scale = forms.ChoiceField(label="On which scale?", choices=SCALES, widget=forms.RadioSelect)
    rubric = forms.CharField(
        label="What should they look at?",
        help_text="It stands beside every answer: what is good, what is bad, what the lowest and the highest mean.",
        max_length=MAX_RUBRIC,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, choices: Mapping[str, Choices], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        if not choices["slices"]:
            del self.fields["slices"]

    def clean(self) -> dict[str, Any]:
        """The gate run or the suite has to be named where the answers are its."""
        given: dict[str, Any] = self.cleaned_data
        source = given.get("source", "")
        if source in (Panel.Source.RUN, Panel.Source.SUITE) and not given.get(source):
            self.add_error(source, "Choose one: that is where the answers come from.")
        return given

    def order(self) -> dict[str, Any]:
        """What was given, as the service takes it, but for the rows that it names."""
        given = self.cleaned_data
        same = {name: given[name] for name in ("name", "rubric", "source", "count", "raters", "raters_per_answer")}
        return same | {"slices": given.get("slices", []), "scale": SCALE_OF[given["scale"]]}
