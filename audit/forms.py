"""Forms of the audit pages: what to look for, which range to verify, what to export. All times are UTC."""

from typing import Any

from django import forms

from audit.events import ALIASES, Event
from audit.examination import MOST_IN_RANGE
from audit.exporting.scopes import LONGEST_NAME
from audit.models import Export
from relcontrol.accounts.models import Application
from relcontrol.errors import DomainError, NotFound
from relcontrol.web.forms import Form

MINUTE = "%Y-%m-%dT%H:%M"
MOST_DIGITS = 2**53 - 1
ORGANIZATION, APPLICATION, RELEASE, PERSON = "organization", "application", "release", "person"
NAMED = (APPLICATION, RELEASE, PERSON)
SCOPES = (
    (ORGANIZATION, "The whole organization"),
    (APPLICATION, "One application"),
    (RELEASE, "One release"),
    (PERSON, "What one person did"),
)


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format=MINUTE, attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, required=False, widget=widget)


class TimeRangeForm(Form):
    """A time range; both ends may be open."""

    start = _moment("From, UTC")
    end = _moment("Until, UTC")

    def clean(self) -> dict[str, Any]:
        """The end comes after the start."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = given.get("start"), given.get("end")
        if start and end and start >= end:
            self.add_error("end", "The time range must end after it starts.")
        return given


def _event_choices() -> list[Any]:
    families: dict[str, list[tuple[str, str]]] = {}
    for event in Event:
        families.setdefault(event.family.replace("_", " "), []).append((event.value, event.value))
    short = ("short names", [(name, name) for name in ALIASES])
    return [("", "Any event"), *families.items(), short]


class SearchForm(TimeRangeForm):
    """What to look for; it travels in the address. Its fields stand in a row, so the page places them."""

    q = forms.CharField(
        label="Search receipts",
        required=False,
        max_length=320,
        widget=forms.TextInput(attrs={"placeholder": "#12, a hash, a person, a release such as r3, an event"}),
    )
    event = forms.ChoiceField(label="Event", required=False, choices=_event_choices)
    field_order = ("q", "event", "start", "end")


class RangeForm(Form):
    """Numbers of receipts, both included."""

    first = forms.IntegerField(label="From receipt", min_value=1, max_value=MOST_DIGITS)
    last = forms.IntegerField(label="To receipt", min_value=1, max_value=MOST_DIGITS)

    def clean(self) -> dict[str, Any]:
        """In order, and no more than one request can verify."""
        given: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = given.get("first"), given.get("last")
        if first and last and first > last:
            self.add_error("last", "The last number must not be below the first.")
        elif first and last and last - first >= MOST_IN_RANGE:
            self.add_error("last", f"At most {MOST_IN_RANGE:,} at once; for more make an export and verify it offline.")
        return given


class ExportForm(TimeRangeForm):
    """One scope, what its reader may open, and a time range."""

    scope = forms.ChoiceField(
        label="What should it hold?", choices=SCOPES, initial=ORGANIZATION, widget=forms.RadioSelect
    )
    application = forms.ChoiceField(
        label="Application", required=False, error_messages={"required": "Name the application."}
    )
    release = forms.CharField(
        label="Release",
        required=False,
        max_length=100,
        help_text="Its id (rel_…) or 12 or more digits of its manifest SHA-256.",
        error_messages={"required": "Name the release."},
    )
    person = forms.CharField(
        label="Person",
        required=False,
        max_length=LONGEST_NAME,
        help_text="Her name, e-mail address or id. The name of a service token works too.",
        error_messages={"required": "Name the person."},
    )
    opens = forms.ChoiceField(
        label="What may its reader open?",
        required=False,
        choices=Export.Opens.choices,
        initial=Export.Opens.ALL,
        help_text="Receipts commit to details without showing them. What is left out stays closed to this reader.",
    )
    field_order = ("scope", "application", "release", "person", "opens", "start", "end")
    use_required_attribute = False  # a browser would ask for the fields of other scopes, too, which it does not show

    def __init__(self, *args: Any, applications: list[Application], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in self._asked_for():
            self.fields[kind].required = True
        choices = [("", "Choose one"), *((row.slug, row.name) for row in applications)]
        self.fields[APPLICATION].choices = choices  # type: ignore[attr-defined]  # it is a choice field

    def clean(self) -> dict[str, Any]:
        """What is wrong with a field that is not shown does not matter."""
        given = super().clean()
        for kind in NAMED:
            if kind != given.get("scope"):
                self.errors.pop(kind, None)
        return given

    def add_refusal(self, error: DomainError) -> None:
        """What the service says of whom or what was named stands at the field that names it."""
        kind = self.cleaned_data["scope"]
        for wrong in error.errors:
            field = wrong.field.removeprefix("scope.")
            self.add_error(field if field in self.fields else None, wrong.message)
        if not error.errors:
            self.add_error(kind if isinstance(error, NotFound) and kind in NAMED else None, error.detail)

    def _asked_for(self) -> tuple[str, ...]:
        """What must be named: in a form that was sent what its scope is about, in a new one whichever is chosen."""
        if not self.is_bound:
            return NAMED
        return tuple(kind for kind in NAMED if kind == self.data.get(self.add_prefix("scope")))

    @property
    def asked(self) -> dict[str, Any]:
        """The scope as the service takes it."""
        kind = self.cleaned_data["scope"]
        return {kind: True if kind == ORGANIZATION else self.cleaned_data[kind]}
