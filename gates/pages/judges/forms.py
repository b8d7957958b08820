"""Forms of new judges, one for each kind, in plain words; every rule is the service's (gates.judge_making)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms

from gates.llm_judge.definition import MAX_DRAWS, MAX_TEXT, MAX_TOKENS
from relcontrol.errors import DomainError, FieldError
from relcontrol.web.forms import Form, add_domain_errors

KINDS: Final = (
    ("llm", "A model"),
    ("rules", "Rules"),
    ("composition", "Rules and a model"),
    ("external", "Scores from elsewhere"),
)
AGGREGATIONS: Final = (("mean", "their mean"), ("median", "their median"), ("lowest", "the lowest"))
LIMITS: Final = (("max_tokens", "max_tokens"), ("max_completion_tokens", "max_completion_tokens (newer OpenAI models)"))
STRUCTURED: Final = (
    ("json_schema", "a JSON schema (best)"),
    ("json_object", "any JSON object"),
    ("none", "nothing; the prompt asks for JSON"),
)
SYSTEM: Final = "You grade answers for experts of the subject. Be strict, and give the reason before the score."
USER: Final = (
    "Question:\n{{ input }}\n\nAnswer to grade:\n{{ answer }}\n\n"
    "1: wrong or misleading. 3: right in the main, with gaps. 5: right, complete and clear."
)
MOST_SEED: Final = 2**31 - 1
MONO: Final = {"autocomplete": "off", "spellcheck": "false", "class": "mono"}
# Where the service's fields are deeper than the form's.
FIELD_OF: Final[Mapping[str, str]] = {
    "prompt.system": "system",
    "prompt.user": "user",
    "parameters.temperature": "temperature",
    "parameters.max_tokens": "max_tokens",
    "parameters.structured": "structured",
    "parameters.limit_field": "limit_field",
    "parameters.answers_as": "answers_as",
    "parameters.seed": "seed",
    "rules.must_match": "must_match",
    "rules.must_not_match": "must_not_match",
    "rules.min_chars": "min_chars",
    "rules.max_chars": "max_chars",
}


class JudgeForm(Form):
    """The name, which every kind has; `kind` goes before it."""

    kind = ""
    name = forms.CharField(
        label="What is it called?",
        help_text="A name and a version, such as legal-rubric@1. It never changes: a better one is another version.",
        max_length=160,
        widget=forms.TextInput(attrs={"placeholder": "legal-rubric@1", **MONO}),
    )

    def order(self) -> tuple[str, dict[str, Any]]:
        """Name and fields, as the service takes them."""
        name: str = self.cleaned_data["name"]
        return f"{self.kind}:{name.removeprefix(f'{self.kind}:')}", self.fields_given()

    def fields_given(self) -> dict[str, Any]:
        """Everything but the name."""
        raise NotImplementedError

    def refuse(self, error: DomainError) -> None:
        """Put a service's error on the fields that it names."""
        moved = [FieldError(_field_of(each.field), each.message) for each in error.errors]
        add_domain_errors(self, type(error)(error.detail, code=error.code, errors=moved, state=error.state))


def _field_of(path: str) -> str:
    plain = path.partition("[")[0]
    return FIELD_OF.get(plain, plain)


class ScaleForm(JudgeForm):
    """A judge whose scale is said with it."""

    low = forms.CharField(label="Lowest score", initial="1", max_length=20)
    high = forms.CharField(label="Highest score", initial="5", max_length=20)

    @property
    def scale(self) -> list[str]:
        """As the service takes it."""
        return [self.cleaned_data["low"].strip(), self.cleaned_data["high"].strip()]

    def refuse(self, error: DomainError) -> None:
        """A scale that is none stands at its lowest end."""
        moved = [
            FieldError("low" if each.field.startswith("scale") else each.field, each.message) for each in error.errors
        ]
        super().refuse(type(error)(error.detail, code=error.code, errors=moved, state=error.state))


