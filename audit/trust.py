"""The trust file: what one must have from outside of an export, or of a routing snapshot, to believe it.

An auditor verifies exports with it (receipts.md "Export"), a gateway the routing that it is given (gateway.md). It
holds the key of every purpose that signs here from the beginning: a gateway may start before anything was routed.
"""

from typing import Any, Final

from audit.keyring import public_keys, signer
from audit.keys import EXPORT, RECEIPTS, ROUTING
from relcontrol.accounts.models import Organization

SIGNING: Final = (RECEIPTS, EXPORT, ROUTING)


def trust_document(organization: Organization) -> dict[str, Any]:
    """`{organization, origin, keys, witnesses, tsa_roots}` (api.md). Asking for it makes sure that the keys exist."""
    for purpose in SIGNING:
        signer(purpose)
    return {
        "organization": organization.slug,
        "origin": organization.origin,
        "keys": [key.as_json() for key in public_keys()],
        "witnesses": [],
        "tsa_roots": [],
    }
