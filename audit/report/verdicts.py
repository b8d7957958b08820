"""The six verdicts as the verifier gives them of the export that a report is made from. Pure.

They are what `verify.py` prints of the same JSON with the issuer's own trust file. A paper cannot verify itself: they
tell what to expect, and the reader's own run, with the reader's own trust file, is what counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from audit import verify
from audit.report.texts import line
from relcontrol.bundle.canonical import canonical_bytes

WORDS = {verify.HOLDS: ("pass", "Holds"), verify.FAILS: ("fail", "Fails"), verify.NOT_CHECKED: ("hold", "Not checked")}
QUESTIONS = {
    verify.INTEGRITY: "Is every byte as it was signed?",
    verify.AUTHENTICITY: "Did keys that you trust sign it?",
    verify.TIME: "Did an outside clock see it, and when?",
    verify.COMPLETENESS: "Is nothing missing?",
    verify.WEIGHTS: "Is what is said of model weights consistent?",
    verify.COVERAGE: "Is what is opened here what was committed to?",
}
LONGEST = 900
MOST_FAILURES = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of the six, for paper."""

    name: str
    kind: str
    word: str
    question: str
    proves: str
    limits: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What the verifier said, and the digest of the trust file that it was given; empty without one."""

    verdicts: list[Verdict]
    failures: list[str]
    failures_left: int
    trust_sha256: str


def verified(document: bytes, trust: Mapping[str, Any] | None) -> Verified:
    """Run the verifier over an export's JSON."""
    try:
        report = verify.verify_document(document, trust)
    except verify.VerificationError as error:
        if error.report is None:
            raise
        report = error.report
    shown = [line(str(failure), LONGEST) for failure in report.failures[:MOST_FAILURES]]
    return Verified(
        verdicts=[_verdict(verdict) for verdict in report.verdicts],
        failures=shown,
        failures_left=len(report.failures) - len(shown),
        trust_sha256=_digest(trust) if trust is not None else "",
    )


def _verdict(verdict: verify.Verdict) -> Verdict:
    kind, word = WORDS[verdict.outcome]
    proves, limits = line(verdict.proves, LONGEST), line(verdict.does_not_prove, LONGEST)
    return Verdict(verdict.check, kind, word, QUESTIONS[verdict.check], proves, limits)


def _digest(trust: Mapping[str, Any]) -> str:
    """Of the trust file's RFC 8785 bytes."""
    return sha256(canonical_bytes(dict(trust))).hexdigest()
