"""The form of the lineage page: any id of an answer, or a route and a time; all of it stands in the address."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django import forms

from relcontrol.accounts.models import Route
from relcontrol.web.forms import Form
from releases.forms import route_choices

MAX_ID: Final = 2_000
MINUTE: Final = "%Y-%m-%dT%H:%M:%S"


class LineageForm(Form):
    """Exactly one of both questions."""

    q = forms.CharField(
        label="Request, trace or conversation",
        help_text="An answer’s X-Request-Id, a trace id, or what the application calls the conversation or user.",
        required=False,
        max_length=MAX_ID,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    route = forms.ChoiceField(label="Route", required=False)
    at = forms.DateTimeField(
        label="Time, UTC",
        required=False,
        widget=forms.DateTimeInput(format=MINUTE, attrs={"type": "datetime-local", "step": "1"}),
        error_messages={"invalid": "Write a time of UTC such as 2026-11-20 14:03:00."},
    )

    def __init__(self, *args: Any, routes: Iterable[Route], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["route"].choices = [("", "Choose a route"), *route_choices(routes)]  # type: ignore[attr-defined]

    def clean_q(self) -> str:
        """No id has a NUL character, which PostgreSQL does not keep."""
        return str(self.cleaned_data["q"]).replace("\0", "")

    def clean(self) -> dict[str, Any]:
        """A look-up, or both parts of the other question."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if given.get("q") or self.errors:
            return given
        if not given.get("route"):
            self.add_error("route", "Choose the route, or give an id above.")
        if not given.get("at"):
            self.add_error("at", "Say when, such as 2026-11-20 14:03:00.")
        return given

    def clean_at(self) -> datetime | None:
        """The time, in UTC."""
        at: datetime | None = self.cleaned_data["at"]
        return at.astimezone(UTC) if at is not None else None
