"""Forms of the privacy pages: lines of redactions, whom to erase, and whom once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Final

from django import forms

from audit.administration.redactions import MAX_REDACTIONS
from relcontrol.errors import Invalid
from relcontrol.web.forms import Form
from releases.privacy.erasing import MAX_REASON, MAX_SUBJECT, checked_reason
from releases.privacy.redaction import Redactor

MAX_SAMPLE: Final = 10_000
BY: Final = [("subject", "By the name in the requests"), ("request", "By the id of one request")]


@dataclass(frozen=True, slots=True)
class Line:
    """One redaction as it stands in the form, and what is wrong with it."""

    pattern: str = ""
    replacement: str = ""
    problem: str = ""

    @property
    def redaction(self) -> dict[str, str]:
        """As the service takes it."""
        return {"pattern": self.pattern, "with": self.replacement}


@dataclass(frozen=True, slots=True)
class Tried:
    """What redactions make of a text."""

    text: str = ""
    changed: bool = False
    problem: str = ""


class EraseForm(Form):
    """Whom, and why."""

    by = forms.ChoiceField(label="Find them", choices=BY, initial="subject", widget=forms.RadioSelect)
    private_subject = forms.CharField(
        label="Whom?",
        max_length=MAX_SUBJECT,
        strip=False,
        help_text="A conversation, a user, a tenant: the word in the requests, or the id of a request. It is not kept.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    reason = forms.CharField(
        label="Why?",
        max_length=MAX_REASON,
        help_text="It stays, in the list and in a receipt: do not name them.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        """The reason must not name whom it is about."""
        given = super().clean() or self.cleaned_data
        if given.get("reason") and given.get("private_subject"):
            try:
                given["reason"] = checked_reason(given["reason"], given["private_subject"])
            except Invalid as error:
                self.add_error("reason", error.detail)
        return given


class SureForm(Form):
    """The server's half of the word that must be typed again."""

    private_typed = forms.CharField(required=False, strip=False)

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_private_typed(self) -> str:
        """Refuse anything but the same word."""
        typed: str = self.cleaned_data["private_typed"]
        if typed != self.expected:
            raise forms.ValidationError("Type whom you erase once more, exactly as above; nothing was done.")
        return typed


def lines_of(sent: Mapping[str, Any]) -> list[Line]:
    """The lines of a form as it was sent, or as it comes back from the step-up; empty ones are left out."""
    pairs = zip_longest(_texts(sent, "pattern"), _texts(sent, "with"), fillvalue="")
    return [Line(pattern, replacement) for pattern, replacement in pairs if pattern or replacement][
        : MAX_REDACTIONS + 1
    ]


def marked(lines: Sequence[Line], error: Invalid) -> list[Line]:
    """The lines, each with what is wrong with it."""
    said: dict[int, list[str]] = {}
    for wrong in error.errors:
        number = wrong.field.partition("[")[2].partition("]")[0]
        said.setdefault(int(number) if number.isdecimal() else 0, []).append(wrong.message)
    return [replace(line, problem=" ".join(said.get(index, ()))) for index, line in enumerate(lines)]


def tried(redactions: Sequence[Mapping[str, str]], sample: str) -> Tried:
    """What redactions that were checked make of a text."""
    text = Redactor(redactions).text(sample[:MAX_SAMPLE])
    return Tried(text, changed=text != sample[:MAX_SAMPLE])


def _texts(sent: Mapping[str, Any], name: str) -> list[str]:
    """A form gives its values by `getlist`; one that waited in the session has a text or a list."""
    if hasattr(sent, "getlist"):
        return list(sent.getlist(name))
    value = sent.get(name, [])
    return [value] if isinstance(value, str) else list(value)
