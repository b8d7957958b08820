"""What was decided about a release, from its receipts: in words, by whom, with the way to each receipt."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from audit.models import Receipt
from audit.selectors import Filter, receipts_of
from relcontrol.accounts.models import Organization, Person, Token
from releases.models import Release
from releases.pages.paths import receipt_address
from releases.pages.wording import event_words

DECISIONS_SHOWN = 20
SYSTEM = "relcontrol"


@dataclass(frozen=True, slots=True)
class Decision:
    """One receipt of a release as a person reads it."""

    receipt: Receipt
    words: str
    by: str
    url: str


def receipts_of_release(release: Release) -> QuerySet[Receipt]:
    """Receipts of one release, newest first."""
    return receipts_of(release.organization, Filter(release=release.manifest_sha256))


def decisions(organization: Organization, receipts: Iterable[Receipt]) -> list[Decision]:
    """These receipts in words."""
    rows = list(receipts)
    names = names_of_actors(organization, {row.actor for row in rows})
    return [
        Decision(row, event_words(row.event), names.get(row.actor, row.actor), receipt_address(organization, row))
        for row in rows
    ]


def names_of_actors(organization: Organization, ids: Iterable[str]) -> dict[str, str]:
    """Names for the pseudonyms that receipts carry; a pseudonym whose owner is gone stays as it is."""
    wanted = set(ids)
    people = Person.objects.filter(pk__in=wanted, memberships__organization=organization)
    tokens = Token.objects.filter(pk__in=wanted, organization=organization)
    return {
        **dict.fromkeys(("command", "internal"), SYSTEM),
        **{person.pk: str(person) for person in people},
        **{token.pk: f"token {token.name}" for token in tokens},
    }
