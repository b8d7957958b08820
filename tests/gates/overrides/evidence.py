"""Receipts as an auditor reads them."""

from typing import Any

from audit import verify
from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from relcontrol.accounts.models import Organization


def last_predicate(organization: Organization) -> dict[str, Any]:
    """The predicate of the newest receipt, accepted by the verifier and linked to the one before."""
    trust = trust_document(organization)
    rows = list(Receipt.objects.filter(organization=organization).order_by("-seq")[:2])
    last, before = [verify.verify_envelope(envelope_of(row), trust) for row in rows]
    verify.check_link(before, last)
    return last.predicate


def events(organization: Organization) -> list[str]:
    """The names of all receipts that are about gates, in order."""
    rows = Receipt.objects.filter(organization=organization).order_by("seq").values_list("event", flat=True)
    return [name for name in rows if name.startswith(("gate.", "override."))]
