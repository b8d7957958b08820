"""What each check of the verifier proves, and what it does not; and what is said of model weights. Pure.

A paper cannot verify itself, so nothing here claims a result: the words say what `verify.py` will tell the reader.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit import verify
from audit.report.texts import counted, line
from audit.words import weights_in_words

DISCLAIMERS = {
    "closed-api": "The model runs behind its provider's API. Nobody outside can see which weights answer, and the "
    "provider may change them behind the same name: relcontrol claims nothing about them.",
    "no-weights-digest": "The weights are open, but no digest was given, so nobody could compare what served.",
    "declared": "The digest was declared. Nobody has seen the files: the claim is no more than that.",
    "no-release": "This is not about a release.",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One of the six checks."""

    name: str
    proves: str
    limits: str


@dataclass(frozen=True, slots=True)
class WeightsClaim:
    """What the newest receipt of a release says of its model's weights."""

    release: str
    manifest: str
    claim: str
    disclaimer: str


def weights_claim(release: str, manifest: str, weights: Mapping[str, Any]) -> WeightsClaim:
    """The claim in words; one that this version does not know is printed as it stands."""
    try:
        claim = line(weights_in_words(weights))
    except KeyError:
        claim = line(str(dict(weights)))
    known = str(weights.get("reason") or weights.get("assurance"))
    return WeightsClaim(release, manifest, claim, DISCLAIMERS.get(known, ""))


def proofs(*, receipts: int, scope: str, openings: int, closed: int) -> list[Proof]:
    """The six, with what this export holds."""
    seen = f"{openings:,} of {openings + closed:,} commitments are opened here"
    return [
        Proof(
            verify.INTEGRITY,
            f"Every byte of the {counted(receipts, 'receipt')} is as it was signed, and the links between them hold.",
            "Not who signed, nor that nothing is missing at the end.",
        ),
        Proof(
            verify.AUTHENTICITY,
            "Every signature is by a key that the trust file names, which you were given by another way than this.",
            "Not that the holder of the key told the truth, nor that the key was never stolen. Without a trust file "
            "the export is self-consistent only, and anybody could have made it.",
        ),
        Proof(
            verify.TIME,
            "The issuer's own clock never ran backwards from one receipt to the next.",
            "Not when anything happened: no outside clock has stamped this export.",
        ),
        Proof(
            verify.COMPLETENESS,
            "Compared with a head that you hold already (--head), nothing before it was taken out."
            if scope == "organization"
            else "No more than the links show: this is a part of the organization's chain, and a part has gaps.",
            "A cut tail cannot be seen from inside: only a later head or a witness shows it.",
        ),
        Proof(
            verify.WEIGHTS,
            "What each receipt claims about the model's weights is consistent in itself.",
            "Not which weights served. Of a closed API nothing is claimed, and declared weights were seen by nobody.",
        ),
        Proof(
            verify.COVERAGE,
            f"{seen}, and each value is the one that its receipt committed to.",
            "Not that a value is true, only that it is the one committed to; what is closed or erased stays unknown.",
        ),
    ]
