"""Members of a request body, each read with its type. What these models have no use for is not looked at."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from relcontrol.demo_models.refusals import RefusedError, missing, wrong_type, wrong_value


def parsed(body: bytes) -> "Fields":
    """The object of a body, or a refusal."""
    try:
        members = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your request. The API expects a JSON object in UTF-8."
        raise RefusedError(400, message) from None
    if not isinstance(members, dict):
        raise RefusedError(400, "The body of your request is JSON, but not a JSON object.")
    return Fields(members)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


class Fields:
    """One JSON object; `null` is as good as absent, as it is with OpenAI."""

    def __init__(self, members: Mapping[str, Any], path: str = "") -> None:
        self._members, self._path = members, path

    def named(self, name: str) -> str:
        """The path of a member, for a refusal."""
        return f"{self._path}{name}"

    def value(self, name: str) -> Any:
        """Whatever stands there."""
        return self._members.get(name)

    def required(self, name: str) -> Any:
        """Whatever stands there, which must be something."""
        if self.value(name) is None:
            raise missing(self.named(name))
        return self.value(name)

    def text(self, name: str) -> str:
        """A string that must be there."""
        value = self.required(name)
        if not isinstance(value, str):
            raise wrong_type(self.named(name), "a string", value)
        return value

    def truth(self, name: str) -> bool:
        """A boolean, false where it is absent."""
        value = self.value(name)
        if value is not None and not isinstance(value, bool):
            raise wrong_type(self.named(name), "a boolean", value)
        return bool(value)

    def whole(self, name: str, *, least: int | None = None, most: int | None = None) -> int | None:
        """An integer within limits, or None."""
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(self.named(name), "an integer", value)
        if (least is not None and value < least) or (most is not None and value > most):
            raise wrong_value(self.named(name), f"an integer from {least} to {'any' if most is None else most}")
        return value

    def number(self, name: str, *, least: float, most: float) -> float | None:
        """A number within limits, or None."""
        value = self.value(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise wrong_type(self.named(name), "a number", value)
        if not least <= value <= most:
            raise wrong_value(self.named(name), f"a number from {least:g} to {most:g}")
        return float(value)

    def items(self, name: str) -> list[Any]:
        """An array that must be there and hold something."""
        value = self.required(name)
        if not isinstance(value, list):
            raise wrong_type(self.named(name), "an array", value)
        if not value:
            raise wrong_value(self.named(name), "an array with at least one item")
        return value

    def inner(self, name: str) -> "Fields | None":
        """An object below this one, or None."""
        value = self.value(name)
        return None if value is None else below(value, self.named(name))


def below(value: object, path: str) -> Fields:
    """The object at a path."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    return Fields(value, f"{path}.")
