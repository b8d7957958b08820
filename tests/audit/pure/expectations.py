"""How a test says that the verifier must refuse a document, and where."""

from typing import Any

import pytest

from audit import verify
from tests.audit.pure.chains import trust as usual_trust


def report_of(text: bytes, trust: dict[str, Any] | None = None, head: verify.Head | None = None) -> verify.Report:
    return verify.verify_document(text, trust or usual_trust(), head)


def refused(
    text: bytes, check: str, *, seq: int | None = None, head: verify.Head | None = None, trust: Any = None
) -> list[verify.VerificationError]:
    """The failures of `check` (at `seq`, if given); the test fails if there are none, or one does not say all."""
    with pytest.raises(verify.VerificationError) as caught:
        report_of(text, trust, head)
    report = caught.value.report
    assert report is not None
    assert report.exit_code == 1
    assert verdict(report, check) == verify.FAILS
    found = [failure for failure in report.failures if failure.check == check and seq in (None, failure.seq)]
    assert found, [str(failure) for failure in report.failures]
    assert all(failure.expected and failure.got and failure.detail for failure in report.failures)
    return found


def verdict(report: verify.Report, check: str) -> str:
    return next(verdict.outcome for verdict in report.verdicts if verdict.check == check)
