"""What the list of traces is narrowed to; all of it stands in the address, with the names of the API."""

from collections.abc import Iterable
from typing import Any, Final

from django import forms

from relcontrol.accounts.models import Organization, Route
from relcontrol.errors import NotFound
from relcontrol.web.forms import Form
from releases.forms import MAX_REF, route_choices
from releases.pages.trace_wording import ARMS, end_words
from releases.traces.paging import release_sha
from releases.traces.selectors import NONE

WITHOUT: Final = "-"  # no slug and no error is called so; an empty field of a form is no filter
MAX_ID: Final = 100


def _text(label: str, **attrs: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono", **attrs})
    return forms.CharField(label=label, required=False, max_length=MAX_REF, widget=widget)


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "placeholder": "2026-11-20 14:03"})
    wrong = {"invalid": "Write a time of UTC such as 2026-11-20 14:03."}
    return forms.DateTimeField(label=label, required=False, widget=widget, error_messages=wrong)


class TraceFilterForm(Form):
    """The filters of the list of traces."""

    route = forms.ChoiceField(label="Route", required=False)
    slice = forms.ChoiceField(label="Slice", required=False)
    arm = forms.ChoiceField(label="Arm", required=False, choices=[("", "Any arm"), *ARMS.items()])
    error = forms.ChoiceField(
        label="Ended", required=False, choices=[("", "In any way"), (WITHOUT, "Answered"), *end_words()]
    )
    release = _text("Release")
    rollout = _text("Rollout")
    request_id = _text("Request")
    since = _moment("From (UTC)")
    until = _moment("To (UTC)")

    def __init__(
        self, *args: Any, organization: Organization, routes: Iterable[Route], slices: Iterable[tuple[str, str]]
    ) -> None:
        super().__init__(*args)
        self.organization = organization
        self.fields["route"].choices = [("", "Any route"), *route_choices(routes)]  # type: ignore[attr-defined]
        self.fields["slice"].choices = [("", "Any slice"), (WITHOUT, "Unassigned"), *slices]  # type: ignore[attr-defined]

    def add_prefix(self, field_name: str) -> str:
        """`from` is no name of Python's."""
        return {"since": "from", "until": "to"}.get(field_name, field_name)

    def clean_release(self) -> str:
        """The SHA-256 of a release by any of its names."""
        text: str = self.cleaned_data["release"]
        try:
            return release_sha(self.organization, text) if text else ""
        except NotFound as error:
            raise forms.ValidationError(error.detail) from error

    @property
    def filtered(self) -> bool:
        """Whether anything was asked for."""
        return any(self.data.get(self.add_prefix(name)) for name in self.fields)

    def wanted(self) -> dict[str, Any]:
        """The filters as `traces_of` takes them."""
        given = {name: value or None for name, value in self.cleaned_data.items()}
        return {name: NONE if value == WITHOUT else value for name, value in given.items()}
