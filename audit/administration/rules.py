"""What names may be: the checks that every administrative service shares."""

from django.core.exceptions import ValidationError

from relcontrol.accounts.models import SLUG
from relcontrol.bundle.canonical import nfc
from relcontrol.errors import invalid

MAX_NAME = 200


def checked_slug(slug: str, field: str = "slug") -> str:
    """The slug, or `Invalid` that says what one looks like."""
    try:
        SLUG(slug)
    except ValidationError as error:
        raise invalid(field, f"{slug[:80]!r} cannot be used. {error.messages[0]}") from error
    return slug


def checked_name(name: str, field: str = "name") -> str:
    """The name without blanks around it, in NFC."""
    text: str = nfc(name.strip())
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise invalid(field, f"Use 1 to {MAX_NAME} characters, all printable.")
    return text
