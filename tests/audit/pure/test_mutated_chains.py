"""Mutations of the chains (receipts.md), each caught at its place.

`ledger` holds five receipts: 1 registered and 2 gate passed (release one), 3 a person, 4 registered (release two),
5 gate passed (release one). A mutation by somebody without keys changes the document; one by a holder of the export
key makes a new, rightly signed document of changed receipts.
"""

import pytest

from audit import verify
from audit.chain import timestamp
from audit.exporting.document import Scope
from audit.verify import AUTHENTICITY, COMPLETENESS, INTEGRITY, TIME, Head
from tests.audit.pure.chains import (
    FOREIGN_KEY,
    MANIFEST,
    OTHER_MANIFEST,
    START,
    Ledger,
    document,
    payload_of,
    rewrite,
    trust,
)
from tests.audit.pure.chains import ledger as new_ledger
from tests.audit.pure.expectations import refused, report_of
from tests.audit.pure.forgeries import Statement, export_with


def test_a_changed_order_is_refused(ledger: Ledger) -> None:
    refused(ledger.export(keep=[0, 2, 1, 3, 4]), INTEGRITY, seq=2)


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_a_deleted_receipt_is_missed(ledger: Ledger, missing: int) -> None:
    keep = [i for i in range(5) if i != missing]
    failure = refused(ledger.export(keep=keep), COMPLETENESS, seq=missing + 2)[0]
    assert (failure.expected, failure.got) == (f"seq {missing + 1}", f"seq {missing + 2}")


def test_a_deleted_receipt_is_missed_when_only_its_part_was_edited(ledger: Ledger) -> None:
    text = rewrite(ledger.export(), lambda value: value["receipts"].pop(2))
    refused(text, INTEGRITY)
    refused(text, COMPLETENESS, seq=4)


def test_a_chain_rebuilt_after_a_deletion_with_a_foreign_key_is_refused() -> None:
    rebuilt = Ledger()
    rebuilt.register()
    rebuilt.settle(key=FOREIGN_KEY)
    refused(rebuilt.export(), AUTHENTICITY, seq=2)


def test_a_chain_rebuilt_by_the_key_holder_contradicts_a_known_head(ledger: Ledger) -> None:
    rebuilt = Ledger()
    for _ in range(5):
        rebuilt.settle()
    assert report_of(rebuilt.export()).exit_code == 3
    refused(rebuilt.export(), COMPLETENESS, seq=5, head=Head(5, ledger.hashes[4]))


def test_a_receipt_twice_is_refused(ledger: Ledger) -> None:
    failure = refused(ledger.export(keep=[0, 1, 1, 2, 3, 4]), INTEGRITY, seq=2)[0]
    assert "twice" in failure.detail


def test_a_fork_is_refused() -> None:
    one, two = new_ledger(), new_ledger()
    one.settle()
    two.gate()
    failures = refused(document([*one.envelopes, two.envelopes[-1]]), INTEGRITY, seq=6)
    assert any("fork" in failure.detail for failure in failures)


def test_a_second_receipt_after_the_same_one_is_a_fork_whatever_its_seq() -> None:
    chain = new_ledger()

    def link_to_genesis(statement: Statement) -> None:
        statement["predicate"]["chain"]["prev"] = payload_of(chain.envelopes[0])["predicate"]["chain"]["prev"]

    chain.settle(change=link_to_genesis)
    failures = refused(chain.export(), INTEGRITY, seq=6)
    assert any("two receipts after one" in failure.detail for failure in failures)


def test_a_broken_link_is_refused_with_both_hashes() -> None:
    chain = new_ledger()
    chain.settle(change=lambda statement: statement["predicate"]["chain"].__setitem__("prev", "0" * 64))
    failure = refused(chain.export(), INTEGRITY, seq=6)[0]
    assert failure.expected == f"prev {chain.hashes[4]}"
    assert failure.got == "0" * 64


def test_a_chain_that_does_not_begin_at_its_genesis_is_refused() -> None:
    chain = Ledger()
    chain.settle(change=lambda statement: statement["predicate"]["chain"].__setitem__("prev", "0" * 64))
    refused(chain.export(), INTEGRITY, seq=1)


def test_an_event_id_used_twice_is_refused() -> None:
    chain = new_ledger()
    chain.settle(change=lambda statement: statement["predicate"].__setitem__("event_id", f"rcp_{0:026d}"))
    refused(chain.export(), INTEGRITY, seq=6)


def test_a_broken_link_along_a_release_is_refused() -> None:
    chain = new_ledger()
    chain.gate(change=lambda statement: statement["predicate"]["chain"].__setitem__("release_prev", "0" * 64))
    failure = refused(chain.export(), INTEGRITY, seq=6)[0]
    assert failure.expected == f"release_prev {chain.hashes[4]}"


def test_a_release_chain_that_jumps_is_refused() -> None:
    chain = new_ledger()
    chain.gate(change=lambda statement: statement["predicate"]["chain"].__setitem__("release_seq", 9))
    refused(chain.export(), COMPLETENESS, seq=6)


def test_a_release_chain_that_goes_back_is_refused() -> None:
    chain = new_ledger()
    chain.gate(change=lambda statement: statement["predicate"]["chain"].__setitem__("release_seq", 2))
    refused(chain.export(), INTEGRITY, seq=6)


def test_a_clock_that_runs_backwards_is_refused() -> None:
    chain = new_ledger()
    chain.settle(at=START)
    failure = refused(chain.export(), TIME, seq=6)[0]
    assert failure.got == timestamp(START)


def test_a_receipt_of_another_customer_is_refused(ledger: Ledger) -> None:
    other = Ledger("relcontrol.test/other")
    other.settle()
    failure = refused(export_with(ledger, 0, other.envelopes[0]), AUTHENTICITY, seq=1)[0]
    assert failure.got == "relcontrol.test/other"


def test_a_receipt_of_another_customer_is_refused_without_a_trust_file_too(ledger: Ledger) -> None:
    other = Ledger("relcontrol.test/other")
    other.settle()
    with pytest.raises(verify.VerificationError, match="another customer"):
        verify.verify_document(export_with(ledger, 0, other.envelopes[0]), None)


def test_an_export_of_another_customer_is_refused_even_without_receipts() -> None:
    failure = refused(Ledger().export(), AUTHENTICITY, trust={**trust(), "origin": "relcontrol.test/other"})[0]
    assert failure.expected == "relcontrol.test/other"


def test_a_receipt_of_another_release_is_refused(ledger: Ledger) -> None:
    scope = Scope(release=MANIFEST)
    failure = refused(ledger.export(scope, keep=[0, 1, 3, 4]), INTEGRITY, seq=4)[0]
    assert (failure.expected, failure.got) == (MANIFEST, OTHER_MANIFEST)
