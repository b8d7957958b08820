"""Revoking: from its moment on nothing by the key is believed, and the key signs nothing more."""

from datetime import timedelta
from typing import Any

import pytest

from audit import verify
from audit.anchor_models import Anchor, AnchorSink
from audit.anchors.checkpoints import open_checkpoint
from audit.keys import keyring
from audit.keys.private import file_of
from audit.keys.revocation import revoke_key, signed_since
from audit.keys.rotation import rotate_key
from audit.keys.signing import EXPORT, LOG, RECEIPTS
from audit.log.notes import parse_note, verify_note
from audit.models import ChainHead, KeyringEntry
from audit.trust import trust_document
from audit.words import sentence, thing_of
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from tests import factories
from tests.audit.keys.chains import chain_of, decide, inputs_of, verified

STOLEN = "The disk was stolen."


def test_a_key_in_use_is_replaced_and_signs_not_even_its_own_revocation(
    organization: Organization, actor: Actor
) -> None:
    old = keyring.signer(RECEIPTS).keyid
    decide(organization)
    revoke_key(actor=actor, keyid=old, reason=STOLEN)
    decide(organization)
    new = keyring.signer(RECEIPTS).keyid
    statements = verified(organization)
    assert [one.key.keyid for one in statements] == [old, old, new, new]
    assert [one.predicate["event"] for one in statements] == [
        "organization.changed",
        "token.changed",
        "key.revoked",
        "token.changed",
    ]


def test_the_receipt_says_in_clear_which_key_and_since_when(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    revoke_key(actor=actor, keyid=old, reason=STOLEN)
    entry = next(key for key in trust_document(organization)["keys"] if key["keyid"] == old)
    assert inputs_of(verified(organization)[-1]) == [
        ("revoked", RECEIPTS, old, entry["revoked_at"]),
        ("current", RECEIPTS, keyring.signer(RECEIPTS).keyid, None),
    ]
    assert entry["reason"] == STOLEN
    row = chain_of(organization)[-1]
    assert row.openings.get().value["reason"] == STOLEN
    told = sentence(event=row.event, outcome=row.outcome, who="Ada", thing=thing_of(row.subject, "", None))
    assert told == f"Ada revoked the key {old[:12]}: what it signs is believed no more."


def test_what_a_revoked_key_signs_afterwards_is_refused(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    revoke_key(actor=actor, keyid=old, reason=STOLEN)
    KeyringEntry.objects.filter(keyid=old).update(valid_to=None)
    ChainHead.objects.update(keyid=old)
    decide(organization)
    with pytest.raises(verify.VerificationError, match="signed by a revoked key"):
        verified(organization)


def test_receipts_of_a_clock_that_runs_ahead_keep_verifying(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    ahead = now() + timedelta(hours=1)
    ChainHead.objects.update(issued_at=ahead)
    decide(organization)
    assert revoke_key(actor=actor, keyid=old, reason=STOLEN).revoked_at == ahead + timedelta(microseconds=1)
    decide(organization)
    assert len(verified(organization)) == 4


def test_an_earlier_moment_takes_what_was_signed_since_with_it(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    fell = decide(organization).issued_at
    decide(organization)
    assert signed_since(old, fell) == 2
    revoke_key(actor=actor, keyid=old, reason=STOLEN, at=fell)
    with pytest.raises(verify.VerificationError, match="signed by a revoked key") as refused:
        verified(organization)
    assert refused.value.seq == 2


def test_a_retired_key_is_revoked_by_a_receipt_of_the_one_that_signs(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    new = rotate_key(actor=actor, purpose=RECEIPTS).keyid
    revoke_key(actor=actor, keyid=old, reason=STOLEN)
    last = verified(organization)[-1]
    assert (last.key.keyid, inputs_of(last)[0][:3]) == (new, ("revoked", RECEIPTS, old))
    assert keyring.signer(RECEIPTS).keyid == new


def test_a_key_of_exports_is_revoked_in_every_chain(organization: Organization, actor: Actor) -> None:
    other, old = factories.organization("southfield"), keyring.signer(EXPORT).keyid
    revoke_key(actor=actor, keyid=old, reason=STOLEN)
    for one in (organization, other):
        assert inputs_of(verified(one)[-1])[0][:3] == ("revoked", EXPORT, old)
    assert keyring.signer(EXPORT).keyid != old


def test_a_key_whose_file_is_lost_can_be_revoked(organization: Organization, actor: Actor) -> None:
    lost = rotate_key(actor=actor, purpose=RECEIPTS).keyid
    file_of(RECEIPTS, lost).unlink()
    revoke_key(actor=actor, keyid=lost, reason="Its file is lost.")
    decide(organization)
    assert verified(organization)[-1].key.keyid == keyring.signer(RECEIPTS).keyid != lost


def test_again_is_refused_but_for_an_earlier_moment(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    row = revoke_key(actor=actor, keyid=old, reason=STOLEN)
    with pytest.raises(Conflict, match="is revoked since"):
        revoke_key(actor=actor, keyid=old, reason=STOLEN)
    assert row.revoked_at is not None
    earlier = row.revoked_at - timedelta(microseconds=1)
    assert revoke_key(actor=actor, keyid=old, reason=STOLEN, at=earlier).revoked_at == earlier
    assert [receipt.event for receipt in chain_of(organization)].count("key.revoked") == 2


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "a\x00b"])
def test_a_reason_is_said_in_words(organization: Organization, actor: Actor, reason: str) -> None:
    with pytest.raises(Invalid, match="Say why"):
        revoke_key(actor=actor, keyid=keyring.signer(RECEIPTS).keyid, reason=reason)
    assert KeyringEntry.objects.get(purpose=RECEIPTS).revoked_at is None


def test_what_cannot_be_revoked_is_refused(organization: Organization, actor: Actor) -> None:
    with pytest.raises(NotFound):
        revoke_key(actor=actor, keyid="ab" * 32, reason=STOLEN)
    with pytest.raises(Invalid, match="in the past"):
        revoke_key(actor=actor, keyid=keyring.signer(RECEIPTS).keyid, reason=STOLEN, at=now() + timedelta(minutes=1))
    with pytest.raises(Forbidden):
        revoke_key(
            actor=factories.person_actor(organization, "auditor"),
            keyid=keyring.signer(RECEIPTS).keyid,
            reason=STOLEN,
        )
    assert KeyringEntry.objects.get(purpose=RECEIPTS).revoked_at is None


def test_what_waits_to_be_anchored_under_a_revoked_key_of_the_log_is_given_up_and_a_new_checkpoint_follows(
    organization: Organization, actor: Actor
) -> None:
    settings: dict[str, Any] = {"url": "http://tsa.example", "roots": [], "policy": None}
    AnchorSink.objects.create(
        organization=organization, name="stamps", kind="rfc3161", settings=settings, created_at=now()
    )
    before = open_checkpoint(organization=organization, reason="asked", at=now())
    revoke_key(actor=actor, keyid=keyring.signer(LOG).keyid, reason=STOLEN)
    given_up = Anchor.objects.get()
    assert (given_up.state, (given_up.problem or {}).get("code")) == ("cancelled", "key_revoked")
    after = open_checkpoint(organization=organization, reason="asked", at=now())
    assert after.size > before.size
    assert Anchor.objects.get(checkpoint=after).state == "queued"
    verify_note(parse_note(after.note), organization.origin, keyring.signer(LOG).public)
