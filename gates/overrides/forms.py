"""What people type about an override; every rule is the services'."""

from django import forms

from gates.overrides.rules import MAX_COMMENT, MAX_REASON
from relcontrol.web.forms import Form

WORDS = "Write a sentence: the receipt keeps it beside your name."


class RequestForm(Form):
    """The two structural fields."""

    forceGateOverride = forms.BooleanField(  # noqa: N815 - the wire's name
        label="Yes, let this release roll although its gate stops it.",
        error_messages={"required": "Tick it: an override is never given by accident."},
    )
    overrideReason = forms.CharField(  # noqa: N815 - the wire's name
        label="Why?",
        help_text="At least 20 characters that say something. Names of people in it stay in the receipt for ever.",
        error_messages={"required": "Say why in 20 characters or more that mean something to a reader."},
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 5}),
    )

    def statement(self) -> dict[str, object]:
        """The fields as the service takes them."""
        given = self.cleaned_data
        return {"force": given["forceGateOverride"], "reason": given["overrideReason"].replace("\r\n", "\n")}


class CommentForm(Form):
    """What a person says to her decision."""

    comment = forms.CharField(
        label="Why do you agree, or not?",
        help_text="Kept with the receipt, beside your name.",
        error_messages={"required": WORDS},
        max_length=MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class WithdrawForm(Form):
    """Why the requester takes it back."""

    comment = forms.CharField(
        label="Why do you take it back?",
        error_messages={"required": WORDS},
        max_length=MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
