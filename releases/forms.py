"""Forms of the registry: filters of the list, a registration, a prompt's new version.

They read what a person typed and name the fields; every rule is the services', whose errors come back beside the
field that they are about.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms

from relcontrol.accounts.models import Route
from relcontrol.bundle.artifacts import CLIENT_SYSTEM, MAX_TEXT
from relcontrol.bundle.components import SERVING, TITLES
from relcontrol.bundle.generation import LIMITS
from relcontrol.bundle.refs import MODEL_KINDS
from relcontrol.errors import DomainError, FieldError
from relcontrol.web.forms import Form, add_domain_errors
from releases.models import Release

MAX_REF: Final = 300
DECIMALS: Final = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
WHOLES: Final = (*LIMITS, "seed")
MODEL_KIND_WORDS: Final = {"open_weights": "Open weights", "closed_api": "Closed API"}
CLIENT_SYSTEM_WORDS: Final = {
    "append": "Append them after this prompt",
    "replace": "Let them replace this prompt",
    "refuse": "Refuse the request",
}
# What services call a part -> the field of the form that it is typed into.
FIELD_OF: Final = {
    "routing": "route",
    "application": "route",
    "prompt_template": "prompt_template_ref",
    "preprocessing": "preprocessing_ref",
    "dataset": "dataset_version",
    "ref": "version",
}


def _ref(label: str, hint: str = "", *, required: bool = False, names: str = "") -> forms.CharField:
    attrs = {"autocomplete": "off", "spellcheck": "false", "class": "mono"} | ({"list": names} if names else {})
    widget = forms.TextInput(attrs=attrs)
    return forms.CharField(label=label, help_text=hint, required=required, max_length=MAX_REF, widget=widget)


def _setting(label: str, hint: str = "") -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "inputmode": "decimal"})
    return forms.CharField(label=label, help_text=hint, required=False, max_length=40, widget=widget)


class FilterForm(Form):
    """What the list of releases is narrowed to; all of it stands in the address."""

    application = forms.ChoiceField(label="Application", required=False)
    route = forms.ChoiceField(label="Route", required=False)
    delivery = forms.ChoiceField(label="Stage", required=False, choices=[("", "Any stage"), *Release.Delivery.choices])
    model = forms.CharField(label="Model", required=False, max_length=MAX_REF)

    def __init__(self, *args: Any, routes: Iterable[Route], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = list(routes)
        slugs = dict.fromkeys(route.application.slug for route in known)
        self.fields["application"].choices = [("", "Any application"), *((slug, slug) for slug in slugs)]  # type: ignore[attr-defined]
        self.fields["route"].choices = [("", "Any route"), *route_choices(known)]  # type: ignore[attr-defined]


def route_choices(routes: Iterable[Route]) -> list[tuple[str, str]]:
    """Routes with their application, as they stand in a select."""
    return [(route.pk, f"{route.application.slug} · {route.name}") for route in routes]


class RegisterForm(Form):
    """A registration as a person fills it in; `base` is the release that the other components come from."""

    route = forms.ChoiceField(label="Which application and route?")
    model_ref = _ref("Model", "Such as hf:org/repo@rev, openai:gpt-4o or endpoint:name/model.", required=True)
    model_kind = forms.ChoiceField(
        label="Kind of model",
        required=False,
        choices=[("", "As its name says"), *((kind, MODEL_KIND_WORDS[kind]) for kind in MODEL_KINDS)],
    )
    weights_sha256 = _ref("Digest of the weights", "What the receipt will declare; leave it empty if nobody took one.")
    adapter_ref = _ref("Adapter")
    prompt_template_ref = _ref(
        "Prompt", "A name and version, such as templates/legal-qa@v14.", required=True, names="known-prompts"
    )
    preprocessing_ref = _ref(
        "Preprocessing", "Empty means that the input goes through as it is.", names="known-preprocessing"
    )
    dataset_version = _ref("Suite", "The questions that its gate run will ask.", required=True, names="known-suites")
    temperature = _setting("Temperature")
    top_p = _setting("Top p")
    frequency_penalty = _setting("Frequency penalty")
    presence_penalty = _setting("Presence penalty")
    max_tokens = _setting("Max tokens")
    max_completion_tokens = _setting("Max completion tokens", "In place of max tokens, for OpenAI's reasoning models.")
    seed = _setting("Seed")
    stop = forms.CharField(
        label="Stop words",
        help_text="One on each line.",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "class": "mono"}),
    )
    previous_release = _ref(
        "Previous release",
        "What it is compared with: an id or a manifest SHA-256. Empty means what the route serves.",
        names="known-releases",
    )
    acknowledged_changes = forms.MultipleChoiceField(
        label="Which of these changes do you mean?",
        help_text="Tick every one of them, and name the previous release; the receipt will list them.",
        required=False,
        choices=[(name, TITLES[name].capitalize()) for name in SERVING],
        widget=forms.CheckboxSelectMultiple,
    )
    base = forms.CharField(required=False, max_length=MAX_REF, widget=forms.HiddenInput)

    def __init__(self, *args: Any, routes: Iterable[Route], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["route"].choices = route_choices(routes)  # type: ignore[attr-defined]
        self.asks_for: list[str] = []

    def generation(self) -> dict[str, Any]:
        """The settings that were filled in, as they were typed."""
        given = self.cleaned_data
        settings: dict[str, Any] = {name: given[name] for name in (*DECIMALS, *WHOLES) if given[name]}
        stops = [line for line in unix_lines(given["stop"]).split("\n") if line]
        return settings | ({"stop": stops} if stops else {})

    def refuse(self, error: DomainError) -> None:
        """Show an error of the service, and the changes to tick where it is that they were not acknowledged."""
        self.asks_for = _changes_to_acknowledge(error) or self.cleaned_data["acknowledged_changes"]
        self.fields["acknowledged_changes"].choices = [(name, TITLES[name].capitalize()) for name in self.asks_for]  # type: ignore[attr-defined]
        unseen = () if self.asks_for else ("acknowledged_changes",)
        add_domain_errors(self, on_fields(error, unseen))


def _changes_to_acknowledge(error: DomainError) -> list[str]:
    """The changed serving components, where ticking them is the way on."""
    if error.code not in ("several_changes", "baseline_required"):
        return []
    changes: Iterable[Mapping[str, Any]] = error.state.get("changes", ())
    return [change["component"] for change in changes if change["kind"] == "serving"]


class PromptForm(Form):
    """A prompt's next version."""

    version = forms.CharField(
        label="What is this version called?",
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
    )
    system = forms.CharField(
        label="System prompt",
        help_text="{{ name }} is filled in from the request; nothing else is interpreted.",
        required=False,
        strip=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 14, "class": "mono", "spellcheck": "true"}),
    )
    user = forms.CharField(
        label="User template",
        help_text="Empty means that the user's own message goes through. Else it needs {{ input }}.",
        required=False,
        strip=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5, "class": "mono", "spellcheck": "true"}),
    )
    client_system = forms.ChoiceField(
        label="If the client sends system messages of its own",
        choices=[(name, CLIENT_SYSTEM_WORDS[name]) for name in CLIENT_SYSTEM],
    )

    def value(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """The artifact, with the line ends of the version that it was edited from."""
        given = self.cleaned_data
        return {
            "kind": "prompt_template",
            "system": lines_as_in(given["system"], source["system"]),
            "user": lines_as_in(given["user"], source["user"] or "") or None,
            "client_system": given["client_system"],
        }


def unix_lines(text: str) -> str:
    r"""Browsers send every line end as \r\n, whatever it was."""
    return text.replace("\r\n", "\n")


def lines_as_in(text: str, source: str) -> str:
    r"""`text` with the line ends of `source`, so that a one-word edit does not change every line."""
    lines = unix_lines(text)
    only_crlf = "\r\n" in source and "\n" not in source.replace("\r\n", "")
    return lines.replace("\n", "\r\n") if only_crlf else lines


def on_fields(error: DomainError, unseen: Iterable[str] = ()) -> DomainError:
    """The same error with the names of a form's fields; what is about a field in `unseen` stands above the form."""
    renamed = [FieldError(_field_of(wrong.field, unseen), wrong.message) for wrong in error.errors]
    return type(error)(error.detail, code=error.code, errors=renamed, state=error.state)


def _field_of(name: str, unseen: Iterable[str]) -> str:
    """`generation.temperature` is typed into `temperature`, `prompt_template.system` into the prompt's field."""
    first, _, rest = name.partition(".")
    if first in ("generation", "value") and rest:
        return rest.partition("[")[0]
    field = first.partition("[")[0]
    return "Changes" if field in unseen else FIELD_OF.get(field, field)
