"""The form that saves a scope: that of an export, with a name."""

from django import forms

from audit.forms import ExportForm
from audit.scopes.saved import MAX_NAME


class SavedScopeForm(ExportForm):
    """A scope under a name."""

    name = forms.CharField(label="What do you call it?", help_text="Such as Quarterly audit.", max_length=MAX_NAME)
    field_order = ("name", *ExportForm.field_order)  # type: ignore[assignment]  # the items are counted
