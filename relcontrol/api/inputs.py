"""Checking the shape of a body: closed, all problems at once, each with its path.

An unknown field is an error, as it is most often a misspelt one.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from rest_framework import serializers
from rest_framework.settings import api_settings

from relcontrol.errors import FieldError, Invalid, Malformed

SUMMARISED = 3


class Input(serializers.Serializer[Any]):
    """Base of every request shape."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields, then check the known ones."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))
            if unknown:
                known = ", ".join(sorted(self.fields))
                message = f"This field is not known here. Known: {known}."
                raise serializers.ValidationError({name: [message] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A string that is a string: numbers and booleans are not turned into one. Blanks are kept as they were sent."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("trim_whitespace", False)
        options.setdefault("max_length", 10_000)
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        """The string, or an error for any other type."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON integer: no strings, no booleans, no 3.0."""

    def to_internal_value(self, data: Any) -> int:
        """The integer, or an error for any other type."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Truth(serializers.BooleanField):
    """A JSON boolean and nothing that looks like one."""

    def to_internal_value(self, data: Any) -> bool:
        """True or False, or an error for any other value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Structure(serializers.JSONField):
    """Any JSON object; a service checks what is in it."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object, or an error for any other type."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("This must be a JSON object.")
        return data


def read(shape: type[Input], data: Any) -> dict[str, Any]:
    """The checked body, or `Invalid` with every field that is wrong."""
    if not isinstance(data, dict):
        raise Malformed("The body is empty or no JSON object.")
    try:
        return dict(_made_once(shape).run_validation(data))
    except serializers.ValidationError as error:
        errors = list(_flat(error.detail, ""))
    summary = "; ".join(f"{item.field}: {item.message}" for item in errors[:SUMMARISED])
    raise Invalid(f"{summary}{' …' if len(errors) > SUMMARISED else ''}", errors=errors)


@cache
def _made_once(shape: type[Input]) -> Input:
    """Checking leaves no trace in a shape, and making one copies all its fields, which takes most of the time."""
    return shape()


def _below(path: str, name: str | int) -> str:
    """The path of a field, or of an item: DRF keys the errors of a list by number."""
    if name == api_settings.NON_FIELD_ERRORS_KEY:
        return path
    return f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".lstrip(".")


def _flat(errors: Any, path: str) -> Iterator[FieldError]:
    if isinstance(errors, dict):
        for name, inner in errors.items():
            yield from _flat(inner, _below(path, name))
    elif errors and isinstance(errors[0], (dict, list)):
        for index, inner in enumerate(errors):
            yield from _flat(inner, f"{path}[{index}]") if inner else ()
    else:
        for message in errors:
            yield FieldError(path, str(message))
