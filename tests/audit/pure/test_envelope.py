"""Envelopes and keys, against the DSSE specification and a second implementation of it."""

import base64
import copy
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib import exceptions
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # public, but re-exported plainly

from audit import verify
from audit.envelope import pae, sign_envelope
from audit.keys.signing import EXPORT, LOG, RECEIPTS, SigningKey, keyid_of, load_signing_key, new_private_pem
from tests.audit.pure.chains import EXPORT_KEY, FOREIGN_KEY, RECEIPT_KEY, ledger, public, trust


def test_the_pre_authentication_encoding_is_the_specifications() -> None:
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pae("http://example.com/HelloWorld", b"hello world") == expected
    assert verify.pae("http://example.com/HelloWorld", b"hello world") == expected


@given(kind=st.text(st.characters(codec="utf-8")), payload=st.binary())
def test_writer_and_verifier_sign_over_the_same_bytes(kind: str, payload: bytes) -> None:
    assert pae(kind, payload) == verify.pae(kind, payload)


def second_implementation(key: SigningKey) -> SSlibKey:
    return SSlibKey(key.keyid, "ed25519", "ed25519", {"public": key.public.hex()})


def test_securesystemslib_accepts_our_envelope() -> None:
    envelope = Envelope.from_dict(copy.deepcopy(ledger().envelopes[0]))
    assert list(envelope.verify([second_implementation(RECEIPT_KEY)], 1)) == [RECEIPT_KEY.keyid]


def test_securesystemslib_refuses_our_envelope_under_another_key() -> None:
    envelope = Envelope.from_dict(copy.deepcopy(ledger().envelopes[0]))
    with pytest.raises(exceptions.VerificationError):
        envelope.verify([second_implementation(FOREIGN_KEY)], 1)


@pytest.mark.parametrize("name", ["manifest", "receipts"])
def test_securesystemslib_accepts_the_envelopes_of_an_export(name: str) -> None:
    found = json.loads(ledger().export())[name]
    key = EXPORT_KEY if name == "manifest" else RECEIPT_KEY
    envelope = Envelope.from_dict(found if name == "manifest" else found[-1])
    assert list(envelope.verify([second_implementation(key)], 1)) == [key.keyid]


def test_the_payload_type_follows_from_the_keys_purpose() -> None:
    assert sign_envelope(b"{}", RECEIPT_KEY)["payloadType"] == "application/vnd.in-toto+json"
    assert sign_envelope(b"{}", EXPORT_KEY)["payloadType"] == "application/vnd.relcontrol.export+json"


def test_a_log_key_signs_no_envelopes() -> None:
    with pytest.raises(ValueError, match="log"):
        sign_envelope(b"{}", SigningKey(purpose=LOG, private=RECEIPT_KEY.private))


def test_a_fresh_key_is_loaded_again_with_its_id() -> None:
    key = load_signing_key(new_private_pem(), purpose=RECEIPTS)
    assert key.keyid == keyid_of(key.public)
    assert len(key.public) == 32


def test_two_fresh_keys_differ() -> None:
    assert new_private_pem() != new_private_pem()


def test_a_key_never_shows_itself_in_text() -> None:
    assert "rivate" not in repr(RECEIPT_KEY)


@pytest.mark.parametrize(
    "make", [lambda: ec.generate_private_key(ec.SECP256R1()), lambda: rsa.generate_private_key(65537, 2048)]
)
def test_only_ed25519_keys_are_accepted(make: object) -> None:
    assert callable(make)
    pem = make().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="Ed25519"):
        load_signing_key(pem, purpose=EXPORT)


def test_an_encrypted_key_is_refused_with_the_reason() -> None:
    pem = RECEIPT_KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(ValueError, match="unencrypted"):
        load_signing_key(pem, purpose=RECEIPTS)


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="receipts, export, log, routing"):
        load_signing_key(new_private_pem(), purpose="everything")


def test_a_trust_file_entry_holds_the_raw_key() -> None:
    entry = public(RECEIPT_KEY).as_json()
    assert base64.b64decode(str(entry["public_key"])) == RECEIPT_KEY.public
    assert verify.read_trust(trust()).keys[RECEIPT_KEY.keyid].public == RECEIPT_KEY.public
