"""What the tests of keys say of a chain: who signed what, and whether the auditor's verifier accepts it."""

from itertools import pairwise
from typing import Any

from django.db import transaction

from audit import verify
from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from audit.selectors import envelope_of
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization


def decide(organization: Organization, name: str = "t") -> Receipt:
    """One more receipt, in a transaction of its own."""
    record = Record(event=Event.TOKEN_CHANGED, outcome="created", kind="token", name=name, state={})
    with transaction.atomic():
        return append(command_actor(organization), record)


def chain_of(organization: Organization) -> list[Receipt]:
    """All receipts, in order."""
    return list(Receipt.objects.filter(organization=organization).order_by("seq"))


def verified(organization: Organization, trust: dict[str, Any] | None = None) -> list[verify.Statement]:
    """The chain, each receipt accepted by the verifier and linked to the one before; raises where it is not."""
    trust = trust or trust_document(organization)
    statements = [verify.verify_envelope(envelope_of(receipt), trust) for receipt in chain_of(organization)]
    for previous, current in pairwise(statements):
        verify.check_link(previous, current)
    return statements


def inputs_of(statement: verify.Statement) -> list[tuple[str, str, str, str | None]]:
    """What a change of keys says in clear: verdict, purpose, key id and, for a revocation, since when."""
    return [
        (one["verdict"], one["slice"], one["evidence_sha256"], one["evidence"])
        for one in statement.predicate["decision"]["inputs"]
    ]
