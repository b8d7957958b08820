"""Every mutation of the catalogue is caught by verify.py, at its check and in its words; sound exports are not."""

from collections.abc import Iterator

import pytest

from audit import verify
from tests.audit.evidence.bundles import SOUND, sound
from tests.audit.evidence.mutations import ELSEWHERE, MUTATIONS
from tests.audit.evidence.spoiling import Case, Mutation


def judged(case: Case) -> verify.Report:
    """What verify.py says, whatever that is."""
    head = verify.read_known_head(case.head, case.trust) if case.head else None
    report: verify.Report | None = None
    try:
        report = verify.verify_file(case.file, case.trust, head)
    except verify.VerificationError as failure:
        report = failure.report
    if report is None:
        raise AssertionError("a failure without a report")
    return report


def said(report: verify.Report, mutation: Mutation) -> Iterator[str]:
    """The sentences that speak of the mutation's check."""
    for verdict in report.verdicts:
        if verdict.check == mutation.check:
            yield verdict.proves
    for failure in report.failures:
        if failure.check == mutation.check:
            yield str(failure)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_is_caught_where_it_is(mutation: Mutation) -> None:
    report = judged(mutation.make())
    outcome = next(verdict.outcome for verdict in report.verdicts if verdict.check == mutation.check)
    assert outcome == mutation.outcome, [str(failure) for failure in report.failures]
    assert any(mutation.says in sentence for sentence in said(report, mutation)), [*said(report, mutation)]
    assert all(failure.expected and failure.got and failure.detail for failure in report.failures)


def test_each_mutation_has_a_name_of_its_own() -> None:
    names = [mutation.name for mutation in MUTATIONS] + [*ELSEWHERE]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_export_does_not_fail(name: str) -> None:
    for content in (sound(name), SOUND[name]().zip()):
        report = judged(Case(content, SOUND[name]().trust))
        assert report.failures == ()
        assert report.exit_code in {0, 3}
