"""Mutations of signatures, keys and the keyring."""

import base64
import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from audit.chain import timestamp
from audit.verify import AUTHENTICITY, INTEGRITY
from tests.audit.evidence.bundles import FOREIGN_ROOT_KEY, KEYS, keyring, trust, whole
from tests.audit.evidence.logs import LOG_KEY
from tests.audit.evidence.spoiling import Case, Mutation, document
from tests.audit.pure.chains import (
    EXPORT_KEY,
    FOREIGN_EXPORT_KEY,
    FOREIGN_KEY,
    RECEIPT_KEY,
    START,
    public,
)
from tests.audit.pure.forgeries import signed

ORDER = 2**252 + 27742317777372353535851937790883648493
SECOND, LATER = timestamp(START + timedelta(seconds=1)), timestamp(START + timedelta(seconds=3))


def envelope(change: Callable[[dict[str, Any]], object]) -> Callable[[], Case]:
    """The envelope of the second receipt changed."""

    def make() -> Case:
        bundle = whole()
        bundle.receipts[1] = copy.deepcopy(bundle.receipts[1])
        change(bundle.receipts[1])
        return document(bundle)

    return make


def resign(keyid: str) -> Callable[[dict[str, Any]], object]:
    """Signed by somebody else, under this key id."""

    def change(found: dict[str, Any]) -> None:
        found["signatures"] = signed(base64.b64decode(found["payload"]), FOREIGN_KEY)["signatures"]
        found["signatures"][0]["keyid"] = keyid

    return change


def malleate(found: dict[str, Any]) -> None:
    signature = base64.b64decode(found["signatures"][0]["sig"])
    s = int.from_bytes(signature[32:], "little") + ORDER
    found["signatures"][0]["sig"] = base64.b64encode(signature[:32] + s.to_bytes(32, "little")).decode()


def with_export_key(found: dict[str, Any]) -> None:
    found["signatures"] = signed(base64.b64decode(found["payload"]), EXPORT_KEY)["signatures"]


def trusting(**period: Any) -> Callable[[], Case]:
    """The trust file says this of the receipts key."""

    def make() -> Case:
        bundle = whole(trust=trust(public(RECEIPT_KEY, **period), public(EXPORT_KEY), public(LOG_KEY)))
        return document(bundle)

    return make


def ringed(make: Callable[[], dict[str, Any]]) -> Callable[[], Case]:
    """The export holds this keyring."""
    return lambda: document(whole(keyring=make()))


def foreign_export() -> Case:
    return document(whole(key=FOREIGN_EXPORT_KEY, keys=[*KEYS, public(FOREIGN_EXPORT_KEY)]))


HOLDS_NOT, UNKNOWN = "the signature does not hold", "signed by an unknown key"
RING = "the keyring"
MUTATIONS = [
    Mutation("re-signed, key id kept", envelope(resign(RECEIPT_KEY.keyid)), AUTHENTICITY, HOLDS_NOT),
    Mutation("re-signed, key id replaced", envelope(resign(FOREIGN_KEY.keyid)), AUTHENTICITY, UNKNOWN),
    Mutation("signature stripped", envelope(lambda found: found["signatures"].clear()), INTEGRITY, "the envelope"),
    Mutation(
        "signature emptied", envelope(lambda found: found["signatures"][0].update(sig="")), INTEGRITY, "the envelope"
    ),
    Mutation("signature malleated (S + L)", envelope(malleate), AUTHENTICITY, HOLDS_NOT),
    Mutation(
        "algorithm negotiated", envelope(lambda found: found["signatures"][0].update(alg="none")), INTEGRITY, "envelope"
    ),
    Mutation("signed by a key of another purpose", envelope(with_export_key), AUTHENTICITY, "key of another purpose"),
    Mutation("key retired before", trusting(end=SECOND), AUTHENTICITY, "signed outside the key's period"),
    Mutation("key from later", trusting(start=LATER), AUTHENTICITY, "signed outside the key's period"),
    Mutation("key revoked before", trusting(revoked_at=SECOND), AUTHENTICITY, "signed by a revoked key"),
    Mutation("export by a foreign key", foreign_export, AUTHENTICITY, UNKNOWN),
    Mutation(
        "export by a key that is not trusted",
        lambda: document(whole(trust=trust(public(RECEIPT_KEY), public(LOG_KEY)), keyring=None)),
        AUTHENTICITY,
        UNKNOWN,
    ),
    Mutation("keyring by a foreign root", ringed(lambda: keyring(root=FOREIGN_ROOT_KEY)), AUTHENTICITY, RING),
    Mutation(
        "keyring of another customer", ringed(lambda: keyring(origins=["relcontrol.test/other"])), AUTHENTICITY, RING
    ),
    Mutation("keyring with an unknown field", ringed(lambda: keyring(note="")), INTEGRITY, RING),
    Mutation(
        "key revoked in the keyring",
        ringed(lambda: keyring(public(RECEIPT_KEY, revoked_at=SECOND), public(EXPORT_KEY), public(LOG_KEY))),
        AUTHENTICITY,
        "signed by a revoked key",
    ),
    Mutation(
        "key retired in the keyring",
        ringed(lambda: keyring(public(RECEIPT_KEY, end=SECOND), public(EXPORT_KEY), public(LOG_KEY))),
        AUTHENTICITY,
        "signed outside the key's period",
    ),
]
