"""Names of those whose ids receipts carry, and ids of those whose names people type.

A receipt holds pseudonyms only; a name is looked up when a page is shown, and is gone when its row is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from audit.events import Event
from audit.models import Receipt
from relcontrol.accounts.models import Organization, Person, Token

SYSTEM = {"internal": "relcontrol", "command": "the server's command line"}
MOST_NAMED = 50


@dataclass(frozen=True, slots=True)
class Names:
    """Id → name. An id that nobody bears any more stands for itself."""

    known: dict[str, str]

    def of(self, actor_id: str) -> str:
        """The name for a sentence."""
        return self.known.get(actor_id) or SYSTEM.get(actor_id, actor_id)


def names_of(organization: Organization, actor_ids: Iterable[str]) -> Names:
    """The names behind these ids, which receipts of the organization carry; in two queries."""
    ids = set(actor_ids) - SYSTEM.keys()
    known = {row.pk: row.name or row.email for row in Person.objects.filter(pk__in=ids)}
    tokens = Token.objects.filter(pk__in=ids, organization=organization)
    return Names(known | {row.pk: f"the service token {row.name}" for row in tokens})


def ids_named(organization: Organization, text: str) -> list[str]:
    """Whose name or address holds this text: service tokens, and whoever is or was a member of the organization."""
    joined = Receipt.objects.filter(
        organization=organization,
        event=Event.MEMBER_CHANGED.value,
        subject=Concat(Value("person:"), OuterRef("pk")),
    )
    people = Person.objects.filter(Q(name__icontains=text) | Q(email__icontains=text)).filter(Exists(joined))
    tokens = Token.objects.filter(organization=organization, person=None, name__icontains=text)
    return [
        *people.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED],
        *tokens.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED],
    ]
