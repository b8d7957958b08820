"""The trust file: what an auditor must have from outside of an export to believe it (receipts.md "Export")."""

from typing import Any

from audit.keyring import public_keys, signer
from relcontrol.accounts.models import Organization


def trust_document(organization: Organization) -> dict[str, Any]:
    """`{organization, origin, keys, witnesses, tsa_roots}` (api.md). Asking for it makes sure that the keys exist."""
    for purpose in ("receipts", "export"):
        signer(purpose)
    return {
        "organization": organization.slug,
        "origin": organization.origin,
        "keys": [key.as_json() for key in public_keys()],
        "witnesses": [],
        "tsa_roots": [],
    }
