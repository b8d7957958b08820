"""Forms of the settings pages. Labels are questions; the services check again what is entered here."""

from collections.abc import Mapping
from typing import Any

from django import forms

from audit.administration.applications import SETTINGS
from relcontrol.accounts.models import Role, Route
from relcontrol.accounts.permissions import SCOPES
from relcontrol.web.forms import Form, TypedNameForm

SCOPE_WORDS = {
    "releases:write": "register releases",
    "gates:write": "slices, suites, results",
    "overrides:write": "request overrides",
    "rollouts:write": "roll releases",
    "traces:write": "send traces",
    "routing:read": "what serves",
    "gateway:heartbeat": "a gateway reports",
    "audit:read": "receipts, exports",
}
ROLE_WORDS = {
    Role.VIEWER: "sees releases and charts",
    Role.DOMAIN_OWNER: "slices, suites, panels",
    Role.RELEASE_MANAGER: "registers, approves, rolls",
    Role.AUDITOR: "reads, verifies, exports",
    Role.ADMIN: "people, tokens, endpoints",
}
ROUTING_HINT = "One key=value in a line, such as domain=legal. Empty: every request that no other route takes."


class ApplicationForm(Form):
    """A new application."""

    slug = forms.CharField(
        label="What do manifests call it?",
        help_text="Lower-case letters, digits and hyphens, such as legal-assistant. It never changes.",
        max_length=63,
    )
    name = forms.CharField(label="What do people call it?", required=False, max_length=200)


class RenameForm(Form):
    """Another name for people."""

    name = forms.CharField(label="What do people call it?", max_length=200)


class RouteForm(Form):
    """A new route."""

    routing = forms.CharField(
        label="Which requests belong to it?",
        help_text=ROUTING_HINT,
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )
    name = forms.CharField(label="What do people call it?", required=False, max_length=200)

    def clean_routing(self) -> dict[str, str]:
        """The lines as keys and values."""
        routing: dict[str, str] = {}
        for line in filter(str.strip, self.cleaned_data["routing"].splitlines()):
            key, equals, value = (part.strip() for part in line.partition("="))
            if not (key and equals and value):
                raise forms.ValidationError(f"“{line.strip()[:80]}” is no key=value, such as domain=legal.")
            if key in routing:
                raise forms.ValidationError(f"The key {key[:80]} is there twice; a route names each key once.")
            routing[key] = value
        return routing


class ClientSettingsForm(Form):
    """What clients may set themselves."""

    client_settings = forms.MultipleChoiceField(
        label="Which settings may a client choose itself?",
        help_text="What a request sends for these is used in place of the release's own value. All others are as the "
        "release says, whatever a request sends.",
        choices=[(name, name) for name in SETTINGS],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ApplicationKeyForm(Form):
    """A new application key."""

    name = forms.CharField(label="Who calls with it?", help_text="Such as web-app or batch.", max_length=100)
    route = forms.ChoiceField(
        label="Which route takes its requests?",
        help_text="Where a request names no route itself.",
        required=False,
    )

    def offer(self, routes: Mapping[str, Route]) -> None:
        """The application's routes, by id, as what may be chosen."""
        choices = [("", "the default route"), *((key, route.name) for key, route in routes.items())]
        self.fields["route"].choices = choices  # type: ignore[attr-defined]  # it is a choice


class EndpointChangeForm(Form):
    """What may change of an endpoint."""

    base_url = forms.CharField(
        label="Where does it answer?",
        help_text="Such as http://127.0.0.1:11434/v1, without any user or password in it.",
        max_length=500,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    credential = forms.CharField(
        label="Which credential do gateways send?",
        help_text="The name of a secret that your gateways hold. relcontrol never sees its value.",
        required=False,
        max_length=100,
    )
    input_price = forms.DecimalField(
        label="Price of an input token?", required=False, min_value=0, max_digits=16, decimal_places=10
    )
    output_price = forms.DecimalField(
        label="Price of an output token?", required=False, min_value=0, max_digits=16, decimal_places=10
    )
    serves = forms.CharField(
        label="Which models answer here?",
        help_text="One in a line, such as hf:org/repo or openai:gpt-4o-mini. Needed only where there are several "
        "endpoints: a release whose model none of them lists cannot be rolled out.",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
    )

    def clean_serves(self) -> list[str]:
        """The lines."""
        return [line.strip() for line in self.cleaned_data["serves"].splitlines() if line.strip()]


class EndpointForm(EndpointChangeForm):
    """A new endpoint."""

    name = forms.CharField(
        label="What do manifests call it?", help_text="Such as main-llm. It never changes.", max_length=63
    )
    field_order = ("name",)


class RolesForm(Form):
    """Roles of a member."""

    roles = forms.MultipleChoiceField(
        label="Which roles?",
        choices=[(role.value, f"{role.label}: {words}") for role, words in ROLE_WORDS.items()],
        widget=forms.CheckboxSelectMultiple,
    )


class PersonForm(RolesForm):
    """A new member. An empty password makes an account that cannot sign in here, only act by tokens."""

    email = forms.CharField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(label="Name", required=False, max_length=200)
    password = forms.CharField(
        label="First password",
        help_text="At least 12 characters; hand it over in person. Without one she cannot sign in. "
        "Somebody who has an account already keeps her own name and password.",
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    field_order = ("email", "name", "roles", "password")


class OwnTokenForm(Form):
    """A new token."""

    name = forms.CharField(label="What is it for?", help_text="Such as laptop.", max_length=100)
    days = forms.IntegerField(
        label="After how many days does it end?",
        help_text="1 to 3650. Empty: it never ends by itself.",
        required=False,
        min_value=1,
        max_value=3650,
    )


class ServiceTokenForm(OwnTokenForm):
    """A new service token."""

    scopes = forms.MultipleChoiceField(
        label="What may it do?",
        help_text="Reading the organization's releases and slices is always included; approving never is.",
        choices=[(scope, f"{scope}: {SCOPE_WORDS[scope]}") for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("name", "scopes", "days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "Such as ci or gateway-1."


class RevokeKeyForm(TypedNameForm):
    """Why a key is believed no more."""

    reason = forms.CharField(
        label="Why is it revoked?",
        help_text="One sentence. It stands in every trust file from then on, so name nobody.",
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def as_initial(form: type[Form], returned: dict[str, Any]) -> dict[str, Any]:
    """What came back from the step-up, with a list where the form takes several."""
    return {
        name: [value] if isinstance(value, str) and _takes_several(form, name) else value
        for name, value in returned.items()
    }


def _takes_several(form: type[Form], name: str) -> bool:
    return isinstance(form.base_fields.get(name), forms.MultipleChoiceField)
