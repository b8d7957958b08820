"""Request bodies: JSON whatever the content type says, read strictly.

`curl -d` sends JSON under the content type of a form; api.md asks that it be read as JSON. Duplicate keys, NaN, NUL
characters and lone surrogates are refused here, once, for every call.
"""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from relcontrol.bundle.canonical import strict_loads
from relcontrol.bundle.errors import BundleError
from relcontrol.errors import FieldError, Malformed


class AnyJSONParser(BaseParser):
    """Reads any body as one JSON object."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The object; `Malformed` says where the JSON is wrong."""
        return read_object(stream.read())


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, strictly read."""
    value = read_json(body)
    if not isinstance(value, dict):
        raise Malformed('The body must be a JSON object, such as {"name": "…"}.')
    return value


def read_json(body: bytes) -> Any:
    """The JSON value in `body`; `Malformed` on anything that is not strict JSON that PostgreSQL can keep."""
    try:
        value = strict_loads(body, max_bytes=len(body) or 1)
    except BundleError as problem:
        details = [FieldError(p.field, p.message) for p in problem.problems]
        raise Malformed(f"The body is not valid JSON: {details[0].message}", errors=details) from problem
    if b"\\u" in body or b"\x00" in body:
        _refuse_unstorable(value, "")
    return value


def _refuse_unstorable(value: Any, path: str) -> None:
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            message = "contains a NUL character or half a surrogate pair, which is no text"
            raise Malformed(f"{path or 'The body'} {message}.", errors=[FieldError(path, message)])
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_unstorable(key, path)
            _refuse_unstorable(item, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_unstorable(item, f"{path}[{index}]")
