"""The trust file: what one must have from outside of an export, or of a routing snapshot, to believe it.

An auditor verifies exports with it (receipts.md "Export"), a gateway the routing that it is given (gateway.md). It
holds the key of every purpose that signs here from the beginning: a gateway may start before anything was routed.
Witnesses and roots of time stamp authorities are those of the anchors that are enabled, and those that anchors were
verified with when they were made: an export holds evidence of before a sink was changed or switched off.
"""

import base64
from typing import Any

from audit.anchor_models import AnchorSink, AnchorTrust
from audit.keys.keyring import public_keys, signer
from audit.keys.signing import PURPOSES
from audit.log.notes import COSIGNATURE, vkey
from audit.root.importing import newest, root_of
from relcontrol.accounts.models import Organization


def trust_document(organization: Organization) -> dict[str, Any]:
    """`{organization, origin, keys, witnesses, tsa_roots}` (api.md), and `root` where a root signed the keyring.

    Asking for it makes sure that the keys exist.
    """
    keys = public_keys()
    if missing := [purpose for purpose in PURPOSES if all(key.purpose != purpose for key in keys)]:
        for purpose in missing:
            signer(purpose)
        keys = public_keys()
    sinks, signed = _trusted(organization), newest()
    witnesses = [(given["name"], given["public_key"]) for kind, given in sinks if kind == AnchorSink.Kind.WITNESS]
    roots = [root for kind, given in sinks if kind == AnchorSink.Kind.RFC3161 for root in given["roots"]]
    document = {
        "organization": organization.slug,
        "origin": organization.origin,
        "keys": [key.as_json() for key in keys],
        "witnesses": [_witness(*each) for each in dict.fromkeys(witnesses)],
        "tsa_roots": list(dict.fromkeys(roots)),
    }
    return document | {"root": root_of(signed)} if signed else document


def _trusted(organization: Organization) -> list[tuple[str, dict[str, Any]]]:
    """Kind and settings: of the sinks that are enabled, by name, then what anchors were verified with, oldest first."""
    sinks = AnchorSink.objects.filter(organization=organization, enabled=True).order_by("name")
    made_with = AnchorTrust.objects.filter(sink__organization=organization).order_by("pk")
    return [*sinks.values_list("kind", "settings"), *made_with.values_list("sink__kind", "settings")]


def _witness(name: str, public: str) -> dict[str, str]:
    return {"name": name, "public_key": public, "vkey": vkey(name, base64.b64decode(public), COSIGNATURE)}
