"""The forms of slices: one slice in plain words, and a file of many.

They read what a person typed and name the fields; every rule is the services', whose errors come back beside the
field that they are about.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.http import QueryDict

from gates.models import Slice
from gates.slices.files import MAX_BYTES, as_fields
from gates.slices.rules import MAX_DESCRIPTION, MAX_N_MIN, MAX_NAME, MAX_THRESHOLD, decimal_text
from gates.statistics.limits import shown
from relcontrol.errors import DomainError, FieldError
from relcontrol.web.forms import Form, add_domain_errors
from relcontrol.web.words import size

POLICY_CHOICES: Final = (
    ("point", "The measured value decides"),
    ("guarded", "A person signs when it is close"),
    ("confident", "Only proof decides"),
)
POLICY_HINTS: Final = {
    "point": "At or above the threshold passes, below it fails.",
    "guarded": "Below fails. Above passes only if the whole interval is above; else somebody decides.",
    "confident": "Passes or fails only if the whole interval is on one side; else more cases are needed.",
}
MATCH_CHOICES: Final = (
    ("", "No rule yet"),
    ("metadata", "By metadata that the trace carries"),
    ("locale", "By language"),
    ("pattern", "By a text pattern"),
    ("judge", "By a judge that sorts them"),
)
MATCH_WORDS: Final = {"locale": "a language", "pattern": "a pattern", "judge": "a judge", "metadata": "metadata"}
FIELD_OF_MATCH: Final = {"locale": "match_locale", "pattern": "match_pattern", "judge": "match_judge"}
METADATA_ROWS: Final = 8
SUGGESTED: Final = ("name", "slug", "match_kind", "match_locale", "match_pattern")

_TYPED: Final = re.compile(r"true|false|-?(?:0|[1-9][0-9]*)|\".*\"")


class PolicyChoices(forms.RadioSelect):
    """The policies as cards, each with a hint below its words."""

    template_name = "gates/slices/choices.html"

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """An option with its hint."""
        option = super().create_option(*args, **kwargs)
        return option | {"hint": POLICY_HINTS[str(option["value"])]}


class MetadataRows(forms.Widget):
    """Names and values side by side; there are always some empty rows more, up to the most that a rule may have."""

    template_name = "gates/slices/metadata_rows.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """The rows that there are and some that are empty."""
        rows = [tuple(pair) for pair in value or ()]
        empty = max(3 - len(rows), min(1, METADATA_ROWS - len(rows)))
        return super().get_context(name, value, attrs) | {"rows": rows + [("", "")] * max(0, empty), "name": name}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        """The rows in which something was written."""
        keys, values = (data.getlist(f"{name}_{part}") for part in ("key", "value"))
        pairs = [(key.strip(), value.strip()) for key, value in zip(keys, values, strict=False)]
        return [pair for pair in pairs if any(pair)]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Rows are told by their parts."""
        return f"{name}_key" not in data


