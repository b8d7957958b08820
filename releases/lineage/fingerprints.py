"""What was judged against what answered: the fingerprint of the gate run beside that of the gateway. Pure.

Both are the digest of the bundle, the part of a manifest that serves. Where they are the same, the very prompt,
preprocessing and settings that were judged have answered.
"""

from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["same", "other", "not_reported", "not_judged"]
PARITY_MATCH: Final = "match"
SHORT: Final = 12


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """`offline` is what a gate run judged, `online` what answered; None where nobody said it."""

    offline: str | None
    online: str | None
    verdict: Verdict
    sentence: str


def compared(*, bundle: str | None, parity: str | None, online: str | None) -> Fingerprints:
    """`bundle` is the registered release's digest, `parity` what its gate run found of what made its answers."""
    offline = bundle if parity == PARITY_MATCH else None
    if online is None:
        said = "What answered did not report its fingerprint, so it cannot be compared with what was judged."
        return Fingerprints(offline, None, "not_reported", said)
    if bundle is not None and online != bundle:
        said = f"Not what was judged: {online[:SHORT]} answered, and the release is {bundle[:SHORT]}."
        return Fingerprints(bundle, online, "other", said)
    if offline is None:
        known = "No gate run says what made its answers" if bundle else "The release is not registered here"
        return Fingerprints(None, online, "not_judged", f"{known}, so only what answered is known: {online[:SHORT]}.")
    return Fingerprints(offline, online, "same", f"What was judged is what answered: {online[:SHORT]} both times.")
