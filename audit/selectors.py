"""Reading the evidence: receipts of an organization, by what an auditor looks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from audit.envelope import PAYLOAD_TYPES, wrap
from audit.events import Event, resolve
from audit.keys.signing import RECEIPTS
from audit.models import ChainCheck, ChainHead, Export, Receipt
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import found
from relcontrol.errors import NotFound, invalid

MIN_PREFIX = 12
SHA256 = 64
HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for. `event` takes either vocabulary; `end` is not included."""

    release: str = ""
    application: str = ""
    event: str = ""
    actor: str = ""
    start: datetime | None = None
    end: datetime | None = None


def receipts_of(organization: Organization, wanted: Filter = Filter()) -> QuerySet[Receipt]:
    """Receipts of an organization, newest first."""
    rows = Receipt.objects.filter(organization=organization).order_by("-seq")
    if wanted.release:
        rows = rows.filter(_about_release(organization, wanted.release))
    if wanted.application:
        rows = rows.filter(application=wanted.application)
    if wanted.event:
        rows = rows.filter(event=event_named(wanted.event).value)
    if wanted.actor:
        rows = rows.filter(actor=wanted.actor)
    if wanted.start:
        rows = rows.filter(issued_at__gte=wanted.start)
    if wanted.end:
        rows = rows.filter(issued_at__lt=wanted.end)
    return rows


def event_named(name: str) -> Event:
    """The event of this name in either vocabulary, or `Invalid` that lists them."""
    try:
        return resolve(name)
    except ValueError as error:
        known = ", ".join(event.value for event in Event)
        raise invalid("event", f"{name[:80]!r} is no event. Known: {known}.") from error


def receipt_named(organization: Organization, text: str) -> Receipt:
    """The receipt with this hash, a unique prefix of it (12 or more), its id, or its number `#4812`."""
    rows = Receipt.objects.filter(organization=organization)
    digits = text.removeprefix("#").replace(",", "")
    if text.startswith("rcp_"):
        return found(rows, "receipt", pk=text)
    if digits.isascii() and digits.isdecimal() and len(digits) < MIN_PREFIX:
        return found(rows, "receipt", seq=int(digits))
    if not MIN_PREFIX <= len(text) <= SHA256 or not HEX.issuperset(text):
        raise NotFound("A receipt is named by its hash (12 or more hex digits), its id (rcp_…) or its number.")
    matches = list(rows.filter(receipt_hash__startswith=text)[:2])
    if len(matches) != 1:
        many = "several receipts begin" if matches else "no receipt begins"
        raise NotFound(f"There is no such receipt here: {many} with {text}.")
    return matches[0]


def neighbours(receipt: Receipt, each_side: int = 2) -> list[Receipt]:
    """The receipts around this one in the chain, in order, itself included."""
    first, last = receipt.seq - each_side, receipt.seq + each_side
    rows = Receipt.objects.filter(organization=receipt.organization_id, seq__gte=first, seq__lte=last)
    return list(rows.order_by("seq"))


def exports_of(organization: Organization) -> QuerySet[Export]:
    """Exports of an organization, newest first."""
    return Export.objects.filter(organization=organization).order_by("-pk")


def chain_state(organization: Organization) -> tuple[ChainHead, ChainCheck]:
    """The end of the chain and how far it was checked."""
    return ChainHead.objects.get(organization=organization), ChainCheck.objects.get(organization=organization)


def envelope_of(receipt: Receipt) -> dict[str, Any]:
    """The DSSE envelope of a stored receipt."""
    payload, signature = bytes(receipt.payload), bytes(receipt.signature)
    return wrap(payload, PAYLOAD_TYPES[RECEIPTS], keyid=receipt.keyid, signature=signature)


def manifest_of_release(organization: Organization, text: str) -> str:
    """The manifest SHA-256 that receipts of this release carry: by `rel_` id, SHA or a unique prefix of it."""
    rows = Receipt.objects.filter(organization=organization, manifest_sha256__isnull=False)
    shas = (
        rows.filter(_about_release(organization, text))
        .order_by()
        .values_list("manifest_sha256", flat=True)
        .distinct()[:2]
    )
    if len(shas) != 1 or shas[0] is None:
        raise invalid("scope.release", f"There is no release {text[:80]} here, or its prefix is not unique.")
    return shas[0]


def _about_release(organization: Organization, text: str) -> Q:
    """Every receipt of a release: those of gates name its manifest only, so an id leads to the manifest first."""
    if text.startswith("rel_"):
        named = Receipt.objects.filter(organization=organization, release=text)
        return Q(manifest_sha256__in=named.values_list("manifest_sha256", flat=True))
    if MIN_PREFIX <= len(text) <= SHA256 and HEX.issuperset(text):
        return Q(manifest_sha256__startswith=text)
    raise invalid("release", "A release is named by its id (rel_…) or 12 or more hex digits of its manifest SHA-256.")
