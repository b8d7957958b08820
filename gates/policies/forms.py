"""The form of a gate policy: plain questions; the service checks again what is entered here."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms

from gates.policies.definition import Definition
from gates.policies.rules import MAX_FLOORS
from gates.slices.rules import decimal_text
from relcontrol.web.forms import Form

NUMBERS: Final = (
    "max_per_case_regression",
    "tokens_review_percent",
    "tokens_fail_percent",
    "latency_p95_ms",
    "latency_p95_ratio",
)


def _number(label: str, help_text: str, *, required: bool = False) -> forms.DecimalField:
    return forms.DecimalField(label=label, help_text=help_text, required=required, widget=forms.TextInput)


class PolicyForm(Form):
    """Every number beside the slices."""

    max_per_case_regression = _number(
        "How many points may a single case lose?",
        "Of 100, against the previous release. More fails the slice once fresh scores confirm it, before that a "
        "person has to look; the allowlist tolerates single cases.",
        required=True,
    )
    small_drops_need_review = forms.BooleanField(
        label="A person has to look at smaller losses, too",
        help_text="Else they are listed and hold nothing up.",
        required=False,
    )
    parity_not_claimed = forms.ChoiceField(
        label="What if nobody says what made the answers?",
        help_text="Results can carry the fingerprint of the preprocessing. Another one than the release's is refused.",
        choices=[
            ("hold", "Hold the release until results come with a fingerprint"),
            ("review", "Ask a person to sign it off"),
            ("accept", "Let it pass, and say so in the report"),
        ],
        widget=forms.RadioSelect,
    )
    floors = forms.CharField(
        label="Lowest means of named scores",
        help_text="One name=number in a line, such as ragas=0.78. Results that lack a named score are held.",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
    )
    tokens_review_percent = _number(
        "From how many percent more tokens does a person have to look?",
        "Against the previous release, on the same cases. Empty: never.",
    )
    tokens_fail_percent = _number("From how many percent more tokens does the release fail?", "Empty: never.")
    latency_p95_ms = _number(
        "How many milliseconds may the 95th percentile of latency take?", "The slowest 5 % may take longer. Empty: any."
    )
    latency_p95_ratio = _number(
        "How many times the previous release's 95th percentile?", "1.2 means 20 % slower at most. Empty: any."
    )
    second_person = forms.BooleanField(
        label="An override needs the approval of a second person",
        help_text="Without this one release manager alone can release against the gate.",
        required=False,
    )
    override_hours = forms.IntegerField(
        label="For how many hours is an override good?",
        help_text="1 to 168, from the request on, approved or not. It is used once.",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def clean_floors(self) -> dict[str, Decimal]:
        """The lines as names and numbers."""
        floors: dict[str, Decimal] = {}
        for line in filter(str.strip, self.cleaned_data["floors"].splitlines()):
            name, _, number = (part.strip() for part in line.partition("="))
            if name in floors:
                raise forms.ValidationError(f"{name[:80]} is there twice; give each score one floor.")
            floors[name] = _decimal(line, number)
        if len(floors) > MAX_FLOORS:
            raise forms.ValidationError(f"At most {MAX_FLOORS} floors are taken.")
        return floors


def initial_of(definition: Definition) -> dict[str, Any]:
    """A definition as the form shows it."""
    fields = definition.as_json()
    floors = "\n".join(f"{name}={low}" for name, low in fields["floors"].items())
    return fields | {"floors": floors}


def words_of(definition: Definition) -> list[tuple[str, str]]:
    """A definition in words, for those who read it."""
    floors = ", ".join(f"{name} at least {decimal_text(low)}" for name, low in definition.floors.items())
    parity = {"hold": "holds the release", "review": "asks a person", "accept": "lets it pass"}
    small = "a person signs them off" if definition.small_drops_need_review else "are listed only"
    return [
        ("A case may lose", f"{decimal_text(definition.max_per_case_regression)} points of 100"),
        ("Smaller losses", small),
        ("No fingerprint", parity[definition.parity_not_claimed]),
        ("Named scores", floors or "no floor"),
        ("A person looks at", _more_tokens(definition.tokens_review_percent)),
        ("It fails at", _more_tokens(definition.tokens_fail_percent)),
        ("Latency p95", _latency(definition)),
        ("An override takes", "two persons" if definition.second_person else "one person"),
        ("It is good for", f"{definition.override_hours} hours"),
    ]


def _more_tokens(percent: Decimal | None) -> str:
    return "no number of tokens" if percent is None else f"over {decimal_text(percent)} % more tokens"


def _latency(definition: Definition) -> str:
    limits = []
    if definition.latency_p95_ms is not None:
        limits.append(f"{decimal_text(definition.latency_p95_ms)} ms")
    if definition.latency_p95_ratio is not None:
        limits.append(f"{decimal_text(definition.latency_p95_ratio)} times the previous release's")
    return f"at most {' and '.join(limits)}" if limits else "no limit"


def _decimal(line: str, number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation as error:
        raise forms.ValidationError(f"“{line.strip()[:80]}” is no name=number, such as ragas=0.78.") from error