class ModelForm(ScaleForm):
    """A judge that is a model."""

    kind = "llm"
    endpoint = forms.ChoiceField(label="Which endpoint answers?")
    model = forms.CharField(label="Which model, as it calls it?", max_length=200, widget=forms.TextInput(attrs=MONO))
    system = forms.CharField(
        label="Who is it?",
        help_text="The system’s part. What stands between tags is data, we add that ourselves.",
        required=False,
        initial=SYSTEM,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
    )
    user = forms.CharField(
        label="What shall it look at?",
        help_text="With {{ input }} and {{ answer }}, each once. We add the form of its reply.",
        initial=USER,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 9, "class": "mono"}),
    )
    reference = forms.BooleanField(
        label="It gets the reference answer",
        help_text="Then {{ reference }} must stand in the text as well.",
        required=False,
    )
    draws = forms.IntegerField(
        label="How often is it asked?",
        help_text="More agree better with experts, and cost more.",
        initial=1,
        min_value=1,
        max_value=MAX_DRAWS,
    )
    aggregation = forms.ChoiceField(
        label="What counts of several?", help_text="Of one it is that one.", choices=AGGREGATIONS
    )
    answers_as = forms.CharField(
        label="By which name does it answer?",
        help_text="If by another one, such as gpt-4o-2024-08-06 for gpt-4o. What others answer does not count.",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs=MONO),
    )
    temperature = forms.CharField(
        label="Temperature", help_text="Left out, none is sent.", initial="0.7", required=False, max_length=10
    )
    seed = forms.IntegerField(
        label="Seed", help_text="Each draw counts on from it.", required=False, min_value=0, max_value=MOST_SEED
    )
    max_tokens = forms.IntegerField(label="Most tokens of a reply", initial=512, min_value=1, max_value=MAX_TOKENS)
    limit_field = forms.ChoiceField(label="What does the server call that limit?", choices=LIMITS, required=False)
    structured = forms.ChoiceField(label="What holds it to its form?", choices=STRUCTURED)

    def __init__(self, *args: Any, endpoints: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["endpoint"].choices = [(name, name) for name in endpoints]  # type: ignore[attr-defined]
        if not endpoints:
            self.fields["endpoint"].help_text = "There is none yet: an administrator adds one in Settings."

    def fields_given(self) -> dict[str, Any]:
        """As the service takes them."""
        given = self.cleaned_data
        same = {name: given[name] for name in ("endpoint", "model", "reference", "draws", "aggregation")}
        asked = {name: given[name] for name in ("max_tokens", "structured", "seed")}
        asked |= {name: given[name].strip() or None for name in ("answers_as", "temperature", "limit_field")}
        return same | {
            "prompt": {"system": given["system"], "user": given["user"]},
            "scale": self.scale,
            "parameters": asked,
        }


class RulesForm(JudgeForm):
    """A judge of rules."""

    kind = "rules"
    refusal = forms.BooleanField(label="The answer refuses", required=False, initial=True)
    impossible_dates = forms.BooleanField(label="It names a date that does not exist", required=False, initial=True)
    must_match = forms.CharField(
        label="It lacks one of these patterns",
        help_text="One a line, such as §+ ?[0-9]+.",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
    )
    must_not_match = forms.CharField(
        label="It has one of these patterns",
        help_text="One a line.",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
    )
    min_chars = forms.IntegerField(label="It has fewer characters than", required=False, min_value=0)
    max_chars = forms.IntegerField(label="It has more characters than", required=False, min_value=0)

    def fields_given(self) -> dict[str, Any]:
        """As the service takes them."""
        given = self.cleaned_data
        patterns = {name: _lines(given[name]) for name in ("must_match", "must_not_match")}
        same = {name: given[name] for name in ("refusal", "impossible_dates", "min_chars", "max_chars")}
        return {"rules": same | patterns}


class CompositionForm(JudgeForm):
    """Rules that veto, and a model that scores the rest."""

    kind = "composition"
    children = forms.MultipleChoiceField(
        label="Which judges?",
        help_text="One or more of rules, which veto, and one that is a model.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, judges: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["children"].choices = [(name, name) for name in judges]  # type: ignore[attr-defined]

    def fields_given(self) -> dict[str, Any]:
        """As the service takes them."""
        return {"children": self.cleaned_data["children"]}


class ExternalForm(ScaleForm):
    """A judge that works elsewhere."""

    kind = "external"
    low = forms.CharField(label="Lowest score", initial="0", max_length=20)
    high = forms.CharField(label="Highest score", initial="1", max_length=20)

    def fields_given(self) -> dict[str, Any]:
        """As the service takes them."""
        return {"scale": self.scale}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
