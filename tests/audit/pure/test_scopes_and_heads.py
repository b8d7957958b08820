"""What is missed in which scope, and what only a known head shows.

`ledger` holds five receipts: 1 registered and 2 gate passed (release one), 3 a person, 4 registered (release two),
5 gate passed (release one). A mutation by somebody without keys changes the document; one by a holder of the export
key makes a new, rightly signed document of changed receipts.
"""

from datetime import timedelta

import pytest

from audit import verify
from audit.chain import timestamp
from audit.exporting.document import Scope
from audit.verify import COMPLETENESS, INTEGRITY, NOT_CHECKED, Head
from tests.audit.pure.chains import (
    APPLICATION,
    MANIFEST,
    START,
    Ledger,
    document,
)
from tests.audit.pure.chains import ledger as new_ledger
from tests.audit.pure.expectations import refused, report_of, verdict
from tests.audit.pure.forgeries import SECOND


def test_the_receipts_of_one_release_verify_alone(ledger: Ledger) -> None:
    report = report_of(ledger.export(Scope(release=MANIFEST), keep=[0, 1, 4]))
    assert (report.exit_code, verdict(report, COMPLETENESS)) == (3, NOT_CHECKED)


@pytest.mark.parametrize(("keep", "seq"), [([1, 4], 2), ([0, 4], 5)])
def test_a_deleted_receipt_of_a_release_is_missed(ledger: Ledger, keep: list[int], seq: int) -> None:
    refused(ledger.export(Scope(release=MANIFEST), keep=keep), COMPLETENESS, seq=seq)


LEGAL = Scope(application=APPLICATION)


def test_gaps_of_an_application_are_counted_and_said_not_to_be_checked(ledger: Ledger) -> None:
    report = report_of(ledger.export(LEGAL, keep=[0, 1, 3, 4]))
    completeness = next(one for one in report.verdicts if one.check == COMPLETENESS)
    assert completeness.outcome == NOT_CHECKED
    assert "signed as one of this application" in completeness.proves
    assert "; 1 gap in the organization's chain" in completeness.proves
    assert "Only an export of the organization shows that" in completeness.does_not_prove


def test_links_between_neighbours_are_checked_in_an_application_too() -> None:
    chain = new_ledger()
    chain.gate(change=lambda statement: statement["predicate"]["chain"].__setitem__("prev", "0" * 64))
    refused(chain.export(LEGAL, keep=[0, 1, 3, 4, 5]), INTEGRITY, seq=6)


def test_a_deleted_receipt_of_a_release_is_missed_in_an_application_too(ledger: Ledger) -> None:
    refused(ledger.export(LEGAL, keep=[0, 3, 4]), COMPLETENESS, seq=5)


def test_a_release_that_is_left_out_whole_is_not_missed_in_an_application(ledger: Ledger) -> None:
    assert report_of(ledger.export(LEGAL, keep=[0, 1, 4])).exit_code == 3


def test_a_receipt_of_another_application_is_refused() -> None:
    chain = new_ledger()
    chain.register("12" * 32, application="medical")
    failure = refused(chain.export(LEGAL, keep=[0, 1, 3, 4, 5]), INTEGRITY, seq=6)[0]
    assert (failure.expected, failure.got) == ("legal", "medical")


def test_a_release_whose_receipts_name_two_applications_is_refused_in_every_scope() -> None:
    chain = new_ledger()
    chain.gate(application="medical")
    assert refused(chain.export(), INTEGRITY, seq=6)[0].expected == "legal"
    refused(chain.export(Scope(release=MANIFEST), keep=[0, 1, 4, 5]), INTEGRITY, seq=6)


def test_a_receipt_that_is_about_no_application_is_refused_in_an_application(ledger: Ledger) -> None:
    failure = refused(ledger.export(LEGAL), INTEGRITY, seq=3)[0]
    assert (failure.expected, failure.got) == ("legal", "no application")


