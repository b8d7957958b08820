"""What verdicts say of what they checked, and did not: keys by way of the root, stamps, tails, stolen keys."""

from datetime import timedelta
from typing import Any

import pytest

from audit import verify
from audit.chain import timestamp
from tests.audit.evidence.bundles import KEYS, Bundle, application, keyring, release, trust, whole
from tests.audit.evidence.logs import LOG_KEY
from tests.audit.evidence.spoiling import Case, document
from tests.audit.evidence.test_mutations import judged
from tests.audit.pure.chains import EXPORT_KEY, RECEIPT_KEY, START, public

AFTER_ALL = timestamp(START + timedelta(days=2))


def verdict(bundle: Bundle, check: str) -> verify.Verdict:
    report = judged(document(bundle))
    assert report.failures == ()
    return next(verdict for verdict in report.verdicts if verdict.check == check)


@pytest.mark.parametrize("lost", KEYS, ids=lambda key: key.purpose)
def test_a_key_that_only_the_root_signed_is_trusted(lost: Any) -> None:
    bundle = whole(10, trust=trust(*(key for key in KEYS if key != lost)))
    found = verdict(bundle, verify.AUTHENTICITY)
    assert (found.outcome, "or its root signed" in found.proves) == (verify.HOLDS, True)
    bundle.keyring = None
    assert judged(document(bundle)).exit_code == 1


def test_without_a_root_in_the_trust_file_no_keyring_is_believed() -> None:
    known = trust(*KEYS[1:])
    del known["root"]
    assert judged(document(whole(10, trust=known))).exit_code == 1


def test_a_stolen_key_is_no_doubt_where_a_stamp_is_older_than_its_revocation() -> None:
    """Of the twelve receipts seven are stamped; the others could be dated back by whoever has the key."""
    stolen = (public(RECEIPT_KEY, revoked_at=AFTER_ALL), public(EXPORT_KEY), public(LOG_KEY))
    found = verdict(whole(trust=trust(*stolen), keyring=keyring(*stolen)), verify.AUTHENTICITY)
    assert found.outcome == verify.HOLDS
    assert "5 rely on a key revoked later" in found.does_not_prove


def test_a_log_key_revoked_after_its_anchors_still_vouches_for_them() -> None:
    retired = (*KEYS[:2], public(LOG_KEY, revoked_at=AFTER_ALL))
    assert verdict(whole(trust=trust(*retired), keyring=None), verify.AUTHENTICITY).outcome == verify.HOLDS


@pytest.mark.parametrize(
    ("bundle", "covered"), [(whole(), "7 of the 12"), (application(), "4 of the 5")], ids=["whole", "application"]
)
def test_the_tail_that_is_not_anchored_is_counted(bundle: Bundle, covered: str) -> None:
    found = verdict(bundle, verify.TIME)
    assert found.outcome == verify.NOT_CHECKED
    assert f"They cover {covered} receipts here" in found.proves


def test_without_the_package_the_stamps_are_counted_and_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_time_stamps", lambda: None)
    found = verdict(release(10), verify.TIME)
    assert found.outcome == verify.NOT_CHECKED
    assert "needs the package rfc3161-client" in found.proves
    assert "They cover every receipt here" in found.proves


def test_an_export_without_anchors_says_that_there_is_no_outside_clock() -> None:
    assert "No outside clock" in verdict(whole(3), verify.TIME).proves


def test_a_witness_that_nobody_trusts_vouches_for_nothing() -> None:
    found = verdict(whole(10, trust=trust(witnesses=[])), verify.COMPLETENESS)
    assert (found.outcome, found.proves.startswith("None: ")) == (verify.NOT_CHECKED, True)


def test_an_opening_export_says_what_it_opens() -> None:
    assert "opens nothing." in verdict(whole(3, opens="nothing", openings=[]), verify.COVERAGE).proves


BROKEN: list[dict[str, Any]] = [
    {"tsa_roots": ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]},
    {"tsa_roots": [1]},
    {"witnesses": [{"name": "w", "public_key": "AAAA", "vkey": "w"}]},
    {"witnesses": [trust()["witnesses"][0] | {"name": "another"}]},
    {"witnesses": [trust()["witnesses"][0] | {"vkey": "another"}]},
    {"root": trust()["root"] | {"keyid": "0" * 64}},
    {"root": None},
]


@pytest.mark.parametrize("changed", BROKEN, ids=[" ".join(one) + str(i) for i, one in enumerate(BROKEN)])
def test_a_trust_file_with_an_unusable_part_is_no_verdict(changed: dict[str, Any]) -> None:
    with pytest.raises(verify.TrustError, match="trust file"):
        judged(Case(whole(10).document(), trust(**changed)))