class SliceForm(Form):
    """One slice as a domain owner fills it in."""

    name = forms.CharField(
        label="What do your experts call it?",
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    slug = forms.CharField(
        label="What do cases call it?",
        help_text="Lower-case letters, digits and -. It never changes. Left out, it is made of the name.",
        required=False,
        max_length=63,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    description = forms.CharField(
        label="What belongs here?",
        help_text="Write it as you would for a new colleague. Cases are sorted by this sentence.",
        required=False,
        max_length=MAX_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    application = forms.ChoiceField(label="Which application is it judged in?", required=False)
    parent = forms.ChoiceField(label="What is it a part of?", required=False)
    judge = forms.CharField(
        label="Which judge scores its answers?",
        help_text="Such as rules:default@1, which is always there. Left out, a gate run names one.",
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono", "list": "known-judges"}
        ),
    )
    threshold = forms.DecimalField(
        label="How closely must the judge agree with your experts?",
        help_text="0 is no agreement, 1 is the same ranking. Left out, the slice is shown and never stops a release.",
        required=False,
        max_digits=5,
        decimal_places=4,
        widget=forms.NumberInput(attrs={"min": "0.01", "max": str(MAX_THRESHOLD), "step": "0.01"}),
    )
    policy = forms.ChoiceField(label="How sure must we be?", choices=POLICY_CHOICES, widget=PolicyChoices)
    quality_floor = forms.DecimalField(
        label="How good must its answers be on average?",
        help_text="From 0 to 1. Left out, the previous release’s level less 0.05 is the floor.",
        required=False,
        max_digits=5,
        decimal_places=4,
        widget=forms.NumberInput(attrs={"min": "0", "max": "1", "step": "0.01"}),
    )
    owner = forms.ChoiceField(label="Who owns it?", required=False)
    n_min = forms.IntegerField(
        label="Fewest cases to judge at all",
        min_value=1,
        max_value=MAX_N_MIN,
        widget=forms.NumberInput(attrs={"step": "1"}),
    )
    match_kind = forms.ChoiceField(label="How is a live trace known to belong here?", required=False)
    match_metadata = forms.Field(
        label="Metadata",
        help_text='All of these must be equal. true, false and whole numbers count as such unless in "quotes".',
        required=False,
        widget=MetadataRows,
    )
    match_locale = forms.CharField(label="Language", help_text="Such as fr or fr-BE.", required=False, max_length=80)
    match_pattern = forms.CharField(
        label="Pattern", help_text="Such as licen[cs]e|royalt(y|ies).", required=False, max_length=1000
    )
    match_judge = forms.CharField(
        label="Sorting judge", help_text="Such as external:topics@1.", required=False, max_length=200
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        target: Slice | None,
        choices: Mapping[str, Sequence[tuple[str, str]]],
        ceiling: float | None = None,
        **kwargs: Any,
    ) -> None:
        initial = initial_of(target) | kwargs.pop("initial", {})
        super().__init__(*args, initial=initial, **kwargs)
        self.target = target
        if ceiling is not None:
            self.fields["threshold"].help_text += f" Your own experts agree with each other at {shown(ceiling)}."
        self.fields["match_kind"].choices = MATCH_CHOICES  # type: ignore[attr-defined]
        for name, offered in choices.items():
            known = {value for value, _ in offered}
            kept = [(value, value)] if (value := initial.get(name) or "") and value not in known else []
            self.fields[name].choices = [*offered, *kept]  # type: ignore[attr-defined]
        if target is not None:
            del self.fields["slug"]

    def clean(self) -> dict[str, Any]:
        """The match rule of its parts; a slug of the name where none is given."""
        given: dict[str, Any] = self.cleaned_data
        given["match"] = self._match(given)
        if self.target is None and not given.get("slug"):
            given["slug"] = slug_of(given.get("name", ""))
            if not given["slug"]:
                self.add_error("slug", "Write one: the name has no letters to make it of.")
        return given

    def _match(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        kind = given.get("match_kind", "")
        for other in MATCH_WORDS:
            if other != kind and given.get(f"match_{other}") and not self._was_there(other, given):
                self.add_error("match_kind", f"You wrote {MATCH_WORDS[other]} below and chose another way.")
        if not kind:
            return None
        if kind == "metadata":
            return {"metadata": {key: value_of(text) for key, text in given.get("match_metadata") or ()}}
        value = given.get(f"match_{kind}") or ""
        if not value:
            self.add_error(f"match_{kind}", f"Name {MATCH_WORDS[kind]}, or choose another way above.")
        return {kind: value}

    def _was_there(self, kind: str, given: Mapping[str, Any]) -> bool:
        """Whether the words of another kind are left over from the rule that held, not written now."""
        return bool(self.initial.get(f"match_{kind}") == given.get(f"match_{kind}"))

    def fields_given(self) -> dict[str, Any]:
        """What was given, as the services take it."""
        given = self.cleaned_data
        texts = {name: given[name] or None for name in ("application", "parent", "owner", "judge")}
        same = {name: given[name] for name in ("name", "description", "policy", "n_min", "match")}
        return texts | same | {"threshold": given["threshold"], "quality_floor": given["quality_floor"]}

    def changes(self) -> dict[str, Any]:
        """What was given and differs from the slice: what one did not touch is not sent."""
        if self.target is None:
            return self.fields_given()
        held = as_fields(self.target)
        return {name: value for name, value in self.fields_given().items() if value != held[name]}

    def refuse(self, error: DomainError) -> None:
        """Put a service's error on the fields that it names."""
        moved = [FieldError(self._field_of(item.field), item.message) for item in error.errors]
        add_domain_errors(self, type(error)(error.detail, code=error.code, errors=moved, state=error.state))

    def _field_of(self, path: str) -> str:
        start, _, kind = path.partition(".")
        if start != "match":
            return path
        return FIELD_OF_MATCH.get(kind.partition(".")[0], "match_metadata" if kind else "match_kind")


class ImportForm(Form):
    """A file of slices."""

    file = forms.FileField(
        label="Which file?",
        help_text="JSON or CSV as the export writes it. Slices that are not in it stay as they are.",
        widget=forms.ClearableFileInput(attrs={"accept": ".json,.csv"}),
    )

    def clean_file(self) -> Any:
        """Refuse what is larger than a file of slices can be."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"At most {size(MAX_BYTES)}; this file has {size(file.size)}.")
        return file


def initial_of(target: Slice | None) -> dict[str, Any]:
    """What stands in the form at first."""
    if target is None:
        return {"threshold": "0.65", "policy": str(Slice.Policy.POINT), "n_min": 20}
    fields = as_fields(target)
    numbers = {name: decimal_text(fields[name]) for name in ("threshold", "quality_floor")}
    return fields | numbers | {"revision": target.revision} | _initial_match(target.match)


def suggested(query: QueryDict) -> dict[str, Any]:
    """What an address asks the form of a new slice to begin with, such as that of a suggestion."""
    plain = {name: query[name] for name in SUGGESTED if name in query}
    pairs = MetadataRows().value_from_datadict(query, {}, "match_metadata")[:METADATA_ROWS]
    return plain | ({"match_metadata": pairs} if pairs else {})


def _initial_match(match: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = next(iter(match or {}), "")
    value = (match or {}).get(kind)
    if kind == "metadata" and isinstance(value, Mapping):
        value = [(key, text_of(inner)) for key, inner in value.items()]
    return {"match_kind": kind} | ({f"match_{kind}": value} if kind else {})


def value_of(text: str) -> str | int | bool:
    """What a cell of metadata says: a truth, a whole number, or a text."""
    if not _TYPED.fullmatch(text):
        return text
    try:
        value: str | int | bool = json.loads(text)
    except ValueError:
        return text
    return value


def text_of(value: str | int | bool) -> str:
    """What is written for a value, so that `value_of` gives it back."""
    plain = isinstance(value, str) and not _TYPED.fullmatch(value)
    return str(value) if plain else json.dumps(value, ensure_ascii=False)


def slug_of(name: str) -> str:
    """A slug for a name: IP licensing is ip-licensing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].strip("-")


def offered(rows: Iterable[tuple[str, str]], nothing: str) -> list[tuple[str, str]]:
    """Choices of a select that can be left at nothing."""
    return [("", nothing), *rows]
