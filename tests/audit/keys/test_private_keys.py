"""Where private halves are: in files that nobody else reads, or in a variable with one or several of them."""

import stat
from pathlib import Path

import pytest

from audit.keys import keyring
from audit.keys.rotation import rotate_key
from audit.keys.signing import EXPORT, RECEIPTS, load_signing_key, new_private_pem
from audit.models import KeyringEntry
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.environment import MisconfiguredError
from relcontrol.errors import Conflict
from tests.audit.keys.chains import decide, verified

VARIABLE = "RELCONTROL_KEY_EXPORT"


def id_of(pem: bytes) -> str:
    """The id of a key of exports."""
    return load_signing_key(pem, purpose=EXPORT).keyid


def test_files_are_for_their_owner_alone(organization: Organization, actor: Actor, folder: Path) -> None:
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    assert {file.name for file in folder.iterdir()} == {"receipts.pem", f"receipts-{new.keyid[:16]}.pem"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_variable_holds_keys_one_after_the_other(actor: Actor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = new_private_pem(), new_private_pem()
    monkeypatch.setenv(VARIABLE, first.decode())
    assert keyring.signer(EXPORT).keyid == id_of(first)
    with pytest.raises(Conflict, match=f"{VARIABLE} holds no key that is not on the keyring"):
        rotate_key(actor=actor, purpose=EXPORT)
    monkeypatch.setenv(VARIABLE, (first + second).decode())
    assert rotate_key(actor=actor, purpose=EXPORT).keyid == id_of(second) == keyring.signer(EXPORT).keyid
    assert list(folder.glob("export*")) == []


def test_a_key_in_use_that_the_variable_lacks_is_named(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    keyid = keyring.signer(EXPORT).keyid
    monkeypatch.setenv(VARIABLE, new_private_pem().decode())
    monkeypatch.setattr("audit.keys.private._loaded", {})
    with pytest.raises(MisconfiguredError, match=rf"{VARIABLE} does not hold the export key {keyid}"):
        keyring.signer(EXPORT)


def test_what_is_no_key_is_named_with_its_place(actor: Actor, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "no key")
    with pytest.raises(MisconfiguredError, match=f"{VARIABLE}: the export key is not an unencrypted PEM"):
        keyring.signer(EXPORT)


def test_a_lost_first_file_is_an_error_and_no_new_key(organization: Organization, folder: Path) -> None:
    decide(organization)
    (folder / "receipts.pem").unlink()
    decide(organization)  # the process still holds the key
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("audit.keys.private._loaded", {})
        with pytest.raises(MisconfiguredError, match=r"Put its file, receipts\.pem"):
            decide(organization)
    assert KeyringEntry.objects.filter(purpose=RECEIPTS).count() == 1
    assert len(verified(organization)) == 3


def test_another_process_finds_the_new_key_without_a_restart(
    organization: Organization, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.keys.private._loaded", {})  # of the process that rotates
    new = rotate_key(actor=actor, purpose=RECEIPTS)
    monkeypatch.undo()  # of another one, which knows the old key alone
    decide(organization)
    assert verified(organization)[-1].key.keyid == new.keyid
