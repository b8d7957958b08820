"""The verifier's own Ed25519: the vectors of RFC 8032, strictness, and agreement with the `cryptography` package."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import verify

ORDER = 2**252 + 27742317777372353535851937790883648493

VECTORS = {
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246551"
            "41438e7a100b"
        ),
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
            "291612bb0c00"
        ),
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027"
            "beceea1ec40a"
        ),
    ),
}

SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
NOT_CANONICAL = [
    "0100000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]
NO_POINT = ["0200000000000000000000000000000000000000000000000000000000000000", "00" * 31, "00" * 33]


@pytest.mark.usefixtures("own_ed25519")
@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_rfc_8032_hold(name: str) -> None:
    public, message, signature = (bytes.fromhex(part) for part in VECTORS[name])
    verify.verify_signature(public, signature, message)


@pytest.mark.usefixtures("own_ed25519")
@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_rfc_8032_do_not_hold_over_another_message(name: str) -> None:
    public, message, signature = (bytes.fromhex(part) for part in VECTORS[name])
    with pytest.raises(verify.SignatureError):
        verify.verify_signature(public, signature, message + b"\x00")


@pytest.mark.parametrize("own", [True, False])
def test_a_signature_malleated_by_the_group_order_is_refused(own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if own:
        monkeypatch.setattr(verify, "_accelerated", lambda: None)
    public, message, signature = (bytes.fromhex(part) for part in VECTORS["TEST 3"])
    s = int.from_bytes(signature[32:], "little") + ORDER
    with pytest.raises(verify.SignatureError, match="below the group order"):
        verify.verify_signature(public, signature[:32] + s.to_bytes(32, "little"), message)


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    public, message, signature = (bytes.fromhex(part) for part in VECTORS["TEST 3"])
    with pytest.raises(verify.SignatureError):
        verify.verify_signature(public, (signature + b"\x00")[:size], message)


@pytest.mark.parametrize("encoded", SMALL_ORDER + NOT_CANONICAL + NO_POINT)
def test_a_key_of_small_order_or_in_another_encoding_is_refused(encoded: str) -> None:
    with pytest.raises(verify.FormError):
        verify.usable_public_key(bytes.fromhex(encoded))


@settings(max_examples=25, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), flip=st.integers(0, 64 * 8 - 1))
def test_both_implementations_give_the_same_answer(seed: bytes, message: bytes, flip: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    broken = bytearray(signature)
    broken[flip // 8] ^= 1 << flip % 8
    fast = verify._accelerated()
    assert fast is not None
    for candidate, expected in ((signature, True), (bytes(broken), False)):
        assert verify._holds(public, candidate, message) is expected
        assert fast(public, candidate, message) is expected
