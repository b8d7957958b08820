"""Exports across a rotation, and what an auditor with an older trust file believes with a keyring of the root."""

import json
from typing import Any

import pytest

from audit import verify
from audit.exporting.exports import content_of, make_export, request_export
from audit.keys.revocation import revoke_key
from audit.keys.rotation import rotate_key
from audit.keys.signing import EXPORT, RECEIPTS, ROOT, SigningKey, load_signing_key, new_private_pem
from audit.models import Export, ExportPart
from audit.root.importing import import_keyring, request
from audit.root.signing import file_text, sign
from audit.trust import trust_document
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.jobs.running import run

THE_ROOT, ANOTHER = (load_signing_key(new_private_pem(), purpose=ROOT) for _ in range(2))


def asked(actor: Actor) -> Export:
    """An export of everything that is not begun."""
    return request_export(actor=actor, scope={"organization": True}, with_report=False)


def made(export: Export, kind: ExportPart.Kind = ExportPart.Kind.JSON) -> bytes:
    """It, as a file."""
    assert run(Export.objects.filter(pk=export.pk), make_export)
    return b"".join(content_of(export, kind))


def outcome(document: bytes, trust: dict[str, Any], check: str = "AUTHENTICITY") -> str:
    """What the verifier says of one check."""
    try:
        report: verify.Report | None = verify.verify_file(document, trust)
    except verify.VerificationError as failure:
        report = failure.report
    assert report is not None
    return {verdict.check: verdict.outcome for verdict in report.verdicts}[check]


def rooted(root: SigningKey = THE_ROOT) -> None:
    """The present keyring, signed by the root and taken."""
    import_keyring(text=file_text(sign(request(), root)).encode(), new_root=True)


def test_what_was_asked_for_before_a_rotation_and_made_after_it_verifies(
    organization: Organization, actor: Actor
) -> None:
    export = asked(actor)
    rotate_key(actor=actor, purpose=EXPORT)
    rotate_key(actor=actor, purpose=RECEIPTS)
    document = made(export)
    assert verify.verify_document(document, trust_document(organization)).exit_code == 3
    assert len(json.loads(document)["receipts"]) == 1


def test_the_zip_of_it_verifies_too(organization: Organization, actor: Actor) -> None:
    export = asked(actor)
    rotate_key(actor=actor, purpose=EXPORT)
    made(export)
    bundle = b"".join(content_of(export, ExportPart.Kind.ZIP))
    assert outcome(bundle, trust_document(organization)) == "holds"


@pytest.mark.parametrize(("signs", "expected"), [(THE_ROOT, "holds"), (ANOTHER, "fails")])
def test_an_older_trust_file_with_the_root_believes_what_the_root_signed(
    organization: Organization, actor: Actor, signs: SigningKey, expected: str
) -> None:
    rooted()
    old = trust_document(organization)
    rotate_key(actor=actor, purpose=RECEIPTS)
    rotate_key(actor=actor, purpose=EXPORT)
    rooted(signs)
    assert outcome(made(asked(actor)), old) == expected


def test_without_a_new_keyring_an_older_trust_file_believes_no_new_key(
    organization: Organization, actor: Actor
) -> None:
    rooted()
    old = trust_document(organization)
    rotate_key(actor=actor, purpose=EXPORT)
    assert outcome(made(asked(actor)), old) == "fails"


def test_a_revocation_that_only_the_keyring_knows_holds_against_an_older_trust_file(
    organization: Organization, actor: Actor
) -> None:
    rooted()
    old, moment = trust_document(organization), organization.created_at
    keyid = next(key["keyid"] for key in old["keys"] if key["purpose"] == RECEIPTS)
    revoke_key(actor=actor, keyid=keyid, reason="The disk was stolen.", at=moment)
    rooted()
    assert outcome(made(asked(actor)), old) == "fails"
