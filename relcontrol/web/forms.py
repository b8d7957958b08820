"""Forms render with our field part; domain errors land on the fields they name; dangerous acts ask for a typed name."""

from typing import Any

from django import forms
from django.forms.renderers import DjangoTemplates
from django.template import loader

from relcontrol.errors import DomainError

WIDGETS_OF_DJANGO = "django/forms/"


class FormRenderer(DjangoTemplates):
    """Django's own widgets, in our fields (`templates/parts/field.html`)."""

    form_template_name = "parts/form.html"
    field_template_name = "parts/field.html"

    def get_template(self, template_name: str) -> Any:
        """Django's widgets come from Django, everything else from the project's templates."""
        if template_name.startswith(WIDGETS_OF_DJANGO):
            return super().get_template(template_name)
        return loader.get_template(template_name)


class StyledForm(forms.BaseForm):
    """Mixin for `Form` and `ModelForm`: every widget gets the class that Tabler styles."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _style(field.widget)


class Form(StyledForm, forms.Form):
    """The base of every form of a page."""


def _style(widget: forms.Widget) -> None:
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.HiddenInput)):
        return
    base = "form-select" if isinstance(widget, forms.Select) else "form-control"
    widget.attrs["class"] = f"{base} {widget.attrs.get('class', '')}".strip()


class TypedNameForm(Form):
    """The server's half of a typed name: the act goes on only if the name is typed exactly."""

    typed = forms.CharField(required=False, strip=True)

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_typed(self) -> str:
        """Refuse anything but the expected name."""
        typed: str = self.cleaned_data["typed"]
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected} exactly as it stands here; nothing was done.")
        return typed


def add_domain_errors(form: forms.BaseForm, error: DomainError) -> None:
    """Put a domain error where the person can mend it: on the fields it names, else above the form."""
    for wrong in error.errors:
        field = wrong.field.partition(".")[0]
        known = field in form.fields
        said = wrong.message if wrong.field == field and known else f"{wrong.field}: {wrong.message}"
        form.add_error(field if known else None, said)
    if not error.errors:
        form.add_error(None, error.detail)
