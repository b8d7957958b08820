"""What an export cannot show, in plain words; and what is said of model weights. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.report.texts import line
from audit.words import weights_disclaimer, weights_in_words

# Beside each verdict stand its own limits; these are those of any export, whatever its verdicts.
STAMPED = (
    "Times are the issuer’s own. A time stamp says when a receipt existed at the latest, and the anchor before it when "
    "it was written at the earliest; between these nobody outside can tell."
)
CUT_OFF = (
    "Whether the newest receipts were cut off cannot be seen from inside. A head that you hold from another day shows "
    "it, and so does a witness that saw one."
)
LIMITS = (
    "A signature shows who held a key, not that what was signed is true, nor that the key was never stolen.",
    STAMPED,
    CUT_OFF,
    "What is closed or erased stays unknown: its commitment shows only that it was fixed at the time.",
    "Of a model behind a provider’s API nobody outside can see which weights answer. Nothing is claimed of them.",
)


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
    return WeightsClaim(release, manifest, claim, weights_disclaimer(weights))
