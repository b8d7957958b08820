"""The form that asks for a measurement: against whose grades, and how much it may cost."""

from decimal import Decimal
from typing import Any, Final

from django import forms

from gates.models import Judge
from gates.suites import suites_of
from relcontrol.model_servers.spending import Budget
from relcontrol.web.forms import Form

SUITES_OFFERED: Final = 100


class MeasureForm(Form):
    """Against which grades, and how much it may cost."""

    suite = forms.ChoiceField(label="Against the grades of which suite?")
    tokens = forms.IntegerField(
        label="At most so many tokens", help_text="What is over stays without a score.", required=False, min_value=1
    )
    cost = forms.DecimalField(
        label="At most so much money",
        help_text="In the currency of the endpoint’s prices.",
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=4,
    )

    @property
    def budget(self) -> Budget:
        """As the service takes it."""
        return Budget(tokens=self.cleaned_data.get("tokens"), cost=self.cleaned_data.get("cost"))


def measure_form(judge: Judge, sent: Any = None) -> MeasureForm:
    """The form, with the suites that have graded answers; rules cost nothing, so that they need no budget."""
    form = MeasureForm(sent)
    if judge.definition["kind"] == "rules":
        del form.fields["tokens"], form.fields["cost"]
    rows = suites_of(judge.organization).filter(graded_answer_count__gt=0)[:SUITES_OFFERED]
    form.fields["suite"].choices = [  # type: ignore[attr-defined]
        (row.name, f"{row.name}, {row.graded_answer_count:,} graded answers") for row in rows
    ]
    return form
