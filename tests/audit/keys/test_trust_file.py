"""What the trust file says beside the keys: witnesses, time stamp authorities, and a key that is yet to sign."""

import base64
import json
from io import StringIO
from typing import Any

from django.core.management import call_command

from audit.anchor_models import AnchorSink, AnchorTrust
from audit.keys import keyring
from audit.keys.rotation import prepared_key, rotate_key
from audit.keys.signing import PURPOSES, ROUTING
from audit.log.notes import COSIGNATURE, parse_vkey
from audit.trust import trust_document
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.clock import now
from releases.gateway.control.trust import trust_of
from tests import factories

PUBLIC = base64.b64encode(bytes(range(32))).decode()


def sink(owner: Organization, name: str, kind: str, settings: dict[str, Any], *, enabled: bool = True) -> AnchorSink:
    """Somebody outside who is given the heads of the log."""
    return AnchorSink.objects.create(
        organization=owner, name=name, kind=kind, settings=settings, enabled=enabled, created_at=now()
    )


def test_it_names_the_witnesses_and_authorities_of_this_organization_that_are_enabled(
    organization: Organization,
) -> None:
    other = factories.organization("southfield")
    sink(organization, "tsa", "rfc3161", {"roots": ["PEM 1", "PEM 2"]})
    sink(organization, "tsa-2", "rfc3161", {"roots": ["PEM 2"]})
    sink(organization, "tsa-off", "rfc3161", {"roots": ["PEM 3"]}, enabled=False)
    sink(organization, "witness", "witness", {"name": "w.example/1", "public_key": PUBLIC})
    sink(other, "tsa", "rfc3161", {"roots": ["PEM 4"]})
    document = trust_document(organization)
    assert document["tsa_roots"] == ["PEM 1", "PEM 2"]
    [witness] = document["witnesses"]
    assert (witness["name"], witness["public_key"]) == ("w.example/1", PUBLIC)
    assert parse_vkey(witness["vkey"]) == ("w.example/1", base64.b64decode(PUBLIC), COSIGNATURE)


def test_what_anchors_were_verified_with_is_named_once_and_after_what_is_enabled(organization: Organization) -> None:
    old = sink(organization, "a-tsa", "rfc3161", {"roots": ["PEM now"]}, enabled=False)
    sink(organization, "tsa", "rfc3161", {"roots": ["PEM 2"]})
    gone = sink(organization, "witness", "witness", {}, enabled=False)
    witnesses = [{"name": "w.example/1", "public_key": PUBLIC, "url": url} for url in ("one", "two")]
    for by, settings in (
        (old, {"roots": ["PEM 2", "PEM then"]}),
        (old, {"roots": ["PEM before"]}),
        (gone, witnesses[0]),
        (gone, witnesses[1]),
    ):
        AnchorTrust.objects.create(sink=by, sha256=sha256_hex(settings), settings=settings)
    document = trust_document(organization)
    assert document["tsa_roots"] == ["PEM 2", "PEM then", "PEM before"]
    assert [witness["name"] for witness in document["witnesses"]] == ["w.example/1"]


def test_it_holds_a_key_of_every_purpose_before_anything_was_signed(organization: Organization) -> None:
    assert sorted(key["purpose"] for key in trust_document(organization)["keys"]) == sorted(PURPOSES)


def test_a_gateway_with_the_prepared_key_takes_the_rotation(organization: Organization, actor: Actor) -> None:
    old, prepared = keyring.signer(ROUTING).keyid, prepared_key(ROUTING).keyid
    given = [printed(organization, *options) for options in ((), ("--prepared",))]
    assert [[key.keyid for key in trust_of(document).keys] for document in given] == [[old], [old, prepared]]
    assert rotate_key(actor=actor, purpose=ROUTING).keyid == prepared
    [_, key] = trust_of(given[1]).keys
    assert key.objection(now()) == ""


def printed(organization: Organization, *options: str) -> dict[str, Any]:
    """What the command prints."""
    out = StringIO()
    call_command("trust", "--organization", organization.slug, *options, stdout=out)
    return dict(json.loads(out.getvalue()))
