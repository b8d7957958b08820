"""Which trust files a gateway can start with."""

from typing import Any

import pytest

from audit.keys.signing import RECEIPTS
from releases.gateway.control.errors import UnusableTrustError
from releases.gateway.control.trust import Served, trust_of
from tests.releases.gateway.control import signed
from tests.releases.gateway.control.signed import key_of


def test_a_trust_file_gives_the_organization_and_its_routing_keys_only() -> None:
    trust = trust_of(signed.trust_file(signed.public(key_of(3, RECEIPTS)), signed.public(signed.SIGNER)))

    assert trust.served == Served(signed.SLUG, signed.ORIGIN)
    assert [key.keyid for key in trust.keys] == [signed.SIGNER.keyid]


def test_a_trust_file_without_a_routing_key_is_unusable() -> None:
    with pytest.raises(UnusableTrustError, match="no key of the purpose 'routing'"):
        trust_of(signed.trust_file(signed.public(key_of(3, RECEIPTS))))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keyid", "0" * 64),
        ("alg", "ecdsa-p256"),
        ("public_key", "AAAA"),
        ("public_key", "!"),
        ("public_key", None),
        ("from", None),
        ("from", "yesterday"),
        ("from", "2026-01-01T00:00:00"),
        ("revoked_at", 7),
    ],
)
def test_a_routing_key_that_is_not_what_it_says_makes_the_trust_file_unusable(name: str, value: object) -> None:
    document = signed.trust_file()
    document["keys"][0][name] = value

    with pytest.raises(UnusableTrustError):
        trust_of(document)


@pytest.mark.parametrize("document", [{}, {"organization": "a", "origin": "b"}, {"organization": 1, "origin": "b"}])
def test_a_trust_file_that_lacks_a_part_is_unusable(document: dict[str, Any]) -> None:
    with pytest.raises(UnusableTrustError):
        trust_of(document)