def test_a_receipt_from_before_applications_were_signed_is_refused_in_an_application_only() -> None:
    chain = Ledger()
    chain.register(change=lambda statement: statement["predicate"].pop("application"))
    assert report_of(chain.export()).exit_code == 3
    assert refused(chain.export(LEGAL), INTEGRITY, seq=1)[0].got == "no application"


def test_a_time_range_may_begin_in_the_middle(ledger: Ledger) -> None:
    scope = Scope(organization=True, start=SECOND, end=timestamp(START + timedelta(seconds=4)))
    assert report_of(ledger.export(scope, keep=[1, 2, 3])).exit_code == 3


def test_a_gap_inside_a_time_range_is_missed(ledger: Ledger) -> None:
    refused(ledger.export(Scope(organization=True, start=SECOND), keep=[1, 3, 4]), COMPLETENESS, seq=4)


@pytest.mark.parametrize(("keep", "seq"), [([0, 1], 1), ([1, 2, 3, 4], 5)])
def test_a_receipt_outside_the_time_range_is_refused(ledger: Ledger, keep: list[int], seq: int) -> None:
    scope = Scope(organization=True, start=SECOND, end=timestamp(START + timedelta(seconds=4)))
    refused(ledger.export(scope, keep=keep), INTEGRITY, seq=seq)


def test_an_unreadable_receipt_is_not_also_called_missing(ledger: Ledger) -> None:
    text = document([ledger.envelopes[0], {}, *ledger.envelopes[2:]])
    [failure] = refused(text, INTEGRITY)
    assert failure.seq == 2
    with pytest.raises(verify.VerificationError) as caught:
        report_of(text)
    assert caught.value.report is not None
    assert len(caught.value.report.failures) == 1


def test_the_seq_of_an_unreadable_receipt_is_not_guessed_in_a_time_range(ledger: Ledger) -> None:
    text = document([ledger.envelopes[1], {}], scope=Scope(organization=True, start=SECOND))
    [failure] = refused(text, INTEGRITY)
    assert (failure.seq, "receipts[1]" in failure.detail) == (None, True)


def test_a_cut_tail_cannot_be_seen_from_inside_and_the_verdict_says_so(ledger: Ledger) -> None:
    report = report_of(ledger.export(keep=[0, 1, 2]))
    completeness = next(one for one in report.verdicts if one.check == COMPLETENESS)
    assert completeness.outcome == NOT_CHECKED
    assert "cut tail cannot be seen" in completeness.does_not_prove


@pytest.mark.parametrize("kept", [1, 3, 4])
def test_a_cut_tail_is_seen_with_a_known_head(ledger: Ledger, kept: int) -> None:
    failure = refused(ledger.export(keep=range(kept)), COMPLETENESS, seq=5, head=Head(5, ledger.hashes[4]))[0]
    assert (failure.expected, failure.got) == ("a chain up to seq 5", f"up to seq {kept}")


def test_an_emptied_chain_is_seen_with_a_known_head(ledger: Ledger) -> None:
    refused(Ledger().export(), COMPLETENESS, seq=5, head=Head(5, ledger.hashes[4]))


@pytest.mark.parametrize("seq", [1, 3, 5])
def test_a_known_head_makes_completeness_hold(ledger: Ledger, seq: int) -> None:
    report = report_of(ledger.export(), head=Head(seq, ledger.hashes[seq - 1]))
    assert verdict(report, COMPLETENESS) == verify.HOLDS


def test_a_head_of_the_organization_says_nothing_about_a_releases_tail(ledger: Ledger) -> None:
    text = ledger.export(Scope(release=MANIFEST), keep=[0, 1])
    assert verdict(report_of(text, head=Head(5, ledger.hashes[4])), COMPLETENESS) == NOT_CHECKED


def test_a_head_after_the_time_range_is_not_missed(ledger: Ledger) -> None:
    text = ledger.export(Scope(organization=True, end=SECOND), keep=[0])
    assert verdict(report_of(text, head=Head(5, ledger.hashes[4])), COMPLETENESS) == NOT_CHECKED
