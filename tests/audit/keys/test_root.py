"""The keyring under the root's signature: what is signed, what is refused, and what the server takes."""

import base64
import json
from typing import Any

import pytest

from audit.chain import timestamp
from audit.envelope import PAYLOAD_TYPES, pae
from audit.keys.keyring import public_keys, signer
from audit.keys.revocation import revoke_key
from audit.keys.rotation import rotate_key
from audit.keys.signing import EXPORT, RECEIPTS, ROOT, SigningKey, load_signing_key, new_private_pem
from audit.root.document import KeyringError, payload_of, read_payload
from audit.root.importing import import_keyring, newest, request, root_of, unsigned
from audit.root.signing import Signed, file_text, open_envelope, read_file, sign
from audit.trust import trust_document
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.clock import now
from relcontrol.errors import Conflict, Invalid
from tests import factories

THE_ROOT, ANOTHER = (load_signing_key(new_private_pem(), purpose=ROOT) for _ in range(2))


def signed_file(root: SigningKey = THE_ROOT) -> bytes:
    """The present keyring, as it comes back from the offline machine."""
    return file_text(sign(request(), root)).encode()


def content(**changes: Any) -> dict[str, Any]:
    """A keyring as JSON, changed."""
    value: dict[str, Any] = json.loads(request())
    return value | changes


def test_the_document_names_every_key_and_every_chain(organization: Organization, actor: Actor) -> None:
    other = factories.organization("southfield")
    rotate_key(actor=actor, purpose=RECEIPTS)
    value = json.loads(request())
    assert value["schema"] == "relcontrol/keyring/v1"
    assert value["origins"] == sorted([organization.origin, other.origin])
    assert [key["keyid"] for key in value["keys"]] == sorted(key.keyid for key in public_keys())
    assert value["keys"][0] == {key.keyid: key for key in public_keys()}[value["keys"][0]["keyid"]].as_json()
    assert (value["sequence"], set(value)) == (1, {"schema", "sequence", "issued_at", "origins", "keys"})


def test_a_signed_keyring_is_read_back(organization: Organization) -> None:
    signed = read_file(signed_file())
    assert payload_of(signed.keyring) == base64.b64decode(signed.envelope["payload"])
    assert signed.envelope["payloadType"] == "application/vnd.relcontrol.keyring+json"
    assert signed.root == THE_ROOT.public
    assert open_envelope(signed.envelope, THE_ROOT.public) == signed


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "relcontrol/keyring/v0"},
        {"sequence": 0},
        {"sequence": True},
        {"issued_at": "yesterday"},
        {"origins": ["b", "a"]},
        {"origins": ["a", "a"]},
        {"keys": "none"},
        {"more": 1},
    ],
)
def test_the_root_signs_nothing_but_a_keyring(organization: Organization, change: dict[str, Any]) -> None:
    with pytest.raises(KeyringError, match="expected"):
        sign(canonical_bytes(content(**change)), THE_ROOT)


def test_a_keyring_with_another_spelling_or_a_key_under_another_id_is_refused(organization: Organization) -> None:
    with pytest.raises(KeyringError, match="another spelling"):
        read_payload(request() + b" ")
    keys = content()["keys"]
    keys[0]["keyid"] = "ab" * 32
    with pytest.raises(KeyringError, match="other fields"):
        read_payload(canonical_bytes(content(keys=keys)))
    with pytest.raises(KeyringError, match="other fields"):
        read_payload(canonical_bytes(content(keys=[*content()["keys"]] * 2)))


def forged(signed: Signed, **changes: Any) -> dict[str, Any]:
    """The envelope, changed."""
    return {**signed.envelope, **changes}


def test_only_the_roots_own_signature_counts(organization: Organization) -> None:
    signed, payload = sign(request(), THE_ROOT), request()
    by_another = {"keyid": THE_ROOT.keyid, "sig": _signature(ANOTHER, payload)}
    envelopes: tuple[Any, ...] = (
        forged(signed, payload=base64.b64encode(payload + b" ").decode()),
        forged(signed, payloadType="application/json"),
        forged(signed, signatures=[]),
        forged(signed, signatures=[by_another]),
        forged(signed, signatures=[{**signed.envelope["signatures"][0], "keyid": ANOTHER.keyid}]),
        forged(signed, signatures=signed.envelope["signatures"] * 2),
        forged(signed, more=1),
        [],
    )
    for envelope in envelopes:
        with pytest.raises(KeyringError, match="expected"):
            open_envelope(envelope, THE_ROOT.public)
    with pytest.raises(KeyringError, match="by the root"):
        open_envelope(signed.envelope, ANOTHER.public)


def _signature(key: SigningKey, payload: bytes) -> str:
    return base64.b64encode(key.sign(pae(PAYLOAD_TYPES[ROOT], payload))).decode()


def test_an_imported_keyring_is_in_the_trust_file_by_its_root(organization: Organization) -> None:
    assert "root" not in trust_document(organization)
    row = import_keyring(text=signed_file())
    assert trust_document(organization)["root"] == root_of(row)
    assert root_of(row)["keyid"] == THE_ROOT.keyid == row.root_keyid


def test_the_sequence_must_grow(organization: Organization) -> None:
    first, again = signed_file(), signed_file()
    import_keyring(text=first)
    with pytest.raises(Conflict, match="Keyring 1 is here already"):
        import_keyring(text=again)
    assert import_keyring(text=signed_file()).sequence == 2


def test_another_root_must_be_meant(organization: Organization) -> None:
    import_keyring(text=signed_file())
    with pytest.raises(Conflict, match="--new-root"):
        import_keyring(text=signed_file(ANOTHER))
    assert import_keyring(text=signed_file(ANOTHER), new_root=True).root_keyid == ANOTHER.keyid
    assert trust_document(organization)["root"]["keyid"] == ANOTHER.keyid


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"keyring": {}, "root": {}}', b"\xff"])
def test_what_is_no_signed_keyring_is_refused(organization: Organization, text: bytes) -> None:
    with pytest.raises(Invalid, match="no signed keyring"):
        import_keyring(text=text)
    assert newest() is None


def test_a_keyring_of_another_installation_is_refused(organization: Organization) -> None:
    strange = load_signing_key(new_private_pem(), purpose=EXPORT)
    entry = content()["keys"][0] | {
        "keyid": strange.keyid,
        "public_key": base64.b64encode(strange.public).decode(),
        "from": timestamp(now()),
    }
    for payload, said in (
        (canonical_bytes(content(keys=[entry])), "never signed here"),
        (canonical_bytes(content(origins=["elsewhere.example/x"])), "not here"),
    ):
        with pytest.raises(Invalid, match=said):
            import_keyring(text=file_text(sign(payload, THE_ROOT)).encode())


def test_what_the_root_has_not_signed_yet_is_said_for_each_key(organization: Organization, actor: Actor) -> None:
    old = signer(RECEIPTS).keyid
    assert unsigned(newest(), public_keys()) == {old: "not signed by the root yet"}
    import_keyring(text=signed_file())
    assert unsigned(newest(), public_keys()) == {}
    new = rotate_key(actor=actor, purpose=RECEIPTS).keyid
    assert unsigned(newest(), public_keys()) == {
        old: "retired since the root signed",
        new: "not signed by the root yet",
    }
    import_keyring(text=signed_file())
    revoke_key(actor=actor, keyid=old, reason="The disk was stolen.")
    assert unsigned(newest(), public_keys()) == {old: "revoked since the root signed"}
