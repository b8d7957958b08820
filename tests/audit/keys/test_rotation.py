"""Rotating: what was signed keeps verifying, what comes is signed by the new key, and nothing is between the two."""

import base64
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from audit import verify
from audit.envelope import PAYLOAD_TYPES, pae
from audit.keys import keyring
from audit.keys.private import file_of, private_key
from audit.keys.rotation import prepared_key, rotate_key
from audit.keys.signing import EXPORT, LOG, PURPOSES, RECEIPTS, ROUTING
from audit.models import ChainHead, KeyringEntry
from audit.trust import trust_document
from audit.words import sentence, thing_of
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization, RoutingState
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.environment import MisconfiguredError
from relcontrol.errors import Conflict, Forbidden, Invalid
from tests import factories
from tests.audit.keys.chains import chain_of, decide, inputs_of, verified

WRITERS, EACH, ROTATIONS = 4, 12, 3


def test_receipts_before_at_and_after_a_rotation_verify(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    decide(organization)
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    decide(organization)
    statements = verified(organization)
    assert [one.key.keyid for one in statements] == [old, old, old, new.keyid]
    assert [one.predicate["event"] for one in statements][2] == "key.rotated"
    assert keyring.signer(RECEIPTS).keyid == new.keyid != old


def test_the_receipt_of_the_rotation_says_in_clear_which_key_follows_which(
    organization: Organization, actor: Actor
) -> None:
    old = keyring.signer(RECEIPTS).keyid
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    assert inputs_of(verified(organization)[-1]) == [
        ("retired", RECEIPTS, old, None),
        ("current", RECEIPTS, new.keyid, None),
    ]
    row = chain_of(organization)[-1]
    assert row.openings.get().value == {"purpose": RECEIPTS, "old": old, "new": new.keyid}
    thing = thing_of(row.subject, "", {"purpose": RECEIPTS})
    told = sentence(event=row.event, outcome=row.outcome, who="Ada", thing=thing)
    assert told == f"Ada let a new key sign in place of the receipts key {old[:12]}."


def test_the_periods_meet_at_the_moment_of_the_receipt(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    moment = chain_of(organization)[-1].issued_at
    assert KeyringEntry.objects.get(keyid=old).valid_to == moment
    assert new.valid_from == moment


def test_a_retired_key_that_goes_on_signing_is_refused(organization: Organization, actor: Actor) -> None:
    old = keyring.signer(RECEIPTS).keyid
    rotate_key(actor=actor, purpose=RECEIPTS)
    ChainHead.objects.update(keyid=old)
    decide(organization)
    with pytest.raises(verify.VerificationError, match="outside the key's period"):
        verified(organization)


def test_a_receipt_of_before_under_the_new_key_is_refused(organization: Organization, actor: Actor) -> None:
    decide(organization)
    new = private_key(RECEIPTS, rotate_key(actor=actor, purpose=RECEIPTS).keyid)
    value = verify.read_json(bytes(chain_of(organization)[0].payload))
    value["predicate"]["signer"]["keyid"] = new.keyid
    payload, kind = canonical_bytes(value), PAYLOAD_TYPES[RECEIPTS]
    signature = {"keyid": new.keyid, "sig": base64.b64encode(new.sign(pae(kind, payload))).decode()}
    forged = {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": [signature]}
    with pytest.raises(verify.VerificationError, match="outside the key's period"):
        verify.verify_envelope(forged, trust_document(organization))


@pytest.mark.parametrize("purpose", [EXPORT, LOG, ROUTING])
def test_other_keys_rotate_without_touching_that_of_receipts(
    organization: Organization, actor: Actor, purpose: str
) -> None:
    signs, old = keyring.signer(RECEIPTS).keyid, keyring.signer(purpose).keyid
    new = rotate_key(actor=actor, purpose=purpose)
    decide(organization)
    assert {one.key.keyid for one in verified(organization)} == {signs}
    assert keyring.signer(purpose).keyid == new.keyid
    assert inputs_of(verified(organization)[1])[0] == ("retired", purpose, old, None)


def test_gateways_hear_of_a_new_routing_key_by_a_new_generation(organization: Organization, actor: Actor) -> None:
    other = factories.organization("southfield")
    rotate_key(actor=actor, purpose=ROUTING)
    assert {state.organization_id for state in RoutingState.objects.all()} == {organization.pk, other.pk}


def test_every_organization_has_the_receipt_and_the_new_key(organization: Organization, actor: Actor) -> None:
    other = factories.organization("southfield")
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    for one in (organization, other):
        decide(one)
        assert [receipt.event for receipt in chain_of(one)][-2] == "key.rotated"
        assert verified(one)[-1].key.keyid == new.keyid
    assert factories.organization("third") is not None
    assert ChainHead.objects.exclude(keyid=new.keyid).count() == 0


def test_a_second_rotation_follows_the_first(organization: Organization, actor: Actor) -> None:
    keys = [rotate_key(actor=actor, purpose=RECEIPTS).keyid for _ in range(2)]
    decide(organization)
    assert [one.key.keyid for one in verified(organization)][2:] == keys
    assert [key.purpose for key in keyring.public_keys()].count(RECEIPTS) == 3


def test_whoever_does_not_administer_every_organization_may_not(organization: Organization) -> None:
    factories.organization("southfield")
    before = KeyringEntry.objects.count()
    with pytest.raises(Forbidden, match="every organization of this installation"):
        rotate_key(actor=factories.person_actor(organization, "admin"), purpose=RECEIPTS)
    with pytest.raises(Forbidden, match="administrator"):
        rotate_key(actor=factories.person_actor(organization, "auditor"), purpose=RECEIPTS)
    assert KeyringEntry.objects.count() == before


def test_an_administrator_is_named_by_the_receipt(organization: Organization) -> None:
    person = factories.person_actor(organization, "admin")
    rotate_key(actor=person, purpose=RECEIPTS)
    assert verified(organization)[-1].predicate["actor"]["id"] == person.id


def test_an_unknown_purpose_is_refused(actor: Actor) -> None:
    with pytest.raises(Invalid, match="receipts, export, log, routing"):
        rotate_key(actor=actor, purpose="everything")
    assert PURPOSES == (RECEIPTS, EXPORT, LOG, ROUTING)


def test_a_rotation_that_is_killed_leaves_a_file_that_the_next_one_takes(
    organization: Organization, actor: Actor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(purpose: str) -> None:
        raise KeyboardInterrupt(purpose)

    monkeypatch.setattr("audit.keys.rotation.lock_every_chain", killed)
    with pytest.raises(KeyboardInterrupt):
        rotate_key(actor=actor, purpose=RECEIPTS)
    assert [one.key.keyid for one in verified(organization)] == [keyring.signer(RECEIPTS).keyid]
    [left] = set(folder.glob("receipts-*.pem"))
    monkeypatch.undo()
    assert file_of(RECEIPTS, rotate_key(actor=actor, purpose=RECEIPTS).keyid) == left
    assert len(list(folder.glob("receipts-*.pem"))) == 1


def test_a_key_prepared_before_is_the_one_that_follows(actor: Actor) -> None:
    prepared = prepared_key(RECEIPTS).keyid
    assert prepared_key(RECEIPTS).keyid == prepared
    assert rotate_key(actor=actor, purpose=RECEIPTS).keyid == prepared
    assert prepared_key(RECEIPTS).keyid != prepared


def test_a_machine_without_the_new_file_says_so_and_appends_nothing(organization: Organization, actor: Actor) -> None:
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    file_of(RECEIPTS, new.keyid).unlink()
    before = len(chain_of(organization))
    with pytest.raises(MisconfiguredError, match=rf"{new.keyid} is missing.*receipts-{new.keyid[:16]}\.pem"):
        decide(organization)
    assert len(chain_of(organization)) == before


def test_somebody_elses_rotation_at_the_same_time_is_a_conflict(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(purpose: str) -> None:
        monkeypatch.undo()
        rotate_key(actor=actor, purpose=purpose)

    keyring.signer(RECEIPTS)
    monkeypatch.setattr("audit.keys.rotation.lock_every_chain", overtaken)
    with pytest.raises(Conflict, match="a moment ago"):
        rotate_key(actor=actor, purpose=RECEIPTS)


def test_what_was_asked_for_before_a_rotation_takes_the_new_keys_time(actor: Actor) -> None:
    keyring.signer(EXPORT)
    moment = KeyringEntry.objects.get(purpose=EXPORT).valid_from
    rotate_key(actor=actor, purpose=EXPORT)
    key = keyring.signer(EXPORT)
    started = KeyringEntry.objects.get(keyid=key.keyid).valid_from
    assert keyring.not_before(key, moment) == started
    assert keyring.not_before(key, started + timedelta(seconds=1)) == started + timedelta(seconds=1)


@pytest.mark.django_db(transaction=True)
def test_appends_during_rotations_are_never_signed_by_a_retired_key(folder: Path) -> None:
    organization = factories.organization()
    actor = command_actor(organization)
    errors: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(EACH):
                decide(organization)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for number in range(ROTATIONS):
        rotate_key(actor=actor, purpose=RECEIPTS)
        factories.organization(f"made-meanwhile-{number}")
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    assert len({one.key.keyid for one in verified(organization)}) == ROTATIONS + 1
    assert len(chain_of(organization)) == 1 + WRITERS * EACH + ROTATIONS


@pytest.mark.django_db(transaction=True)
def test_an_organization_that_is_made_during_a_rotation_begins_with_the_key_that_signs_then(folder: Path) -> None:
    actor = command_actor(factories.organization())
    errors: list[BaseException] = []

    def make() -> None:
        try:
            for number in range(EACH):
                factories.organization(f"beside-{number}")
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=make)
    thread.start()
    for _ in range(ROTATIONS):
        rotate_key(actor=actor, purpose=RECEIPTS)
    thread.join(timeout=60)
    assert errors == []
    for organization in Organization.objects.all():
        decide(organization)
        assert verified(organization)[-1].key.keyid == keyring.signer(RECEIPTS).keyid


@pytest.mark.django_db(transaction=True)
def test_a_chain_that_is_held_too_long_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    organization = factories.organization()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM audit_chainhead FOR UPDATE")
            held.set()
            done.wait(60)
            cursor.execute("ROLLBACK")
        connection.close()

    monkeypatch.setattr("audit.keys.changes.WAIT", "SET LOCAL lock_timeout = '50ms'")
    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    with pytest.raises(Conflict, match="Nothing was changed"):
        rotate_key(actor=command_actor(organization), purpose=RECEIPTS)
    done.set()
    thread.join(timeout=60)
    assert [receipt.event for receipt in chain_of(organization)] == ["organization.changed"]
