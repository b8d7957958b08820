"""The checks that the settings of several kinds of sinks share: an address, and names and texts of a closed object."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from relcontrol.errors import FieldError, Invalid, invalid

MAX_URL: Final = 500
MAX_TEXT: Final = 200


def closed(settings: Mapping[str, Any], *names: str) -> None:
    """Raise `Invalid` unless exactly these are given, or left out where a check of their own says so."""
    unknown = sorted(set(settings) - set(names))
    if unknown:
        known = ", ".join(sorted(names))
        errors = [
            FieldError(f"settings.{name}"[:MAX_TEXT], f"This is not known here. Known: {known}.") for name in unknown
        ]
        raise Invalid(f"{errors[0].field}: {errors[0].message}", errors=errors)


def text_of(settings: Mapping[str, Any], name: str, says: str, *, most: int = MAX_TEXT) -> str:
    """A printable text, or `Invalid` with what is wanted."""
    value = settings.get(name)
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > most or not text.isprintable():
        raise invalid(f"settings.{name}", says)
    return text


def url_of(settings: Mapping[str, Any]) -> str:
    """An http or https address without user, password and fragment."""
    says = "Give an http or https address, such as https://tsa.example/tsr."
    text = text_of(settings, "url", says, most=MAX_URL)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise invalid("settings.url", f"This is no address: {error}.") from error
    if parts.scheme not in {"http", "https"} or not host or not text.isascii() or " " in text:
        raise invalid("settings.url", says)
    if parts.username or parts.password or parts.fragment:
        raise invalid("settings.url", "Leave user, password and fragment out: an address is no place for a secret.")
    return text
