"""What is redacted of live requests before they are stored: checked, changed with a receipt.

The patterns are those of preprocessing steps (relcontrol/bundle/patterns): a body has up to a megabyte and every
request goes through all of them, so no pattern may take longer than its text.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction

from audit.events import Event
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import ADMINISTER
from relcontrol.bundle.errors import BundleError, item, under
from relcontrol.bundle.patterns.linear_pattern import compile_pattern
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid

FIELD: Final = "redactions"
KEYS: Final = ("pattern", "with")
MAX_REDACTIONS: Final = 20
MAX_TEXT: Final = 500

Redaction = dict[str, str]


@transaction.atomic
def set_redactions(*, actor: Actor, redactions: object) -> Organization:
    """Redact this from now on; what is stored already stays as it is. The same again changes nothing."""
    actor.require(ADMINISTER)
    row = Organization.objects.select_for_update(no_key=True).get(pk=actor.organization.pk)
    wanted = checked_redactions(redactions)
    if wanted == row.redactions:
        return row
    row.redactions = wanted
    row.save(update_fields=["redactions"])
    record = Record(
        event=Event.ORGANIZATION_CHANGED,
        outcome="changed",
        kind="organization",
        name=row.slug,
        state={"slug": row.slug, "name": row.name, "redactions": wanted},
    )
    append(actor, record)
    return row


def checked_redactions(redactions: object) -> list[Redaction]:
    """A list of `{"pattern", "with"}` as it is stored; `Invalid` names everything that is wrong, with its place."""
    reader = Reader()
    entries = reader.items(redactions, FIELD, at_most=MAX_REDACTIONS)
    checked = [_checked(reader, entry, item(FIELD, index)) for index, entry in enumerate(entries)]
    try:
        reader.close()
    except BundleError as error:
        problems = [FieldError(problem.field, problem.message) for problem in error.problems]
        raise Invalid(f"{problems[0].field}: {problems[0].message}", errors=problems) from error
    return checked


def _checked(reader: Reader, entry: object, path: str) -> Redaction:
    fields: Mapping[str, Any] = reader.closed(entry, path, KEYS)
    place = under(path, "pattern")
    pattern = reader.text(fields.get("pattern"), place, at_most=MAX_TEXT)
    if pattern:
        reader.attempt(compile_pattern, pattern, place, None)
    replacement = reader.text(fields.get("with"), under(path, "with"), at_most=MAX_TEXT, empty=True)
    return {"pattern": pattern, "with": replacement}
