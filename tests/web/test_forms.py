"""Forms render with our part, and domain errors land where they can be mended."""

from django import forms

from relcontrol.errors import Conflict, FieldError, Invalid
from relcontrol.web.forms import Form, TypedNameForm, add_domain_errors
from tests.web.kitchen_sink import RuleForm


def test_label_hint_and_error_belong_to_their_field() -> None:
    html = str(RuleForm({"name": "x" * 21, "owner": "ines", "policy": "point"}))
    assert '<label class="form-label" for="id_name">' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_every_widget_has_the_class_that_is_styled() -> None:
    html = str(RuleForm())
    assert html.count('class="form-control"') == 3
    assert html.count('class="form-select"') == 1


def test_radio_buttons_stand_in_a_fieldset_with_a_legend() -> None:
    html = str(RuleForm()["policy"].as_field_group())
    assert "<fieldset" in html
    assert "<legend" in html
    assert '<label class="form-label"' not in html


def test_what_a_person_typed_is_escaped() -> None:
    html = str(RuleForm({"name": "<script>"}))
    assert "<script>" not in html


def test_a_domain_error_lands_on_the_field_that_it_names() -> None:
    form = RuleForm({"name": "IP", "owner": "ines", "policy": "point"})
    assert form.is_valid()
    add_domain_errors(
        form, Invalid("Two things.", errors=[FieldError("name", "Taken."), FieldError("routing.x", "Unknown.")])
    )
    assert form.errors["name"] == ["Taken."]
    assert form.non_field_errors() == ["routing.x: Unknown."]


def test_a_domain_error_of_a_part_of_a_field_says_which_part() -> None:
    form = RuleForm({"name": "IP", "owner": "ines", "policy": "point"})
    assert form.is_valid()
    add_domain_errors(form, Invalid("One thing.", errors=[FieldError("name.first", "Too short.")]))
    assert form.errors["name"] == ["name.first: Too short."]


def test_a_domain_error_without_fields_stands_above_the_form() -> None:
    form = RuleForm({"name": "IP", "owner": "ines", "policy": "point"})
    assert form.is_valid()
    add_domain_errors(form, Conflict("Reload: somebody was faster."))
    assert "Reload: somebody was faster." in str(form)


def test_the_server_refuses_a_name_that_is_not_typed_exactly() -> None:
    assert TypedNameForm({"typed": " legal-qa r128 "}, expected="legal-qa r128").is_valid()
    for typed in ("", "legal-qa r12", "LEGAL-QA r128"):
        assert not TypedNameForm({"typed": typed}, expected="legal-qa r128").is_valid()


def test_a_checkbox_stands_beside_its_label() -> None:
    class Tick(Form):
        agreed = forms.BooleanField(label="Agreed")

    assert 'class="check" for="id_agreed"' in str(Tick())
