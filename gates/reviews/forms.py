"""Forms of reviews: what a person says, and of which items."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any

from django import forms

from gates.overrides.rules import MAX_COMMENT, MAX_REASON
from gates.reviews.items import Finding
from relcontrol.web.forms import Form


class SignOffForm(Form):
    """Which reviews are signed off, and why."""

    items = forms.MultipleChoiceField(label="What do you sign off?", widget=forms.CheckboxSelectMultiple)
    reason = forms.CharField(
        label="Why may the release go on?",
        help_text="At least 20 characters. The reason stands in the receipt for good: name no person in it.",
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, findings: Sequence[Finding], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items = self.fields["items"]
        assert isinstance(items, forms.MultipleChoiceField)  # noqa: S101 - declared above; narrows the type
        items.choices = [(finding.item, finding.title) for finding in findings]
        items.initial = [finding.item for finding in findings]


class ProposalForm(Form):
    """A case whose drop is to be tolerated."""

    suite = forms.CharField(label="Of which suite?", max_length=200)
    case_id = forms.CharField(label="Which case?", help_text="Its case_id, as a gate run shows it.", max_length=200)
    justification = forms.CharField(
        label="Why may it get worse?",
        help_text="At least 20 characters. It stands in the receipt for good: name no person in it.",
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    until = forms.DateField(
        label="Until which day?",
        help_text="Through that day, UTC. Empty: for as long as the suite is used.",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def clean_until(self) -> datetime | None:
        """The last second of that day."""
        day = self.cleaned_data["until"]
        return datetime.combine(day, time(23, 59, 59), UTC) if day else None


class CommentForm(Form):
    """What the one who decides says."""

    comment = forms.CharField(
        label="What do you say to it?",
        help_text="A sentence; it stands in the receipt beside your name.",
        max_length=MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
